"""Tracing one person through the trail."""

from datetime import timedelta

import numpy as np
import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import AuditEvent, AuditKind, encode_event
from pseudo_service.core.errors import (
    AccessDenied,
    GrantRefused,
    IdentifierRefused,
    PurposeMissing,
)
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.request import LinkageVerb
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.audit.subject_codes import SubjectCodes
from pseudo_service.engine.audit.subject_trace import SubjectReleases, SubjectTrace
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.stores.memory import MemoryAuditLog, MemoryJournal
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.request_events import SERVICE_ROOT, START, RequestEvents

NHS_NUMBER = IdentifierKind.parse("nhs_number")
NUMBER = make_nhs_number(12_345)
FORMER, OLDEST = make_nhs_number(54_321), make_nhs_number(77_777)
PURPOSE = "subject access request"


def make_actor(*roles: str) -> Actor:
    grants = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(subject="local:somebody", grants=grants, expires_at=None)


GUARDIAN = make_actor("guardian:asthma")
AUDITOR = make_actor("auditor")


def code_of(number: str) -> str:
    key = SERVICE_ROOT.derive(KeyUse.SUBJECT_CODE, "nhs_number")
    return KeyedHash(key, NHS_NUMBER).mac_one(number).hex()


class TraceHarness:
    """A trail of two chains, in which people are traced."""

    def __init__(self, *requests: RequestEvents) -> None:
        self.clock = FakeClock(START + timedelta(days=1))
        self.log = MemoryAuditLog()
        self.journal = MemoryJournal()
        self.superseded = PinnedSupersededNumbers()
        access_control = AccessControl(journal=self.journal, clock=self.clock)
        self.tracing = SubjectTrace(
            log=self.log,
            sealer=LinkageEventSealer(SERVICE_ROOT.derive(KeyUse.LINKAGE_RECORD)),
            codes=SubjectCodes(
                service_root=SERVICE_ROOT,
                rules=IdentifierRules(
                    accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
                ),
                read_superseded=lambda: self.superseded,
            ),
            access_control=access_control,
            recorder=AuditRecorder(self.journal, self.clock),
        )
        for request in requests:
            for place, event in enumerate(request.events):
                self.log.extend(f"chain-{place % 2}", event)

    def trace(
        self, number: str = NUMBER, *, project: str = "asthma", actor: Actor = GUARDIAN
    ) -> SubjectReleases:
        return self.tracing.trace(
            number, kind="nhs_number", project=project, purpose=PURPOSE, actor=actor
        )


def test_a_trace_finds_the_releases_that_found_the_person() -> None:
    mine = RequestEvents(request_id="request-1").release("ffff", code_of(NUMBER))
    other = RequestEvents(request_id="request-2").release("ffff")
    late = RequestEvents(request_id="request-3", start=START - timedelta(days=9))
    harness = TraceHarness(mine, other, late.release(code_of(NUMBER)))
    found = harness.trace(f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}")
    assert [one.request_id for one in found.releases] == ["request-3", "request-1"]
    assert found.releases[0].redeemer == "officer-1"
    assert not found.open_requests


def test_a_trace_is_on_record_without_the_number() -> None:
    harness = TraceHarness()
    harness.trace()
    (event,) = harness.journal.trail.events
    assert event.kind is AuditKind.SUBJECT_TRACED
    assert event.details["subject_code"] == code_of(NUMBER)
    assert NUMBER not in encode_event(event)


def test_a_release_without_its_outcome_may_have_held_anybody() -> None:
    harness = TraceHarness(RequestEvents().approve().begin_release())
    assert harness.trace().open_requests == ["request-1"]


def test_a_search_for_the_person_counts_although_it_found_nothing() -> None:
    request = RequestEvents(
        verb=LinkageVerb.LOCATE, subject_code=code_of(NUMBER)
    ).release()
    assert len(TraceHarness(request).trace().releases) == 1


def test_only_an_auditor_traces_through_every_project() -> None:
    elsewhere = RequestEvents(project="stroke").release(code_of(NUMBER))
    harness = TraceHarness(elsewhere)
    assert not harness.trace().releases
    assert len(harness.trace(project="", actor=AUDITOR).releases) == 1
    with pytest.raises(AccessDenied):
        harness.trace(project="")


@pytest.mark.parametrize("asked", [NUMBER, FORMER, OLDEST])
def test_a_person_is_found_under_every_number_they_had(asked: str) -> None:
    harness = TraceHarness(
        RequestEvents(request_id="request-1").release(code_of(OLDEST)),
        RequestEvents(request_id="request-2").release(code_of(NUMBER)),
        RequestEvents(request_id="request-3").release("ffff"),
    )
    superseded = np.array([int(OLDEST), int(FORMER)])
    table = SupersededNumbers.build(superseded, np.array([int(FORMER), int(NUMBER)]))
    harness.superseded = PinnedSupersededNumbers(table=table, pin="aliases-1")
    found = harness.trace(asked).releases
    assert {one.request_id for one in found} == {"request-1", "request-2"}
    assert harness.journal.trail.events[0].details["other_numbers"] == 2


def test_a_forged_release_is_not_believed() -> None:
    request = RequestEvents().release("ffff")
    subjects = next(e for e in request.events if e.kind is AuditKind.LINKAGE_SUBJECTS)
    forged = dict(subjects.details) | {"codes": code_of(NUMBER)}
    place = request.events.index(subjects)
    request.events[place] = AuditEvent(
        kind=subjects.kind,
        at=subjects.at,
        actor=subjects.actor,
        project=subjects.project,
        operation=subjects.operation,
        details=forged,
    )
    with pytest.raises(GrantRefused):
        TraceHarness(request).trace()


def test_what_is_no_number_is_refused_without_being_repeated() -> None:
    harness = TraceHarness()
    with pytest.raises(IdentifierRefused) as refusal:
        harness.trace("9990000000")
    assert "9990000000" not in refusal.value.message
    assert not harness.journal.trail.events
    with pytest.raises(PurposeMissing):
        harness.tracing.trace(
            NUMBER, kind="nhs_number", project="asthma", purpose="", actor=GUARDIAN
        )


@pytest.mark.parametrize("role", ["guardian:stroke", "researcher:asthma", "custodian"])
def test_nobody_else_traces(role: str) -> None:
    harness = TraceHarness(RequestEvents())
    with pytest.raises(AccessDenied):
        harness.trace(actor=make_actor(role))
    assert {e.kind for e in harness.journal.trail.events} == {AuditKind.CALL_REFUSED}
