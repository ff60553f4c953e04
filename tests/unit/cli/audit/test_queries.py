"""What ``pseudo audit releases, latency, open-intents and subject`` print."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO

import pytest

import pseudo_client
from pseudo_client import SubjectHistory, SubjectRelease
from pseudo_service.cli.audit import queries
from pseudo_service.cli.main import run_command
from pseudo_service.core.audit.events import AuditEvent, link, start_chain
from pseudo_service.core.linkage.request import LinkageMode
from tests.lib.values.evidence import make_events
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.request_events import START, RequestEvents

NUMBER = make_nhs_number(4_321)


@dataclass
class FakeClient:
    """Hands out events, and remembers whom it was asked for."""

    events: Sequence[AuditEvent] = ()
    history: SubjectHistory = field(
        default_factory=lambda: SubjectHistory(releases=(), open_requests=())
    )
    traced: list[dict[str, str]] = field(default_factory=list)

    def export_audit(self) -> Iterator[pseudo_client.RecordedEvent]:
        for event in self.events:
            recorded = link(start_chain("worker"), event)
            yield pseudo_client.RecordedEvent(
                chain=recorded.chain,
                sequence=recorded.sequence,
                body=recorded.body,
                previous=recorded.previous,
                digest=recorded.digest,
            )

    def read_project_audit(self, project: str) -> Iterator[pseudo_client.RecordedEvent]:
        assert project == "asthma"
        return self.export_audit()

    def trace_subject(self, identifier: str, **asked: str) -> SubjectHistory:
        self.traced.append({"identifier": identifier, **asked})
        return self.history


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    fake = FakeClient(events=make_events())

    @contextmanager
    def connect(options: object, *, roles: Sequence[str]) -> Iterator[FakeClient]:
        assert list(roles) == ["auditor"]
        yield fake

    monkeypatch.setattr(queries, "connect", connect)
    return fake


def ask(*arguments: str) -> int:
    return run_command(["audit", *arguments])


def test_releases_are_told_in_words(
    client: FakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("releases", "--project", "asthma", "--from", "2026-01-01") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2026-03-02 12:01 reidentify in asthma found 2 of 2 asked for" in shown
    assert "reidentify in asthma, BREAK GLASS" in shown
    assert "(outcome not recorded) translate in asthma into stroke" in shown
    assert "officer-2: approve, guardian-1: approve" in shown
    assert "3 releases." in shown


def test_releases_of_a_span_as_json(
    client: FakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    span = ("--from", "2026-03-02", "--to", "2026-03-02")
    assert ask("releases", "--project", "asthma", *span, "--json") == 0
    (release,) = json.loads(capsys.readouterr().out)
    assert release["request"] == "recall-1"
    assert release["outcomes"] == {"found": 2}
    assert release["fetched_again"] == 1
    assert [each["reviewer"] for each in release["reviewers"]] == [
        "officer-2",
        "guardian-1",
    ]


def test_open_matters_exit_with_1_and_are_named(
    client: FakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("open-intents", "--project", "asthma", "--json") == 1
    found = {m["operation"]: m["what"] for m in json.loads(capsys.readouterr().out)}
    assert found == {
        "emergency-1": "awaiting_second_review",
        "translated-1": "linkage_release_intent",
    }
    assert ask("open-intents") == 1
    assert "awaiting second" in capsys.readouterr().out


def test_latency_is_told_by_step_and_mode(
    client: FakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("latency", "--project", "asthma", "--json") == 0
    steps = {
        (each["step"], each["mode"]): each
        for each in json.loads(capsys.readouterr().out)
    }
    routine = steps["submission to release", LinkageMode.ROUTINE]
    assert routine["requests"] == 2
    assert routine["median_seconds"] == 3 * 3600 + 60
    assert ("submission to release", LinkageMode.BREAK_GLASS) in steps
    assert ask("latency", "--project", "asthma", "--to", "2025-01-01") == 0
    assert "No request of this time" in capsys.readouterr().out
    assert ask("latency", "--project", "asthma") == 0
    assert "9 of 10 within" in capsys.readouterr().out


def test_a_person_s_number_comes_from_standard_input_only(
    client: FakeClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(NUMBER + "\n"))
    client.history = SubjectHistory(
        releases=(
            SubjectRelease(
                request_id="recall-1",
                verb="reidentify",
                project="asthma",
                target_project="",
                released_at=START + timedelta(hours=3),
                redeemer="officer-1",
                purpose="recall",
            ),
        ),
        open_requests=("translated-1",),
    )
    assert ask("subject", "--purpose", "access request") == 0
    shown = capsys.readouterr().out
    assert NUMBER not in shown
    assert "recall-1" in shown
    assert "translated-1" in shown
    assert client.traced == [
        {
            "identifier": NUMBER,
            "kind": "nhs_number",
            "purpose": "access request",
            "project": "",
        }
    ]
    assert ask("subject", NUMBER, "--purpose", "access request") == 2
    assert NUMBER not in capsys.readouterr().err


def test_a_trace_as_json_has_stable_keys(
    client: FakeClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(NUMBER))
    assert ask("subject", "--purpose", "access request", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"releases": [], "open_requests": []}


def test_a_day_that_is_none_is_wrong_usage(client: FakeClient) -> None:
    assert ask("releases", "--project", "asthma", "--from", "yesterday") == 2


def test_an_event_that_cannot_be_read_is_a_fault(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = RequestEvents().events[0]
    details = {k: v for k, v in broken.details.items() if k != "verb"}
    client.events = [
        AuditEvent(
            kind=broken.kind,
            at=broken.at,
            actor=broken.actor,
            project="asthma",
            operation="request-1",
            details=details,
        )
    ]
    assert ask("releases", "--project", "asthma") == 1
