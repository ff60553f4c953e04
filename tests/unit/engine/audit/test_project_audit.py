"""Reading a project's part of the trail."""

from datetime import timedelta

import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.audit.reading import decode_event
from pseudo_service.core.errors import (
    AccessDenied,
    InvalidArgument,
)
from pseudo_service.core.identifiers.kinds import (
    IdentifierKind,
)
from pseudo_service.core.linkage.request import Decision, LinkageVerb
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.project_audit import ProjectAudit
from pseudo_service.engine.audit.recorder import AuditRecorder
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.stores.memory import MemoryAuditLog, MemoryJournal
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.request_events import START, RequestEvents

NHS_NUMBER = IdentifierKind.parse("nhs_number")
NUMBER = make_nhs_number(12_345)
FORMER, OLDEST = make_nhs_number(54_321), make_nhs_number(77_777)
PURPOSE = "subject access request"


def make_actor(*roles: str) -> Actor:
    grants = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(subject="local:somebody", grants=grants, expires_at=None)


GUARDIAN = make_actor("guardian:asthma")
AUDITOR = make_actor("auditor")


class AuditHarness:
    """A trail of two chains, and who reads it."""

    def __init__(self, *requests: RequestEvents) -> None:
        self.clock = FakeClock(START + timedelta(days=1))
        self.log = MemoryAuditLog()
        self.journal = MemoryJournal()
        access_control = AccessControl(journal=self.journal, clock=self.clock)
        self.audit = ProjectAudit(
            log=self.log,
            recorder=AuditRecorder(self.journal, self.clock),
            clock=self.clock,
            access_control=access_control,
        )
        for request in requests:
            for place, event in enumerate(request.events):
                self.log.extend(f"chain-{place % 2}", event)

    def write(self, project: str | None, kind: AuditKind) -> None:
        event = AuditEvent(
            kind=kind, at=START, actor="loader", project=project, details={}
        )
        self.log.extend("chain-0", event)

    def read(self, actor: Actor = GUARDIAN, **span: object) -> list[AuditEvent]:
        span = {"since": None, "until": None, **span}
        found = self.audit.read("asthma", actor=actor, **span)  # type: ignore[arg-type]
        return [decode_event(each.body) for each in found]


def test_a_guardian_reads_the_project_and_nothing_else() -> None:
    harness = AuditHarness(
        RequestEvents(), RequestEvents(request_id="request-2", project="stroke")
    )
    harness.write("asthma", AuditKind.TABLE_FINISHED)
    harness.write("stroke", AuditKind.TABLE_FINISHED)
    harness.write(None, AuditKind.SERVICE_STARTED)
    assert {event.project for event in harness.read()} == {"asthma"}
    assert len(harness.read()) == 2


def test_the_reading_is_on_record_before_the_first_event_leaves() -> None:
    harness = AuditHarness()
    harness.audit.read("asthma", since=START, until=None, actor=GUARDIAN)
    (event,) = harness.journal.trail.events
    assert event.kind is AuditKind.AUDIT_READ
    assert event.details == {"since": START.isoformat(), "until": None}


def test_a_translation_into_the_project_is_read_with_its_votes() -> None:
    request = RequestEvents(
        project="stroke", target_project="asthma", verb=LinkageVerb.TRANSLATE
    ).release("c0de")
    assert [event.kind for event in request.events] == sorted(
        (event.kind for event in AuditHarness(request).read()),
        key=[event.kind for event in request.events].index,
    )


def test_the_first_vote_is_hidden_until_the_request_is_decided() -> None:
    request = RequestEvents().vote("officer-2", decision=Decision.REJECT)
    kinds = [event.kind for event in AuditHarness(request).read(actor=AUDITOR)]
    assert kinds == [AuditKind.LINKAGE_SUBMITTED]
    request.vote("guardian-1", guardian_of=("asthma",))
    kinds = [event.kind for event in AuditHarness(request).read()]
    assert kinds.count(AuditKind.LINKAGE_REVIEWED) == 2


def test_a_span_is_half_open() -> None:
    harness = AuditHarness(RequestEvents().approve())
    hour = timedelta(hours=1)
    (event,) = harness.read(since=START + hour, until=START + 2 * hour)
    assert event.at == START + hour
    with pytest.raises(InvalidArgument):
        harness.read(since=START, until=START)


@pytest.mark.parametrize("role", ["guardian:stroke", "researcher:asthma", "custodian"])
def test_nobody_else_reads_it(role: str) -> None:
    harness = AuditHarness(RequestEvents())
    with pytest.raises(AccessDenied):
        harness.read(actor=make_actor(role))
    assert {e.kind for e in harness.journal.trail.events} == {AuditKind.CALL_REFUSED}


def test_a_vote_that_comes_while_the_trail_is_read_stays_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = AuditHarness(RequestEvents(request_id="request-1"))
    request = RequestEvents(request_id="request-2").vote(
        "officer-2", decision=Decision.REJECT
    )
    chains, looks = harness.log.chains, iter(range(100))

    def name_chains() -> object:
        if next(looks) == 1:  # the requests were read; now their events are
            for event in request.events:
                harness.log.extend("chain-0", event)
        return chains()

    monkeypatch.setattr(harness.log, "chains", name_chains)
    kinds = {event.kind for event in harness.read()}
    assert kinds == {AuditKind.LINKAGE_SUBMITTED}
