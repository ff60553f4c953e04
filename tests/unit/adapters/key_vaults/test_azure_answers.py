"""Answers of Azure Key Vault that cannot be true."""

import itertools

import pytest

from pseudo_service.adapters.key_vaults.azure_answers import write_bytes
from pseudo_service.core.errors import KeyVaultRefused
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.services.emulated_keys import borrow_key

SECRET = b"canary-secret-of-thirty-two-byte"


def _replace_kid(kid):
    def change(answer):
        if "key" in answer:
            return answer | {"key": answer["key"] | {"kid": kid}}
        return answer | {"kid": kid}

    return change


def _replace_in_key(**parts):
    return lambda answer: answer | {"key": answer["key"] | parts}


def _without(part):
    def change(answer):
        key = {name: value for name, value in answer["key"].items() if name != part}
        return answer | {"key": key}

    return change


BAD_KIDS = [
    None,
    7,
    "",
    "https://evil.example/keys/trial/" + "a" * 32,
    "trial",
    {"x": 1},
]
SHORT_MODULUS = borrow_key(1024, 0).public_key().public_numbers().n
BAD_KEYS = [
    *[_replace_kid(kid) for kid in BAD_KIDS],
    _without("n"),
    _without("e"),
    _without("kty"),
    _replace_in_key(n="A"),
    _replace_in_key(n=""),
    _replace_in_key(n="!!!!"),
    _replace_in_key(n=12),
    _replace_in_key(n="AQAB"),
    _replace_in_key(n=write_bytes(SHORT_MODULUS.to_bytes(128, "big"))),
    _replace_in_key(n=write_bytes(b"\xfe" * 256)),
    _replace_in_key(e="Ag"),
    _replace_in_key(e="AQ"),
    _replace_in_key(kty="oct-HSM"),
    _replace_in_key(kty="EC"),
    _replace_in_key(key_ops="wrapKey"),
    lambda answer: answer | {"key": None},
    lambda answer: answer | {"attributes": []},
    lambda answer: answer | {"attributes": {"enabled": "yes"}},
    lambda answer: answer | {"attributes": {"exp": "never"}},
    lambda answer: answer | {"attributes": {"exp": -1}},
    lambda answer: answer | {"attributes": {"nbf": 10**30}},
    lambda _: {},
    lambda _: [],
    lambda _: "null",
    lambda _: "<html>a proxy's page</html>",
    lambda _: b"\xff\xfe",
    lambda _: "",
]


@pytest.mark.parametrize("change", BAD_KEYS)
def test_a_key_that_cannot_be_true_is_refused(emulator, vault, change):
    vault.create_key("trial")
    emulator.faults.malformed("get", change)
    with pytest.raises(KeyVaultRefused):
        vault.wrap("trial", SECRET)
    emulator.faults.well_formed()
    assert vault.unwrap(vault.wrap("trial", SECRET)) == SECRET


def test_what_a_key_leaves_out_does_not_restrict(emulator, vault):
    vault.create_key("trial")
    bare = lambda answer: {"key": _without("key_ops")(answer)["key"]}  # noqa: E731
    emulator.faults.malformed("get", bare)
    assert vault.unwrap(vault.wrap("trial", SECRET)) == SECRET


def test_an_answer_for_another_key_of_the_vault_is_refused(emulator, vault, wrapped):
    other = vault.create_key("other")
    newer = emulator.rotate("trial")
    emulator.faults.malformed("get", _replace_kid(other.key_id))
    with pytest.raises(KeyVaultRefused, match="key id"):
        vault.wrap("trial", SECRET)
    for kid in (newer, other.key_id):
        emulator.faults.malformed("unwrapkey", _replace_kid(kid))
        with pytest.raises(KeyVaultRefused, match="key id"):
            vault.unwrap(wrapped)


BAD_RESULTS = [
    *[_replace_kid(kid) for kid in BAD_KIDS],
    None,
    lambda answer: answer | {"value": None},
    lambda answer: answer | {"value": ""},
    lambda answer: answer | {"value": "a+/="},
    lambda answer: answer | {"value": "A"},
    lambda answer: answer | {"value": write_bytes(b"x" * 400)},
    lambda answer: {"value": answer["value"]},
    lambda answer: {"kid": answer["kid"]},
    lambda _: "[1]",
    lambda answer: str(answer)[:-20],
]


@pytest.mark.parametrize(
    ("operation", "change"),
    list(itertools.product(["unwrapkey", "sign"], BAD_RESULTS)),
)
def test_a_result_that_cannot_be_true_is_refused(
    emulator, vault, wrapped, operation, change
):
    vault.create_key("audit")
    emulator.faults.malformed(operation, change)
    asks = {
        "sign": lambda: vault.sign("audit", b"message"),
        "unwrapkey": lambda: vault.unwrap(wrapped),
    }
    with pytest.raises(KeyVaultRefused):
        asks[operation]()


def test_a_signature_over_something_else_is_not_passed_on(emulator, vault):
    vault.create_key("audit")
    wrong = vault.sign("audit", b"another message").value
    emulator.faults.malformed("sign", lambda a: a | {"value": write_bytes(wrong)})
    with pytest.raises(KeyVaultRefused, match="signature"):
        vault.sign("audit", b"message")


@pytest.mark.parametrize(
    "link", ["https://evil.example/keys/trial/versions?x", "/keys/trial/versions?x", 7]
)
def test_a_link_that_leads_elsewhere_is_not_followed(emulator, vault, wrapped, link):
    emulator.disable(wrapped.key_id)
    emulator.faults.malformed("list", lambda answer: answer | {"nextLink": link})
    with pytest.raises(KeyVaultRefused, match="next page"):
        vault.current_key("trial")


def test_a_list_that_never_ends_is_given_up(emulator, vault, wrapped):
    emulator.disable(wrapped.key_id)
    link = f"{emulator.url}/keys/trial/versions?$skiptoken=0"
    emulator.faults.malformed("list", lambda answer: answer | {"nextLink": link})
    with pytest.raises(KeyVaultRefused, match="too many pages"):
        vault.current_key("trial")


def test_a_user_name_in_a_key_id_does_not_pass_for_the_vault(vault, wrapped):
    for text in ("https://user@", "https://evil.example@", "https://x:y@", "http://"):
        planted = wrapped.key_id.replace("https://", text)
        with pytest.raises(KeyVaultRefused):
            vault.unwrap(Wrapped(key_id=planted, ciphertext=wrapped.ciphertext))
