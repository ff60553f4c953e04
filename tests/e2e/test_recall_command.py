"""``pseudo opt-outs recall`` against a service with both duties."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from pseudo_client import OptOuts, PseudoClientError
from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.main import run_command
from tests.lib.services.service import RunningService
from tests.lib.services.wire import TableWire, make_header, make_message
from tests.lib.values.cohort import PURPOSE, make_batch, make_cohort, make_numbers

NUMBERS = make_numbers(81_000, 6)


@pytest.fixture
def kidney(service: RunningService) -> RunningService:
    """A service whose project released six people, two of them opted out since."""
    service.create_project(
        "kidney",
        opt_outs=OptOuts(
            application="applied", legal_basis="section 251", uncheckable="remove"
        ),
    )
    load(service, make_numbers(82_000, 1))
    return service


def load(service: RunningService, numbers: list[str]) -> None:
    service.custodian().load_opt_outs(
        kind="opt_out",
        expires_at=service.clock.now() + timedelta(days=7),
        entries=len(numbers),
        chunks=[numbers],
    )


def release(service: RunningService) -> list[str]:
    pseudonyms: list[str] = service.deidentify(make_cohort(NUMBERS), "kidney")[
        "patient"
    ].to_pylist()
    load(service, NUMBERS[:2])
    return sorted(pseudonyms[:2])


def recall(service: RunningService, folder: Path, *more: str) -> int:
    (folder / "token").write_text(
        service.issue("linkage_officer:kidney", subject="officer")
    )
    (folder / "ca.pem").write_bytes(service.root_certificates)
    command = ["opt-outs", "recall", "--project", "kidney", "--purpose", PURPOSE]
    reach = ["--server", service.address, "--ca", str(folder / "ca.pem")]
    token = ["--token-file", str(folder / "token")]
    return run_command([*command, *reach, *token, *more])


def test_pseudonyms_are_written_to_a_file_of_the_owners(
    kidney: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pseudonyms = release(kidney)
    output = tmp_path / "recall.csv"
    assert recall(kidney, tmp_path, "--output", str(output)) == ExitCode.OK
    assert output.read_text().split() == ["pseudonym", *pseudonyms]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "6 NHS numbers released" in shown.err
    assert "2 pseudonyms to recall" in shown.err
    assert not any(number in shown.err for number in NUMBERS)


def test_pseudonyms_alone_go_to_standard_output(
    kidney: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pseudonyms = release(kidney)
    assert recall(kidney, tmp_path) == ExitCode.OK
    assert capsys.readouterr().out.split() == ["pseudonym", *pseudonyms]


def test_what_is_not_accounted_for_is_a_fault(
    kidney: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pseudonyms = release(kidney)
    stream = TableWire(kidney, project="kidney").send(
        make_header(project="kidney", operation_id="still-running"),
        make_message(0, make_batch(NUMBERS[3:])),
    )
    stream.open()
    stream.receive()
    assert recall(kidney, tmp_path) == ExitCode.FAULTS_FOUND
    shown = capsys.readouterr()
    assert shown.out.split() == ["pseudonym", *pseudonyms]
    assert "not accounted for: still-running part 0" in shown.err
    stream.cancel()


def test_a_refused_recall_leaves_the_file_as_it_was(
    kidney: RunningService, tmp_path: Path
) -> None:
    output = tmp_path / "recall.csv"
    output.write_text("of last week")
    kidney.clock.advance(days=8)
    assert recall(kidney, tmp_path, "--output", str(output)) == ExitCode.REFUSED
    assert output.read_text() == "of last week"
    assert not list(tmp_path.glob(".*"))


def test_nobody_else_may_recall(kidney: RunningService) -> None:
    taken: list[str] = []
    for role in ("custodian", "auditor", "pipeline:kidney", "guardian:kidney"):
        with pytest.raises(PseudoClientError) as caught:
            kidney.client(role, subject=role).recall_opt_outs(
                "kidney", purpose=PURPOSE, take=taken.extend
            )
        assert caught.value.code == "ACCESS_DENIED"
    assert taken == []
