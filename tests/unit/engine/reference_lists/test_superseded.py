"""Loading superseded numbers, and those in force."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import AccessDenied, AliasTableRefused
from pseudo_service.core.identifiers.kinds import ChiInNhsColumn, IdentifierRules
from pseudo_service.core.identifiers.superseded import NOTHING_PINNED
from pseudo_service.core.keys.material import Root, RootPurpose, SecretKey
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.reference_lists import superseded
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.ports.superseded import SupersededList
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal
from tests.lib.values.cohort import make_numbers

ROOT = Root(
    owner="_service", version=1, purpose=RootPurpose.SERVICE, key=SecretKey(b"s" * 32)
)
CUSTODIAN = Actor(
    subject="ada", grants=frozenset({RoleGrant.parse("custodian")}), expires_at=None
)
AUDITOR = replace(CUSTODIAN, grants=frozenset({RoleGrant.parse("auditor")}))
NUMBERS = make_numbers(90_000, 6)


class MemorySuperseded:
    """``SupersededStore``; what it holds may be tampered with."""

    def __init__(self) -> None:
        self.facts: list[SupersededList] = []
        self.sealed: dict[str, list[bytes]] = {}
        self.events: list[AuditEvent] = []
        self.reads = 0

    def load(
        self, facts: SupersededList, sealed: Iterator[bytes], audit: AuditEvent
    ) -> None:
        self.facts.append(facts)
        self.sealed[facts.list_id] = list(sealed)
        self.events.append(audit)

    def newest(self) -> SupersededList | None:
        return self.facts[-1] if self.facts else None

    def read(self, list_id: str) -> Iterator[bytes]:
        self.reads += 1
        yield from self.sealed[list_id]


class Harness:
    def __init__(self) -> None:
        self.store, clock = MemorySuperseded(), FakeClock()
        self.lists = SupersededLists(
            store=self.store,
            service_root=ROOT,
            rules=IdentifierRules(
                accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
            ),
            clock=clock,
            entropy=SeededEntropy(),
            access_control=AccessControl(journal=MemoryJournal(), clock=clock),
        )

    def load(
        self,
        *chunks: tuple[Sequence[str], Sequence[str]],
        entries: int | None = None,
        actor: Actor = CUSTODIAN,
    ) -> SupersededList:
        announced = sum(len(former) for former, _ in chunks)
        return self.lists.load(
            entries=announced if entries is None else entries,
            chunks=chunks,
            actor=actor,
        )

    def substitute(self) -> list[str]:
        table = self.lists.current().table
        return table.substitute(pa.array(NUMBERS)).to_pylist()


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_before_any_list_every_number_stands_for_itself(harness: Harness) -> None:
    assert harness.lists.current() is NOTHING_PINNED
    assert harness.substitute() == NUMBERS


def test_a_loaded_list_is_in_force_at_once(harness: Harness) -> None:
    facts = harness.load((NUMBERS[:1], NUMBERS[1:2]), (NUMBERS[2:4], [NUMBERS[0], " "]))
    assert (facts.merged, facts.reissued) == (2, 1)
    expected = [NUMBERS[1], NUMBERS[1], NUMBERS[1], *NUMBERS[3:]]
    assert harness.substitute() == expected
    pinned = harness.lists.current()
    assert pinned.table.find_reissued(pa.array(NUMBERS)).tolist() == [
        number == NUMBERS[3] for number in NUMBERS
    ]
    assert pinned.pin == f"{facts.list_id}:{facts.digest.hex()[:16]}"


def test_an_empty_list_withdraws_the_one_before(harness: Harness) -> None:
    harness.load((NUMBERS[:1], NUMBERS[1:2]))
    harness.load()
    assert harness.substitute() == NUMBERS


def test_a_list_is_opened_once(harness: Harness) -> None:
    harness.load((NUMBERS[:1], NUMBERS[1:2]))
    first = harness.lists.current()
    assert harness.lists.current() is first
    assert harness.store.reads == 1


def test_no_number_is_stored_in_the_clear_or_on_record(harness: Harness) -> None:
    facts = harness.load((NUMBERS[:3], NUMBERS[3:]))
    kept = repr(facts) + repr(harness.store.events)
    kept += b"".join(harness.store.sealed[facts.list_id]).decode("latin-1")
    assert not [number for number in NUMBERS if number in kept]


@pytest.mark.parametrize(
    ("former", "current", "why"),
    [
        (
            [NUMBERS[0], ""],
            [NUMBERS[1], NUMBERS[2]],
            "superseded number is not a valid",
        ),
        ([NUMBERS[0]], ["9990441538"], "current number is not a valid"),
        ([NUMBERS[0]], [NUMBERS[0]], "replaces itself"),
    ],
)
def test_a_faulty_entry_is_refused_by_its_position(
    harness: Harness, former: list[str], current: list[str], why: str
) -> None:
    with pytest.raises(AliasTableRefused, match=why) as refused:
        harness.load((former, current))
    assert not [number for number in NUMBERS if number in str(refused.value)]
    assert harness.store.facts == []


@pytest.mark.parametrize("entries", [0, 2])
def test_another_count_than_announced_is_refused(
    harness: Harness, entries: int
) -> None:
    with pytest.raises(AliasTableRefused, match=f"1 of {entries} announced"):
        harness.load((NUMBERS[:1], NUMBERS[1:2]), entries=entries)


def test_more_entries_than_memory_takes_are_refused_unread(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(superseded, "MOST_ENTRIES", 5)

    def read_nothing() -> Iterator[tuple[Sequence[str], Sequence[str]]]:
        pytest.fail("the entries were read")
        yield [], []

    with pytest.raises(AliasTableRefused, match="at most 5"):
        harness.lists.load(entries=6, chunks=read_nothing(), actor=CUSTODIAN)


def test_only_a_custodian_loads(harness: Harness) -> None:
    with pytest.raises(AccessDenied):
        harness.load((NUMBERS[:1], NUMBERS[1:2]), actor=AUDITOR)


@pytest.mark.parametrize("what", ["chunk", "gone", "count", "digest"])
def test_a_list_that_was_edited_in_the_database_is_refused(
    harness: Harness, what: str
) -> None:
    facts = harness.load((NUMBERS[:1], NUMBERS[1:2]))
    sealed = harness.store.sealed[facts.list_id]
    match what:
        case "chunk":
            sealed[0] = sealed[0][:-1] + bytes([sealed[0][-1] ^ 1])
        case "gone":
            sealed.clear()
        case "count":
            harness.store.facts[-1] = replace(facts, merged=2)
        case _:
            harness.store.facts[-1] = replace(facts, digest=bytes(32))
    with pytest.raises(AliasTableRefused, match="not the one that was loaded"):
        harness.lists.current()
