"""Azure Key Vault throttled, failing, slow and gone."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pseudo_service.adapters.key_vaults.azure_connection import Timing
from pseudo_service.core.errors import KeyVaultRefused, KeyVaultUnavailable

SECRET = b"canary-secret-of-thirty-two-byte"


@pytest.mark.parametrize("operation", ["get", "unwrapkey", "sign"])
def test_throttling_without_a_wait_is_survived(emulator, vault, wrapped, operation):
    vault.create_key("audit")
    emulator.faults.throttle(3, operation=operation)
    assert vault.unwrap(wrapped) == SECRET
    vault.sign("audit", b"message")


def test_pauses_grow_are_spread_and_end_at_the_deadline(
    emulator, timed_vault, wrapped, stopwatch
):
    emulator.faults.throttle(1000)
    with pytest.raises(KeyVaultUnavailable, match="throttles"):
        timed_vault.unwrap(wrapped)
    longest = [min(5, 0.25 * 2**turn) for turn in range(len(stopwatch.pauses))]
    assert all(
        most / 2 <= pause <= most
        for pause, most in zip(stopwatch.pauses, longest, strict=True)
    )
    assert len(stopwatch.pauses) >= 5
    assert all(p < most for p, most in zip(stopwatch.pauses, longest, strict=True))
    assert 10 < stopwatch.time < 15


def test_the_wait_that_the_vault_asks_for_is_kept(
    emulator, timed_vault, wrapped, stopwatch
):
    emulator.faults.throttle(2, retry_after=4)
    assert timed_vault.unwrap(wrapped) == SECRET
    assert stopwatch.pauses == [4, 4]


def test_a_wait_beyond_the_deadline_is_not_begun(
    emulator, timed_vault, wrapped, stopwatch
):
    emulator.faults.throttle(1, retry_after=3600)
    with pytest.raises(KeyVaultUnavailable):
        timed_vault.unwrap(wrapped)
    assert stopwatch.pauses == []


@pytest.mark.parametrize(
    "wait", [0, "-1", "soon", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT"]
)
def test_a_wait_that_is_none_becomes_our_own(
    emulator, timed_vault, wrapped, stopwatch, wait
):
    emulator.faults.throttle(1, retry_after=wait)
    assert timed_vault.unwrap(wrapped) == SECRET
    assert 0.125 <= stopwatch.pauses[0] <= 0.25


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failing_vault_is_asked_again(emulator, vault, wrapped, status):
    emulator.faults.fail(status, 2)
    assert vault.unwrap(wrapped) == SECRET


@pytest.mark.parametrize("status", [302, 402, 405, 413, 418])
def test_any_other_status_is_refused_at_once(emulator, vault, wrapped, status):
    emulator.faults.fail(status, 1)
    emulator.faults.counts.clear()
    with pytest.raises(KeyVaultRefused, match=f"HTTP {status}"):
        vault.unwrap(wrapped)
    assert emulator.faults.counts["unwrapkey"] == 1


def test_a_redirect_is_not_followed(emulator, vault, wrapped):
    stranger = f"{emulator.url}/keys/elsewhere/"
    emulator.faults.redirect(stranger)
    emulator.faults.counts.clear()
    with pytest.raises(KeyVaultRefused, match="HTTP 307"):
        vault.current_key("trial")
    assert emulator.faults.counts == {"get": 1}


def test_a_slow_vault_is_given_up_within_the_deadline(emulator, wrapped):
    vault = emulator.open_vault(timing=Timing(read=0.2, total=0.6, first_pause=0.02))
    vault.current_key("trial")
    emulator.faults.slow(30)
    started = time.monotonic()
    with pytest.raises(KeyVaultUnavailable):
        vault.unwrap(wrapped)
    assert time.monotonic() - started < 15, "it waited for the answer"
    emulator.faults.slow(0)
    assert vault.unwrap(wrapped) == SECRET
    vault.close()


def test_a_vault_that_went_away_is_unavailable_until_it_comes_back(emulator, wrapped):
    vault = emulator.open_vault(timing=Timing(total=0.3, first_pause=0.02))
    emulator.faults.go_down()
    with pytest.raises(KeyVaultUnavailable, match="cannot be reached"):
        vault.unwrap(wrapped)
    emulator.faults.come_back()
    assert vault.unwrap(wrapped) == SECRET
    vault.close()


def test_callers_beyond_the_clients_wait_their_turn_and_then_are_told(
    emulator, wrapped
):
    vault = emulator.open_vault(
        most_clients=1, timing=Timing(read=1, total=0.4, first_pause=0.02)
    )
    emulator.faults.slow(0.35, "unwrapkey")
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(vault.unwrap, wrapped) for _ in range(4)]
    errors = [call.exception() for call in calls]
    emulator.faults.slow(0)
    assert None in errors
    assert all(isinstance(e, KeyVaultUnavailable) for e in errors if e)
    assert any(errors)
    assert vault.unwrap(wrapped) == SECRET
    vault.close()
