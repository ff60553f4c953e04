"""Reading a project's part of the trail, and tracing one person through it."""

from datetime import timedelta

import numpy as np
import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import AuditEvent, AuditKind, encode_event
from pseudo_service.core.audit.reading import decode_event
from pseudo_service.core.errors import (
    AccessDenied,
    GrantRefused,
    IdentifierRefused,
    InvalidArgument,
    PurposeMissing,
)
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import AliasTable, PinnedAliases
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.request import Decision, LinkageVerb
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.project_audit import ProjectAudit
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


class Bench:
    """A trail of two chains, and who reads it."""

    def __init__(self, *stories: RequestEvents) -> None:
        self.clock = FakeClock(START + timedelta(days=1))
        self.log = MemoryAuditLog()
        self.journal = MemoryJournal()
        self.aliases = PinnedAliases()
        access_control = AccessControl(journal=self.journal, clock=self.clock)
        recorder = AuditRecorder(self.journal, self.clock)
        self.audit = ProjectAudit(
            log=self.log,
            recorder=recorder,
            clock=self.clock,
            access_control=access_control,
        )
        self.tracing = SubjectTrace(
            log=self.log,
            sealer=LinkageEventSealer(SERVICE_ROOT.derive(KeyUse.LINKAGE_RECORD)),
            codes=SubjectCodes(
                service_root=SERVICE_ROOT,
                rules=IdentifierRules(
                    accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
                ),
                read_aliases=lambda: self.aliases,
            ),
            access_control=access_control,
            recorder=recorder,
        )
        for story in stories:
            for place, event in enumerate(story.events):
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

    def trace(
        self, number: str = NUMBER, *, project: str = "asthma", actor: Actor = GUARDIAN
    ) -> SubjectReleases:
        return self.tracing.trace(
            number, kind="nhs_number", project=project, purpose=PURPOSE, actor=actor
        )


def test_a_guardian_reads_the_project_and_nothing_else() -> None:
    bench = Bench(
        RequestEvents(), RequestEvents(request_id="request-2", project="stroke")
    )
    bench.write("asthma", AuditKind.TABLE_FINISHED)
    bench.write("stroke", AuditKind.TABLE_FINISHED)
    bench.write(None, AuditKind.SERVICE_STARTED)
    assert {event.project for event in bench.read()} == {"asthma"}
    assert len(bench.read()) == 2


def test_the_reading_is_on_record_before_the_first_event_leaves() -> None:
    bench = Bench()
    bench.audit.read("asthma", since=START, until=None, actor=GUARDIAN)
    (event,) = bench.journal.trail.events
    assert event.kind is AuditKind.AUDIT_READ
    assert event.details == {"since": START.isoformat(), "until": None}


def test_a_translation_into_the_project_is_read_with_its_votes() -> None:
    story = RequestEvents(
        project="stroke", target_project="asthma", verb=LinkageVerb.TRANSLATE
    ).release("c0de")
    assert [event.kind for event in story.events] == sorted(
        (event.kind for event in Bench(story).read()),
        key=[event.kind for event in story.events].index,
    )


def test_the_first_vote_is_hidden_until_the_request_is_decided() -> None:
    story = RequestEvents().vote("officer-2", decision=Decision.REJECT)
    kinds = [event.kind for event in Bench(story).read(actor=AUDITOR)]
    assert kinds == [AuditKind.LINKAGE_SUBMITTED]
    story.vote("guardian-1", guardian_of=("asthma",))
    kinds = [event.kind for event in Bench(story).read()]
    assert kinds.count(AuditKind.LINKAGE_REVIEWED) == 2


def test_a_span_is_half_open() -> None:
    bench = Bench(RequestEvents().approve())
    hour = timedelta(hours=1)
    (event,) = bench.read(since=START + hour, until=START + 2 * hour)
    assert event.at == START + hour
    with pytest.raises(InvalidArgument):
        bench.read(since=START, until=START)


@pytest.mark.parametrize("role", ["guardian:stroke", "researcher:asthma", "custodian"])
def test_nobody_else_reads_it(role: str) -> None:
    bench = Bench(RequestEvents())
    with pytest.raises(AccessDenied):
        bench.read(actor=make_actor(role))
    with pytest.raises(AccessDenied):
        bench.trace(actor=make_actor(role))
    assert {e.kind for e in bench.journal.trail.events} == {AuditKind.CALL_REFUSED}


def test_a_trace_finds_the_releases_that_found_the_person() -> None:
    mine = RequestEvents(request_id="request-1").release("ffff", code_of(NUMBER))
    other = RequestEvents(request_id="request-2").release("ffff")
    late = RequestEvents(request_id="request-3", start=START - timedelta(days=9))
    bench = Bench(mine, other, late.release(code_of(NUMBER)))
    found = bench.trace(f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}")
    assert [one.request_id for one in found.releases] == ["request-3", "request-1"]
    assert found.releases[0].redeemer == "officer-1"
    assert not found.open_requests


def test_a_trace_is_on_record_without_the_number() -> None:
    bench = Bench()
    bench.trace()
    (event,) = bench.journal.trail.events
    assert event.kind is AuditKind.SUBJECT_TRACED
    assert event.details["subject_code"] == code_of(NUMBER)
    assert NUMBER not in encode_event(event)


def test_a_release_without_its_outcome_may_have_held_anybody() -> None:
    bench = Bench(RequestEvents().approve().begin_release())
    assert bench.trace().open_requests == ["request-1"]


def test_a_search_for_the_person_counts_although_it_found_nothing() -> None:
    story = RequestEvents(
        verb=LinkageVerb.LOCATE, subject_code=code_of(NUMBER)
    ).release()
    assert len(Bench(story).trace().releases) == 1


def test_only_an_auditor_traces_through_every_project() -> None:
    elsewhere = RequestEvents(project="stroke").release(code_of(NUMBER))
    bench = Bench(elsewhere)
    assert not bench.trace().releases
    assert len(bench.trace(project="", actor=AUDITOR).releases) == 1
    with pytest.raises(AccessDenied):
        bench.trace(project="")


@pytest.mark.parametrize("asked", [NUMBER, FORMER, OLDEST])
def test_a_person_is_found_under_every_number_they_had(asked: str) -> None:
    bench = Bench(
        RequestEvents(request_id="request-1").release(code_of(OLDEST)),
        RequestEvents(request_id="request-2").release(code_of(NUMBER)),
        RequestEvents(request_id="request-3").release("ffff"),
    )
    superseded = np.array([int(OLDEST), int(FORMER)])
    table = AliasTable.build(superseded, np.array([int(FORMER), int(NUMBER)]))
    bench.aliases = PinnedAliases(table=table, pin="aliases-1")
    found = bench.trace(asked).releases
    assert {one.request_id for one in found} == {"request-1", "request-2"}
    assert bench.journal.trail.events[0].details["other_numbers"] == 2


def test_a_forged_release_is_not_believed() -> None:
    story = RequestEvents().release("ffff")
    subjects = next(e for e in story.events if e.kind is AuditKind.LINKAGE_SUBJECTS)
    forged = dict(subjects.details) | {"codes": code_of(NUMBER)}
    place = story.events.index(subjects)
    story.events[place] = AuditEvent(
        kind=subjects.kind,
        at=subjects.at,
        actor=subjects.actor,
        project=subjects.project,
        operation=subjects.operation,
        details=forged,
    )
    with pytest.raises(GrantRefused):
        Bench(story).trace()


def test_what_is_no_number_is_refused_without_being_repeated() -> None:
    bench = Bench()
    with pytest.raises(IdentifierRefused) as refusal:
        bench.trace("9990000000")
    assert "9990000000" not in refusal.value.message
    assert not bench.journal.trail.events
    with pytest.raises(PurposeMissing):
        bench.tracing.trace(
            NUMBER, kind="nhs_number", project="asthma", purpose="", actor=GUARDIAN
        )


def test_a_vote_that_comes_while_the_trail_is_read_stays_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(RequestEvents(request_id="request-1"))
    story = RequestEvents(request_id="request-2").vote(
        "officer-2", decision=Decision.REJECT
    )
    chains, looks = bench.log.chains, iter(range(100))

    def name_chains() -> object:
        if next(looks) == 1:  # the requests were read; now their events are
            for event in story.events:
                bench.log.extend("chain-0", event)
        return chains()

    monkeypatch.setattr(bench.log, "chains", name_chains)
    kinds = {event.kind for event in bench.read()}
    assert kinds == {AuditKind.LINKAGE_SUBMITTED}
