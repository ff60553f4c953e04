"""``pseudo run`` and ``pseudo manifest verify`` against the real service."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.main import run_command
from tests.lib.harnesses.commands import arguments, verify
from tests.lib.harnesses.runs import read_output
from tests.lib.services.served import (
    ServedProcess,
    await_serving,
    describe_service,
    hold_free_port,
    write_config,
)
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers

ROWS = 1_000
CSV_POLICY = """
policy: asthma/csv@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  surname: {treatment: drop}
  admitted: {treatment: shift_date, formats: ["%Y-%m-%d"]}
"""


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "extract.parquet"
    pq.write_table(make_cohort(make_numbers(1, ROWS)), path)
    return path


def test_a_run_is_what_the_service_signed(
    shared_service: RunningService,
    extract: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = arguments(shared_service, tmp_path, extract)
    assert run_command([*asked, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["rows_in"], summary["rows_out"], summary["parts"]) == (
        ROWS,
        ROWS,
        7,
    )
    released = read_output(tmp_path / "released")
    assert released["score"].to_pylist() == [row % 100 for row in range(ROWS)]
    assert verify(shared_service, tmp_path) == 0
    assert "1,000 rows in 7 parts" in capsys.readouterr().out


def test_a_changed_cell_is_found(
    shared_service: RunningService,
    extract: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(arguments(shared_service, tmp_path, extract)) == 0
    part = tmp_path / "released" / "part-00000-00002.parquet"
    table = pq.read_table(part)
    scores = [*table["score"].to_pylist()[:-1], 7_777]
    at = table.column_names.index("score")
    pq.write_table(table.set_column(at, "score", pa.array(scores, pa.int32())), part)
    assert verify(shared_service, tmp_path) == 1
    assert "part-00000-00002: its rows are not" in capsys.readouterr().err


def test_without_a_trusted_key_nothing_is_verified(
    shared_service: RunningService,
    extract: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(arguments(shared_service, tmp_path, extract)) == 0
    assert run_command(["manifest", "verify", "released"]) == 2
    assert "--config" in capsys.readouterr().err


def test_csv_comes_through_as_text(
    service: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.custodian().register_policy(CSV_POLICY)
    source = tmp_path / "extract.csv"
    numbers = make_numbers(1, 300)
    table = pa.table(
        {
            "nhs_number": [*numbers[:-1], "NA"],
            "surname": ["O'Neil, Zoë"] * 300,
            "admitted": ["2024-05-01"] * 298 + ["last May", ""],
        }
    )
    pyarrow.csv.write_csv(table, source)
    asked = arguments(service, tmp_path, source, policy="csv@1")
    assert run_command([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_out"] == 300
    released = read_output(tmp_path / "released")
    assert released["patient"].null_count == 1
    assert released["admitted"].null_count == 2
    rejected = pq.read_table(tmp_path / "released" / "rejected.parquet").to_pylist()
    marked = [each for each in rejected if each["column"] == "admitted"]
    assert [each["row"] for each in marked] == [298]
    assert verify(service, tmp_path) == 0


def test_the_same_run_again_changes_nothing(
    shared_service: RunningService, extract: Path, tmp_path: Path
) -> None:
    asked = arguments(shared_service, tmp_path, extract)
    assert run_command(asked) == 0
    assert run_command(asked) == 2
    again = arguments(shared_service, tmp_path, extract, output=tmp_path / "again")
    assert run_command(again) == 0
    assert read_output(tmp_path / "released") == read_output(tmp_path / "again")


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ({"project": "asthme"}, 3, "ACCESS_DENIED"),
        ({"policy": "cohort@9"}, 3, "POLICY_UNKNOWN"),
        ({"purpose": "x"}, 3, "PURPOSE_MISSING"),
        ({"input": "nothing.csv"}, 2, "--input"),
        ({"encoding": "klingon"}, 2, "--encoding"),
        ({"encoding": "utf-16"}, 2, "--encoding"),
        ({"delimiter": "::"}, 2, "--delimiter"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    *,
    shared_service: RunningService,
    extract: Path,
    tmp_path: Path,
    wrong: dict[str, str],
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = arguments(shared_service, tmp_path, extract, **wrong)
    assert run_command(asked) == code
    complaint = capsys.readouterr().err
    assert says in complaint
    assert "Traceback" not in complaint


def test_a_rotated_key_makes_all_parts_begin_afresh(
    service: RunningService,
    extract: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "released"
    child = start(arguments(service, tmp_path, extract, **{"part-rows": 20}))
    wait_for_commits(folder, 2, child)
    child.kill()
    child.wait()
    service.custodian().rotate_key("asthma", current_version=1, reason="a test")
    asked = arguments(service, tmp_path, extract, **{"part-rows": 20})
    assert run_command(asked) == 0
    assert "begin afresh" in capsys.readouterr().err
    versions = {text[5:7] for text in read_output(folder)["patient"].to_pylist()}
    assert versions == {"N2"}
    assert verify(service, tmp_path) == 0


def test_a_killed_server_costs_no_row(
    state: Path, extract: Path, tmp_path: Path
) -> None:
    with hold_free_port() as port:
        config = write_config(state, port)
        service = describe_service(state, port)
        first = ServedProcess(config).go()
        await_serving(service, first)
        second = ServedProcess(config)
        child = start(arguments(service, tmp_path, extract, **{"part-rows": 20}))
        try:
            wait_for_commits(tmp_path / "released", 3, child)
            first.kill()
            second.go()
            await_serving(service, second)
            assert child.wait(90) == 0
            assert verify(service, tmp_path) == 0
        finally:
            child.kill()
            child.wait()
            for server in (first, second):
                server.stop()
    scores = read_output(tmp_path / "released")["score"].to_pylist()
    assert scores == [row % 100 for row in range(ROWS)]


def start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pseudo_service.cli", *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_commits(folder: Path, wanted: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(list(folder.glob(".pseudo-run/part-*.json"))) >= wanted:
            return
        assert child.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.005)
    msg = "the run commits no part"
    raise AssertionError(msg)
