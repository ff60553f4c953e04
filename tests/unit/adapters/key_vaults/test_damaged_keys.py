"""A key file that was damaged opens as the key that it was, or not at all."""

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.adapters.key_vaults.algorithms import (
    can_sign,
    decrypt_secret,
    encrypt_secret,
)
from pseudo_service.adapters.key_vaults.local import LocalKeyVault
from pseudo_service.core.errors import KeyVaultRefused
from tests.lib.harnesses.fakes import SeededEntropy

SECRET = b"canary-secret-of-thirty-two-byte"
PASSPHRASE = "correct horse battery staple"


def open_vault(path):
    return LocalKeyVault(path, PASSPHRASE, entropy=SeededEntropy(), key_bits=2048)


@pytest.fixture(scope="module")
def whole_key() -> RSAPrivateKey:
    return generate_private_key(65_537, 2048)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_key_does_not_sign_or_is_the_key_that_it_was(whole_key, data):
    content = bytearray(
        whole_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    start = data.draw(st.integers(0, len(content) - 1))
    for place in range(start, min(start + data.draw(st.integers(1, 16)), len(content))):
        content[place] ^= data.draw(st.integers(1, 255))
    try:
        damaged = load_der_private_key(
            bytes(content), None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, UnsupportedAlgorithm):
        return
    if isinstance(damaged, RSAPrivateKey) and can_sign(damaged):
        wrapped = encrypt_secret(damaged.public_key(), SECRET)
        assert decrypt_secret(whole_key, wrapped) == SECRET
        assert decrypt_secret(damaged, encrypt_secret(whole_key.public_key(), SECRET))


def test_a_key_whose_modulus_was_damaged_is_refused(tmp_path, whole_key):
    vault = open_vault(tmp_path / "v")
    vault.create_key("trial")
    content = bytearray(
        whole_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    modulus = whole_key.public_key().public_numbers().n.to_bytes(256, "big")
    content[content.index(modulus) + 128] ^= 1
    damaged = load_der_private_key(
        bytes(content), None, unsafe_skip_rsa_key_validation=True
    )
    phrase = BestAvailableEncryption(PASSPHRASE.encode())
    (tmp_path / "v/keys/trial/1.pem").write_bytes(
        damaged.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, phrase)
    )
    with pytest.raises(KeyVaultRefused, match="its file changed"):
        open_vault(tmp_path / "v").current_key("trial")
