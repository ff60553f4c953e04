"""A data key in hand: made when needed, replaced when old, kept through an outage."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pseudo_service.core.errors import KeyVaultRefused, KeyVaultUnavailable
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.engine.register.data_key_holder import DataKeyHolder
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryVault


class Harness:
    def __init__(self, lifetime: timedelta | None) -> None:
        self.vault = MemoryVault()
        self.vault.create_key("linkage")
        self.clock = FakeClock()
        self.holder = DataKeyHolder(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy(),
            lifetime=lifetime,
        )


@pytest.fixture
def half_a_day() -> Harness:
    return Harness(timedelta(hours=12))


@pytest.fixture
def one_run() -> Harness:
    return Harness(None)


def test_no_key_is_made_before_it_is_needed(half_a_day: Harness) -> None:
    assert half_a_day.holder.rows == []
    assert "wrap" not in half_a_day.vault.asked
    held = half_a_day.holder.current()
    assert half_a_day.holder.rows == [held.row]


def test_the_row_holds_the_key_wrapped_for_linkage(half_a_day: Harness) -> None:
    held = half_a_day.holder.current()
    assert held.row.wrapping_key_id == "memory/linkage/1"
    assert held.row.created_at == half_a_day.clock.now()
    wrapped = Wrapped(key_id=held.row.wrapping_key_id, ciphertext=held.row.wrapped)
    secret = SecretKey(half_a_day.vault.unwrap(wrapped))
    assert secret.reveal() == held.key.reveal()


def test_a_key_is_replaced_at_the_end_of_its_life(half_a_day: Harness) -> None:
    first = half_a_day.holder.current()
    half_a_day.clock.advance(hours=11, minutes=59)
    assert half_a_day.holder.current() is first
    half_a_day.clock.advance(minutes=1)
    second = half_a_day.holder.current()
    assert second.row.data_key_id != first.row.data_key_id
    assert second.key.reveal() != first.key.reveal()
    assert half_a_day.holder.rows == [second.row]


def test_a_key_of_a_clock_that_was_ahead_is_replaced(half_a_day: Harness) -> None:
    half_a_day.clock.advance(days=400)
    ahead = half_a_day.holder.current()
    half_a_day.clock.advance(days=-400)
    assert half_a_day.holder.current().row.data_key_id != ahead.row.data_key_id


def test_the_key_of_a_run_is_never_replaced(one_run: Harness) -> None:
    first = one_run.holder.current()
    one_run.clock.advance(days=400)
    assert one_run.holder.current() is first


def test_an_outage_prolongs_a_key_but_a_refusal_does_not(half_a_day: Harness) -> None:
    first = half_a_day.holder.current()
    half_a_day.clock.advance(hours=13)
    half_a_day.vault.down = True
    assert half_a_day.holder.current() is first
    half_a_day.vault.down = False

    def refuse(name: str, secret: bytes) -> Wrapped:
        msg = "the key is disabled"
        raise KeyVaultRefused(msg)

    half_a_day.vault.wrap = refuse  # type: ignore[method-assign]
    with pytest.raises(KeyVaultRefused):
        half_a_day.holder.current()


def test_without_a_key_in_hand_an_outage_is_told(half_a_day: Harness) -> None:
    half_a_day.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        half_a_day.holder.current()
    assert half_a_day.holder.rows == []


def test_threads_that_need_a_key_at_once_share_one(half_a_day: Harness) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: half_a_day.holder.current(), range(50)))
    assert len({held.row.data_key_id for held in taken}) == 1
    assert half_a_day.vault.asked.count("wrap") == 1


def test_no_data_key_is_printed(half_a_day: Harness) -> None:
    held = half_a_day.holder.current()
    shown = repr(held) + repr(vars(half_a_day.holder))
    assert held.key.reveal().hex() not in shown
    assert repr(held.key.reveal())[2:-1] not in shown
