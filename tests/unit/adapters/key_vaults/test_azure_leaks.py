"""What others may read of a conversation with Azure Key Vault."""

import logging
import traceback

import pytest

from pseudo_service.adapters.key_vaults.azure_answers import write_bytes
from pseudo_service.adapters.key_vaults.azure_connection import Timing
from pseudo_service.core.errors import KeyVaultRefused, PseudoError
from pseudo_service.ports.key_vault import Signature

SECRET = b"canary-secret-of-thirty-two-byte"


def _provoke(vault, emulator, wrapped):
    """Return every kind of error, each with a secret at hand."""
    vault.create_key("audit")
    faults = emulator.faults
    signature = Signature(key_id=wrapped.key_id, value=b"x" * 256)
    provocations = [
        (lambda: faults.forbid("unwrapkey"), lambda: vault.unwrap(wrapped)),
        (lambda: faults.permit("unwrapkey"), lambda: vault.wrap("gone", SECRET)),
        (lambda: faults.malformed("unwrapkey"), lambda: vault.unwrap(wrapped)),
        (
            lambda: faults.malformed("unwrapkey", str),
            lambda: vault.unwrap(wrapped),
        ),
        (faults.well_formed, lambda: vault.verify(SECRET, signature)),
        (lambda: faults.fail(503, 99), lambda: vault.unwrap(wrapped)),
        (faults.go_down, lambda: vault.unwrap(wrapped)),
    ]
    for prepare, ask in provocations:
        prepare()
        with pytest.raises(PseudoError) as caught:
            ask()
        yield caught.value


def test_no_error_quotes_a_secret_a_token_or_a_library(emulator, wrapped):
    vault = emulator.open_vault(timing=Timing(total=0.2, first_pause=0.02))
    value = write_bytes(SECRET)
    for error in _provoke(vault, emulator, wrapped):
        shown = "".join(traceback.format_exception(error)) + repr(error)
        assert error.__cause__ is None
        assert not isinstance(error.__context__, Exception) or isinstance(
            error.__context__, PseudoError
        )
        for leak in (value, "emulated-token", "emulated-library-text", "requests."):
            assert leak not in shown
    vault.close()


def test_no_log_line_holds_a_secret_or_a_token(emulator, vault, wrapped, caplog):
    with caplog.at_level(logging.DEBUG):
        emulator.tokens.revoke()
        emulator.faults.throttle(1)
        vault.unwrap(wrapped)
        vault.create_key("audit")
        vault.sign("audit", SECRET)
        emulator.faults.malformed("unwrapkey", str)
        with pytest.raises(KeyVaultRefused):
            vault.unwrap(wrapped)
    assert "/keys/trial/" in caplog.text
    ciphertext = write_bytes(wrapped.ciphertext)
    for leak in (write_bytes(SECRET), SECRET.decode(), ciphertext, "emulated-token"):
        assert leak not in caplog.text
