"""Azure Key Vault forbids, disables, expires and rotates."""

from datetime import timedelta

import pytest

from pseudo_service.core.errors import KeyVaultRefused

SECRET = b"canary-secret-of-thirty-two-byte"


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("get", "keys/get"), ("unwrapkey", "keys/unwrapKey"), ("sign", "keys/sign")],
)
def test_what_is_forbidden_says_what_to_grant(
    emulator, vault, wrapped, operation, permission
):
    vault.create_key("audit")
    emulator.faults.forbid(operation)
    asks = {
        "get": lambda: vault.wrap("trial", SECRET),
        "unwrapkey": lambda: vault.unwrap(wrapped),
        "sign": lambda: vault.sign("audit", b"message"),
    }
    emulator.faults.counts.clear()
    with pytest.raises(KeyVaultRefused, match=f"grant {permission} on"):
        asks[operation]()
    assert emulator.faults.counts[operation] == 1


@pytest.mark.parametrize(
    ("inner_code", "advice"),
    [("ForbiddenByFirewall", "firewall"), ("ForbiddenByConnection", "private")],
)
def test_a_closed_network_is_told_from_a_missing_grant(
    emulator, vault, wrapped, inner_code, advice
):
    emulator.faults.forbid("unwrapkey", inner_code)
    with pytest.raises(KeyVaultRefused, match=advice):
        vault.unwrap(wrapped)


def test_a_version_that_expired_wraps_and_signs_no_more_but_still_opens(
    emulator, vault, wrapped
):
    emulator.expire(wrapped.key_id)
    with pytest.raises(KeyVaultRefused, match="expired"):
        vault.wrap("trial", SECRET)
    assert vault.unwrap(wrapped) == SECRET
    newer = emulator.rotate("trial")
    assert vault.wrap("trial", SECRET).key_id == newer


def test_a_version_expires_at_its_very_second(emulator, vault, wrapped):
    emulator.expire(wrapped.key_id, emulator.clock.now() + timedelta(seconds=10))
    emulator.clock.advance(seconds=9)
    vault.wrap("trial", SECRET)
    emulator.clock.advance(seconds=1)
    with pytest.raises(KeyVaultRefused, match="expired"):
        vault.wrap("trial", SECRET)


def test_a_version_that_is_not_valid_yet_leaves_the_one_before_it_current(
    emulator, vault, wrapped
):
    later = emulator.rotate("trial")
    emulator.postpone(later, emulator.clock.now() + timedelta(days=1))
    assert vault.wrap("trial", SECRET).key_id == wrapped.key_id
    emulator.clock.advance(days=1)
    assert vault.wrap("trial", SECRET).key_id == later


def test_the_newest_usable_version_is_found_through_every_page(
    emulator, vault, wrapped
):
    versions = [wrapped.key_id]
    for _ in range(6):
        emulator.clock.advance(days=1)
        versions.append(emulator.rotate("trial"))
    for key_id in versions[4:]:
        emulator.disable(key_id)
    assert vault.current_key("trial").key_id == versions[3]
    assert emulator.faults.counts["list"] == 4


def test_without_the_right_to_list_the_operator_is_told_so(emulator, vault, wrapped):
    emulator.rotate("trial")
    emulator.disable(emulator.rotate("trial"))
    emulator.faults.forbid("list")
    with pytest.raises(KeyVaultRefused, match="grant keys/list"):
        vault.wrap("trial", SECRET)


def test_a_key_that_an_operator_made_for_another_use_is_refused(emulator, vault):
    emulator.keys.create(
        "trial", bits=2048, operations=["sign"], created=emulator.clock.now()
    )
    with pytest.raises(KeyVaultRefused, match="lacks the operation wrapKey"):
        vault.wrap("trial", SECRET)


def test_a_rotation_between_wraps_loses_nothing(emulator, vault):
    vault.create_key("trial")
    made = []
    for n in range(6):
        made.append((bytes([n]) * 32, vault.wrap("trial", bytes([n]) * 32)))
        if n % 2:
            emulator.rotate("trial")
    assert len({w.key_id for _, w in made}) == 3
    assert all(vault.unwrap(w) == secret for secret, w in made)
