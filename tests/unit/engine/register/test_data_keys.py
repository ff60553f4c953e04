"""The register's data keys: each unwrapped once, late ones when they are asked for."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import pytest

from pseudo_service.core.errors import KeyVaultRefused, KeyVaultUnavailable, PseudoError
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.segments import (
    DataKeyRow,
    RegisterFault,
    RegisterFaultKind,
)
from pseudo_service.engine.register.data_keys import ParallelMap, RegisterKeys
from tests.lib.stores.memory import MemoryJournal

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Harness:
    """A register and a vault that refuses some keys."""

    def __init__(self, parallel_map: ParallelMap = map) -> None:
        self.journal = MemoryJournal()
        self.refused: set[str] = set()
        self.down = False
        self.asked: list[str] = []
        self.keys = RegisterKeys(
            register=self.journal, unwrap=self.unwrap, parallel_map=parallel_map
        )

    def add(self, *names: str) -> None:
        for name in names:
            self.journal.data_keys[name] = DataKeyRow(
                data_key_id=name, wrapping_key_id="v", wrapped=b"w", created_at=NOON
            )

    def unwrap(self, row: DataKeyRow) -> SecretKey | PseudoError:
        self.asked.append(row.data_key_id)
        if self.down:
            msg = "no answer"
            raise KeyVaultUnavailable(msg)
        if row.data_key_id in self.refused:
            return KeyVaultRefused("disabled")
        return SecretKey(row.data_key_id.encode().ljust(32, b"."))


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.add("one", "two")
    return made


def test_each_key_is_unwrapped_once(harness: Harness) -> None:
    assert harness.keys.load() == []
    assert harness.keys.load() == []
    for name in ("one", "two", "one"):
        key = harness.keys.find(name)
        assert key is not None
        assert key.reveal().startswith(name.encode())
    assert harness.asked == ["one", "two"]
    assert len(harness.keys) == 2


def test_a_refused_key_is_a_fault_and_the_others_open(harness: Harness) -> None:
    harness.refused = {"one"}
    (refusal,) = harness.keys.load()
    assert isinstance(refusal, KeyVaultRefused)
    fault = RegisterFaultKind.DATA_KEY_DOES_NOT_OPEN
    assert harness.keys.faults == [RegisterFault(fault=fault, where="one")]
    assert harness.keys.find("one") is None
    assert harness.keys.find("two") is not None
    assert len(harness.keys) == 1


def test_a_key_that_comes_later_is_found_and_is_not_early(harness: Harness) -> None:
    harness.keys.load()
    harness.add("late")
    assert harness.keys.find_early("late") is None
    assert harness.keys.find("late") is not None
    assert harness.keys.find_early("late") is None
    assert harness.keys.find_early("one") is not None


def test_an_unknown_key_is_looked_for_once(harness: Harness) -> None:
    harness.keys.load()
    assert harness.keys.find("nowhere") is None
    harness.add("nowhere")  # a row is committed with what it seals, never after
    assert harness.keys.find("nowhere") is None


def test_nothing_is_early_before_the_first_load(harness: Harness) -> None:
    assert harness.keys.find_early("one") is None


def test_an_outage_is_told_and_leaves_no_fault(harness: Harness) -> None:
    harness.keys.load()
    harness.add("late")
    harness.down = True
    with pytest.raises(KeyVaultUnavailable):
        harness.keys.find("late")
    assert harness.keys.faults == []


def test_answers_are_matched_to_rows_in_order() -> None:
    def backwards(
        function: Callable[[DataKeyRow], SecretKey | PseudoError],
        arguments: Iterable[DataKeyRow],
        /,
    ) -> Iterator[SecretKey | PseudoError]:
        answers = [function(row) for row in reversed([*arguments])]
        return reversed(answers)

    harness = Harness(backwards)  # type: ignore[arg-type] # of one type only
    harness.add("one", "two", "three")
    harness.keys.load()
    assert harness.asked == ["three", "two", "one"]
    key = harness.keys.find("three")
    assert key is not None
    assert key.reveal().startswith(b"three")


def test_no_key_is_printed(harness: Harness) -> None:
    harness.keys.load()
    assert repr(harness.keys) == "RegisterKeys(***)"
