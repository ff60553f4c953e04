"""What Azure Key Vault is asked for, and how often."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pseudo_service.core.errors import (
    KeyVaultRefused,
    KeyVaultUnavailable,
    SignatureRefused,
)

SECRET = b"canary-secret-of-thirty-two-byte"


def test_a_wrap_reads_the_public_key_and_asks_the_vault_for_nothing_else(
    emulator, vault
):
    vault.create_key("trial")
    emulator.faults.counts.clear()
    vault.wrap("trial", SECRET)
    assert emulator.faults.counts == {"get": 1}


def test_an_unwrap_asks_the_stored_version_and_needs_no_right_to_get(
    emulator, vault, wrapped
):
    emulator.faults.forbid("get")
    emulator.rotate("trial")
    emulator.faults.counts.clear()
    assert vault.unwrap(wrapped) == SECRET
    assert emulator.faults.counts == {"unwrapkey": 1}


def test_the_vault_sees_a_digest_and_no_message(emulator, vault):
    vault.create_key("audit")
    vault.sign("audit", b"a message that stays here")
    body = dict(emulator.requests)["sign"]
    assert body["alg"] == "PS256"
    assert len(body["value"]) == 43


def test_a_signature_is_verified_without_the_vault_once_its_key_is_known(
    emulator, vault
):
    vault.create_key("audit")
    signature = vault.sign("audit", b"message")
    emulator.faults.go_down()
    vault.verify(b"message", signature)
    with pytest.raises(SignatureRefused):
        vault.verify(b"other", signature)


def test_keys_are_made_for_one_use_with_3072_bits(emulator):
    vault = emulator.open_vault(bits=3072)
    key = vault.create_key("trial")
    vault.create_key("audit")
    vault.close()
    bodies = [body for operation, body in emulator.requests if operation == "create"]
    assert [(b["kty"], b["key_size"], b["key_ops"]) for b in bodies] == [
        ("RSA", 3072, ["wrapKey", "unwrapKey"]),
        ("RSA", 3072, ["sign", "verify"]),
    ]
    assert emulator.find(key.key_id).private_key.key_size == 3072


def test_creating_a_key_that_exists_makes_no_second_version(emulator, vault):
    for _ in range(3):
        vault.create_key("trial")
    assert emulator.faults.counts["create"] == 1
    assert len(emulator.keys.versions["trial"]) == 1


def test_callers_that_both_find_no_key_end_with_one_key_and_open_all(emulator, vault):
    emulator.creations = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        keys = list(pool.map(vault.create_key, ["trial"] * 2))
    emulator.creations = None
    assert len(emulator.keys.versions["trial"]) == 2
    assert {key.name for key in keys} == {"trial"}
    settled = vault.create_key("trial")
    assert settled == vault.current_key("trial")
    assert len(emulator.keys.versions["trial"]) == 2
    assert vault.wrap("trial", SECRET).key_id == settled.key_id


@pytest.mark.parametrize("operation", ["get", "unwrapkey"])
def test_an_answer_that_is_lost_is_asked_for_again(emulator, vault, wrapped, operation):
    emulator.faults.lose_answers(operation, 2)
    assert vault.unwrap(wrapped) == SECRET
    assert vault.current_key("trial").key_id == wrapped.key_id


def test_a_creation_whose_answer_is_lost_is_found_and_not_repeated(emulator, vault):
    emulator.faults.lose_answers("create")
    key = vault.create_key("trial")
    assert len(emulator.keys.versions["trial"]) == 1
    assert key == vault.current_key("trial")


def test_a_creation_that_fails_is_reported_and_not_repeated(emulator, vault):
    emulator.faults.fail(503, 1, "create")
    with pytest.raises(KeyVaultUnavailable, match="keys/create"):
        vault.create_key("trial")
    assert emulator.faults.counts["create"] == 1
    assert vault.create_key("trial").name == "trial"


def test_a_throttled_creation_was_not_done_and_is_repeated(emulator, vault):
    emulator.faults.throttle(2, operation="create")
    vault.create_key("trial")
    assert emulator.faults.counts["create"] == 3
    assert len(emulator.keys.versions["trial"]) == 1


def test_a_name_that_a_deleted_key_holds_is_refused_with_a_way_out(emulator, vault):
    vault.create_key("trial")
    emulator.delete("trial")
    with pytest.raises(KeyVaultRefused, match="recover it, or purge it"):
        vault.create_key("trial")
