"""How a key is deleted in Azure: waited for, refused, or cut off on the way."""

from datetime import timedelta

import pytest

from pseudo_service.adapters.key_vaults.azure_connection import Timing
from pseudo_service.adapters.key_vaults.azure_refusals import explain_status
from pseudo_service.core.errors import (
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
)


@pytest.fixture
def made(emulator):
    vault = emulator.open_vault(timing=Timing(first_pause=0.02, total=3))
    vault.create_key("trial")
    yield vault
    vault.close()


def test_the_answer_waits_until_the_key_is_gone(emulator, made):
    emulator.faults.deletion_takes = 1
    deleted = made.delete_key("trial")
    assert deleted.purged_at == emulator.clock.now() + timedelta(days=90)
    assert emulator.faults.counts["get_deleted"] == 2


def test_a_deletion_that_does_not_end_is_not_told_as_done(emulator, made):
    emulator.faults.deletion_takes = 1_000
    with pytest.raises(KeyVaultUnavailable, match="not gone yet"):
        made.delete_key("trial")


def test_a_deletion_that_is_forbidden_is_refused_and_not_done(emulator, made):
    emulator.faults.forbid("delete")
    wrapped = made.wrap("trial", b"secret")
    with pytest.raises(KeyVaultRefused, match="keys/delete"):
        made.delete_key("trial")
    assert made.unwrap(wrapped) == b"secret"


def test_a_lost_answer_does_not_lose_the_purge_date(emulator, made):
    emulator.faults.lose_answers("delete")
    assert made.delete_key("trial").purged_at is not None


def test_a_vault_without_soft_delete_tells_no_purge_date(emulator, made):
    emulator.faults.keeps_deleted = False
    assert made.delete_key("trial").purged_at is None


def test_a_purged_key_is_unknown(emulator, made):
    made.delete_key("trial")
    emulator.keys.purge("trial")
    with pytest.raises(KeyUnknown):
        made.delete_key("trial")


def test_a_malformed_purge_date_is_refused(emulator, made):
    emulator.faults.malformed(
        "get_deleted", lambda answer: {**answer, "scheduledPurgeDate": "soon"}
    )
    with pytest.raises(KeyVaultRefused, match="scheduledPurgeDate"):
        made.delete_key("trial")


def test_a_key_that_is_just_being_deleted_asks_for_patience():
    error = explain_status(
        409,
        permission="keys/delete",
        key_name="trial",
        inner_code="ObjectIsBeingDeleted",
    )
    assert isinstance(error, KeyVaultUnavailable)
    assert "being deleted" in error.message
