"""What the audit trail says of a stream, and whom it says were released."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    KeyVaultRefused,
    KeyVaultUnavailable,
    StoreUnavailable,
)
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.tables.batch_values import BatchOutcome
from pseudo_service.core.tables.quality import TableTally
from pseudo_service.core.tables.row_removal import Removals
from pseudo_service.engine.tables import batch_commit
from pseudo_service.engine.tables.stream_record import StreamRecord
from tests.lib.harnesses.table_streams import OPERATION, PROJECT, StreamHarness
from tests.lib.stores.memory import HeldCommit
from tests.lib.values.nhs_numbers import make_nhs_number

PEOPLE = [make_nhs_number(seed) for seed in range(1, 5)]
TALLY = TableTally(rows_in=5, rows_out=4, removed={"opt_out": 1})


@dataclass
class Recording:
    """A stream's record over stores in memory, and what they were given."""

    harness: StreamHarness
    record: StreamRecord

    @property
    def events(self) -> list[Any]:
        return self.harness.trail.events

    def disclosures(self) -> list[tuple[str, int, int]]:
        """Return use, key version and number of people of each that is durable."""
        return [
            (each.use.value, each.key_version, each.count)
            for commit in self.harness.journal.commits
            if commit.change is not None
            for each in commit.change.disclosures
        ]


def begin(*, previous: int = 0, part: int = 2) -> Recording:
    harness = StreamHarness()
    facts = harness.open(part=part).facts
    pins = replace(facts.pins, key_version=3, previous_key_version=previous)
    harness.trail.events.clear()
    record = StreamRecord(
        replace(facts, pins=pins),
        commit=harness.services.commit,
        recorder=harness.services.recorder,
        previous_kinds=frozenset({"nhs_number"}),
    )
    return Recording(harness, record)


def identify(harness: StreamHarness, *numbers: str) -> Identities:
    canonical = pa.array(numbers, pa.string())
    blind: np.ndarray = harness.hash_blindly().mac(canonical)
    return Identities(kind=NHS_NUMBER, canonical=canonical, blind=blind)


def answer(named: list[Identities], dated: list[Identities] | None = None) -> Any:
    return BatchOutcome(
        batch=pa.record_batch({"place": [0, 1, 2]}),
        rows_in=4,
        removals=Removals.begin(4),
        cells={},
        found={},
        rejected=[],
        identities=named,
        dated=dated or [],
    )


def break_vault(held: Recording, error: type[Exception]) -> None:
    def refuse(name: str, secret: bytes) -> None:
        del name, secret
        msg = "no"
        raise error(msg)

    held.harness.vault.wrap = refuse  # type: ignore[method-assign,assignment]


def test_an_intent_says_how_many_and_never_who() -> None:
    held = begin()
    named = [identify(held.harness, *PEOPLE[:2])]
    event = held.record.describe_batch(7, "0a" * 16, answer(named))
    assert event.kind.value == "batch_intent"
    assert (event.actor, event.project, event.operation) == (
        "loader",
        PROJECT,
        OPERATION,
    )
    assert event.details == {
        "part": 2,
        "batch": 7,
        "rows_in": 4,
        "rows_out": 3,
        "identities": 2,
        "input": "0a" * 16,
    }
    assert held.events == []  # it is committed with the batch, not before


def test_a_finished_table_is_recorded_with_everybody_once() -> None:
    held = begin()
    one, two = identify(held.harness, *PEOPLE[:2]), identify(held.harness, *PEOPLE[1:3])
    held.record.collect_released(answer([one], [identify(held.harness, PEOPLE[3])]))
    held.record.collect_released(answer([two]))
    assert held.disclosures() == []
    held.record.record_finished(TALLY, batches=2, receipt="0b" * 32)
    assert sorted(held.disclosures()) == [("dates", 3, 1), ("pseudonym", 3, 3)]
    (event,) = held.events
    assert event.kind.value == "table_finished"
    assert event.details == {
        "part": 2,
        "rows_in": 5,
        "rows_out": 4,
        "batches": 2,
        "removed_opt_out": 1,
        "receipt": "0b" * 32,
        "membership": "recorded",
    }


def test_a_table_that_released_nobody_is_recorded_all_the_same() -> None:
    held = begin()
    held.record.record_finished(TableTally(), batches=0, receipt="")
    assert held.disclosures() == []
    assert [event.kind.value for event in held.events] == ["table_finished"]


def test_old_pseudonyms_release_people_under_the_version_before_too() -> None:
    held = begin(previous=2)
    named, dated = (
        identify(held.harness, *PEOPLE[:2]),
        identify(held.harness, PEOPLE[2]),
    )
    held.record.collect_released(answer([named], [dated]))
    held.record.record_finished(TALLY, batches=1, receipt="")
    assert sorted(held.disclosures()) == [
        ("dates", 3, 1),
        ("pseudonym", 2, 2),
        ("pseudonym", 3, 2),
    ]


def test_many_people_are_recorded_before_the_end_and_not_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class SmallCollector(batch_commit.DisclosureCollector):
        def __init__(self, **facts: Any) -> None:
            super().__init__(**facts, most=2)

    monkeypatch.setattr(batch_commit, "DisclosureCollector", SmallCollector)
    held = begin()
    held.record.collect_released(answer([identify(held.harness, PEOPLE[0])]))
    assert held.events == []
    held.record.collect_released(answer([identify(held.harness, *PEOPLE[:2])]))
    assert [event.kind.value for event in held.events] == ["membership_recorded"]
    assert held.events[0].details == {"part": 2}
    held.record.record_finished(TALLY, batches=2, receipt="")
    assert held.disclosures() == [("pseudonym", 3, 2)]


def test_a_failed_table_keeps_whoever_may_have_left() -> None:
    held = begin()
    held.record.collect_released(answer([identify(held.harness, *PEOPLE[:2])]))
    held.record.record_failed("CANCELLED", batches=1)
    (event,) = held.events
    assert event.kind.value == "table_failed"
    assert event.details == {
        "part": 2,
        "code": "CANCELLED",
        "batches": 1,
        "membership": "recorded",
    }
    assert held.disclosures() == [("pseudonym", 3, 2)]


def test_a_second_end_says_that_people_were_recorded_before() -> None:
    held = begin()
    held.record.collect_released(answer([identify(held.harness, PEOPLE[0])]))
    held.record.record_finished(TALLY, batches=1, receipt="")
    held.record.record_failed("CANCELLED", batches=1)
    told = [event.details["membership"] for event in held.events]
    assert told == ["recorded", "recorded_before"]
    assert len(held.disclosures()) == 1


@pytest.mark.parametrize("error", [KeyVaultUnavailable, KeyVaultRefused])
def test_where_people_cannot_be_sealed_the_failure_says_so(
    error: type[Exception],
) -> None:
    held = begin()
    held.record.collect_released(answer([identify(held.harness, PEOPLE[0])]))
    break_vault(held, error)
    held.record.record_failed("KEY_VAULT_UNAVAILABLE", batches=1)
    (event,) = held.events
    assert event.kind.value == "table_failed"
    assert event.details["code"] == "KEY_VAULT_UNAVAILABLE"
    assert event.details["part"] == 2
    assert event.details["membership"] == "missing"
    assert held.disclosures() == []


def test_a_finished_table_is_never_recorded_without_its_people() -> None:
    held = begin()
    held.record.collect_released(answer([identify(held.harness, PEOPLE[0])]))
    break_vault(held, KeyVaultUnavailable)
    with pytest.raises(KeyVaultUnavailable):
        held.record.record_finished(TALLY, batches=1, receipt="")
    assert held.events == []


def test_a_store_that_is_down_does_not_hide_why_a_stream_failed() -> None:
    held = begin()

    def refuse(change: object) -> HeldCommit:
        commit = HeldCommit()
        commit.fail(StoreUnavailable(f"no {type(change).__name__}"))
        return commit

    held.harness.journal.submit = refuse  # type: ignore[method-assign,assignment]
    held.record.record_failed("INTERNAL", batches=0)
    assert held.events == []
    with pytest.raises(StoreUnavailable):
        held.record.record_finished(TALLY, batches=0, receipt="")
