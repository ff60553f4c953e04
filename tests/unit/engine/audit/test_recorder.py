"""The audit recorder: an event of now, described alone or made durable."""

import pytest

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import StoreUnavailable
from pseudo_service.engine.audit.recorder import AuditRecorder
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.stores.memory import MemoryJournal


class TestDescribe:
    def test_gives_the_event_of_now_and_writes_nothing(self) -> None:
        journal, clock = MemoryJournal(), FakeClock()
        recorder = AuditRecorder(journal, clock)
        clock.advance(hours=3)

        event = recorder.describe(
            AuditKind.BATCH_INTENT,
            actor="ingest",
            project="study-a",
            operation="run-0001",
            part=2,
        )

        assert event == AuditEvent(
            kind=AuditKind.BATCH_INTENT,
            at=clock.now(),
            actor="ingest",
            project="study-a",
            operation="run-0001",
            details={"part": 2},
        )
        assert journal.trail.events == []

    def test_kind_may_be_a_details_name_too(self) -> None:
        recorder = AuditRecorder(MemoryJournal(), FakeClock())
        event = recorder.describe(AuditKind.VALUES_INTENT, actor="a", kind="nhs_number")
        assert event.kind is AuditKind.VALUES_INTENT
        assert event.details == {"kind": "nhs_number"}


class TestRecord:
    def test_writes_what_it_returns(self) -> None:
        journal = MemoryJournal()
        recorder = AuditRecorder(journal, FakeClock())
        event = recorder.record(AuditKind.AUDIT_READ, actor="guardian", since=None)
        assert journal.trail.events == [event]
        assert (event.project, event.operation) == (None, None)

    def test_a_store_that_fails_is_heard_of(self) -> None:
        class Failing(MemoryJournal):
            def record(self, event: AuditEvent) -> None:
                del event
                raise StoreUnavailable("the database is locked; try again")

        with pytest.raises(StoreUnavailable):
            AuditRecorder(Failing(), FakeClock()).record(
                AuditKind.AUDIT_READ, actor="guardian"
            )
