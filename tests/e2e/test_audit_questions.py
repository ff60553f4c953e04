"""Questions to the audit trail of a running service, and what raises its suspicion."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pseudo_client.errors import AccessDenied, OracleSuspected
from pseudo_service.bootstrap.trust import read_audit_public_key
from pseudo_service.cli.main import run_command
from pseudo_service.core.access.enumeration import EnumerationSettings, EnumerationSign
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from tests.lib.services.service import OpenService, RunningService
from tests.lib.values.cohort import PURPOSE, make_cohort, make_numbers
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.trail import read_events

SCATTERED = [make_nhs_number(7_919 * place) for place in range(60)]


@pytest.fixture
def cli(service: RunningService, tmp_path: Path) -> list[str]:
    """Options that reach the service as an auditor."""
    (tmp_path / "token").write_text(service.issue("auditor", subject="auditor"))
    (tmp_path / "ca.pem").write_bytes(service.root_certificates)
    (tmp_path / "audit.pem").write_bytes(read_audit_public_key(service.config))
    return [
        *("--server", service.address),
        *("--ca", str(tmp_path / "ca.pem")),
        *("--token-file", str(tmp_path / "token")),
    ]


def test_a_guardian_reads_the_project_and_is_on_record(service: RunningService) -> None:
    service.deidentify(make_cohort(SCATTERED))
    service.deidentify(make_cohort(SCATTERED), "stroke")
    guardian = service.client("guardian:asthma", subject="guardian-1")
    events = [json.loads(e.body) for e in guardian.read_project_audit("asthma")]
    assert {event["project"] for event in events} == {"asthma"}
    kinds = {event["kind"] for event in events}
    assert {"table_opened", "batch_intent", "table_finished", "audit_read"} <= kinds
    with pytest.raises(AccessDenied):
        list(guardian.read_project_audit("stroke"))


def test_a_span_is_kept(service: RunningService) -> None:
    service.deidentify(make_cohort(SCATTERED))
    guardian = service.client("guardian:asthma")
    begin = service.clock.now()
    service.clock.advance(minutes=5)
    service.deidentify(make_cohort(SCATTERED))
    kinds = [
        json.loads(e.body)["kind"]
        for e in guardian.read_project_audit("asthma", since=begin)
    ]
    assert kinds.count("table_finished") == 1
    kinds = [
        json.loads(e.body)["kind"]
        for e in guardian.read_project_audit("asthma", until=begin)
    ]
    assert kinds.count("table_finished") == 1


def test_an_enumeration_by_unary_calls_is_told(service: RunningService) -> None:
    pipeline = service.pipeline()
    for number in make_numbers(500, 40):
        pipeline.pseudonymise(
            [number], kind="nhs_number", project="asthma", purpose=PURPOSE
        )
    assert service.telemetry.enumeration_signs[EnumerationSign.SEQUENTIAL] == 21
    (event,) = read_events(service.auditor(), "oracle_suspected")
    assert event["actor"].endswith("loader")
    assert event["details"]["in_runs"] == 20


@pytest.fixture
def blocking(
    monkeypatch: pytest.MonkeyPatch, open_service: OpenService
) -> RunningService:
    """A service whose deployment blocks what looks like trying out."""
    begin = EnumerationMonitor.__init__

    def begin_blocking(watch: EnumerationMonitor, **parts: Any) -> None:
        begin(watch, **{**parts, "settings": EnumerationSettings(block=True)})

    monkeypatch.setattr(EnumerationMonitor, "__init__", begin_blocking)
    return open_service()


def test_where_it_blocks_a_table_in_order_is_refused_before_an_answer(
    blocking: RunningService,
) -> None:
    numbers = make_numbers(500, 60)
    with pytest.raises(OracleSuspected):
        blocking.deidentify(make_cohort(numbers))
    kinds = {event["kind"] for event in read_events(blocking.auditor())}
    assert {"oracle_suspected", "table_failed"} <= kinds
    assert not {"batch_intent", "table_finished"} & kinds
    with pytest.raises(OracleSuspected):
        blocking.pipeline().pseudonymise(
            numbers, kind="nhs_number", project="asthma", purpose=PURPOSE
        )
    assert not read_events(blocking.auditor(), "values_intent")
    assert blocking.deidentify(make_cohort(SCATTERED)).num_rows == len(SCATTERED)


def test_records_far_apart_raise_no_suspicion(service: RunningService) -> None:
    service.deidentify(make_cohort(SCATTERED))
    service.pipeline().pseudonymise(
        SCATTERED, kind="nhs_number", project="asthma", purpose=PURPOSE
    )
    assert not service.telemetry.enumeration_signs


def test_the_rows_that_left_are_told_by_reason(service: RunningService) -> None:
    service.deidentify(make_cohort(SCATTERED))
    (event,) = read_events(service.auditor(), "table_finished")
    removed = {k: v for k, v in event["details"].items() if k.startswith("removed_")}
    assert sum(removed.values()) == (
        event["details"]["rows_in"] - event["details"]["rows_out"]
    )


def test_questions_without_requests_have_plain_answers(
    cli: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for command, answer in (
        (["releases", "--project", "asthma"], "Nobody was re-identified"),
        (["latency", "--project", "asthma"], "No request of this time"),
        (["open-intents", "--project", "asthma"], "Everything that was begun"),
        (["open-intents"], "Everything that was begun"),
    ):
        assert run_command(["audit", *command, *cli]) == 0
        assert answer in capsys.readouterr().out


def test_an_auditor_s_pack_says_that_the_trail_was_verified(
    service: RunningService, cli: list[str], tmp_path: Path
) -> None:
    service.deidentify(make_cohort(SCATTERED))
    service.auditor().checkpoint_audit()
    today = f"{service.clock.now():%Y-%m-%d}"
    pack = tmp_path / "pack"
    command = [
        *("audit", "evidence", "--project", "asthma", "--output", str(pack)),
        *("--from", today, "--to", today),
        *cli,
    ]
    proof = [
        *("--archive", str(service.config.archive_directory)),
        *("--audit-key", str(tmp_path / "audit.pem")),
    ]
    assert run_command([*command, *proof]) == 0
    assert "was verified and is sound" in (pack / "evidence.html").read_text()
    with (pack / "keys.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["version"] for row in csv.DictReader(file)] == ["1"]
    assert run_command([*command, *proof]) == 2  # never over an existing folder


def test_a_guardian_s_pack_says_that_it_was_not(
    service: RunningService, cli: list[str], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(service.issue("guardian:asthma"))
    pack = tmp_path / "pack"
    command = [
        *("audit", "evidence", "--project", "asthma", "--output", str(pack)),
        *("--from", "2026-01-01", "--to", "2026-03-31", *cli),
    ]
    proof = [
        *("--archive", str(service.config.archive_directory)),
        *("--audit-key", str(tmp_path / "audit.pem")),
    ]
    assert run_command([*command, *proof]) == 0
    page = (pack / "evidence.html").read_text()
    assert "was not verified for this pack" in page
    assert "may not read the whole trail" in page


def test_a_person_is_traced_without_the_number_on_the_command_line(
    service: RunningService,
    cli: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = tmp_path / "number.txt"
    number.write_text(SCATTERED[0])
    command = ["audit", "subject", "--purpose", "subject access request", *cli]
    assert run_command([*command, "--identifier-file", str(number)]) == 0
    assert "No release on record" in capsys.readouterr().out
    (event,) = read_events(service.auditor(), "subject_traced")
    assert SCATTERED[0] not in json.dumps(event)
    assert len(event["details"]["subject_code"]) == 32
