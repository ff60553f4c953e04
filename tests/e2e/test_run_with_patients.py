"""``pseudo run --patients``: the patient table from a file, kept, changed, refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.main import run_command
from tests.lib.harnesses.commands import arguments, verify
from tests.lib.harnesses.redactors import WordRedactor
from tests.lib.harnesses.runs import read_output
from tests.lib.services.service import OpenService, RunningService
from tests.lib.values.notes import (
    NAMES,
    NUMBERS,
    make_notes,
    make_patients,
    write_notes_policy,
)


@pytest.fixture
def service(open_service: OpenService) -> Iterator[RunningService]:
    """A service that redacts known words, with a policy for notes."""
    running = open_service(overrides={"redactor": WordRedactor()})
    running.custodian().register_policy(write_notes_policy("asthma"))
    return running


@pytest.fixture
def asked(service: RunningService, tmp_path: Path) -> list[str]:
    """The arguments of a run in four parts, as yet without patients."""
    source = tmp_path / "notes.parquet"
    pq.write_table(make_notes(), source)
    options = {"policy": "notes@1", "part-rows": 1}
    return arguments(service, tmp_path, source, **options)


def write_patients(folder: Path, names: tuple[str, ...] = NAMES) -> list[str]:
    """Write the file as hospitals send it, with columns that nobody asked for."""
    table = make_patients().set_column(1, "forename", [pa.array(names)])
    table = table.append_column("ethnicity", pa.array(["A"] * len(names)))
    pyarrow.csv.write_csv(table, folder / "patients.csv")
    return ["--patients", str(folder / "patients.csv")]


def test_what_the_file_knows_is_gone_and_the_run_verifies(
    service: RunningService,
    asked: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command([*asked, *write_patients(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_out"] == 4
    notes = " ".join(
        filter(None, read_output(tmp_path / "released")["note"].to_pylist())
    )
    assert notes.count("[NAMES]") == 3
    assert not [word for word in (*NAMES, *NUMBERS) if word in notes]
    assert verify(service, tmp_path) == 0


@pytest.mark.parametrize(
    ("names", "is_told_of_it"), [(NAMES, False), (("Xerxes", *NAMES[1:]), True)]
)
def test_a_broken_off_run_goes_on_with_the_same_patients_only(
    *,
    service: RunningService,
    tmp_path: Path,
    names: tuple[str, ...],
    is_told_of_it: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "extract"
    source.mkdir()
    pyarrow.csv.write_csv(make_notes(), source / "1.csv")
    (source / "2.csv").write_text('"nhs_number","written","note"\n"999","x\n')
    asked = arguments(service, tmp_path, source, policy="notes@1")
    assert run_command([*asked, *write_patients(tmp_path)]) != 0
    assert list((tmp_path / "released").glob("*.parquet"))

    pyarrow.csv.write_csv(make_notes(), source / "2.csv")
    capsys.readouterr()
    assert run_command([*asked, *write_patients(tmp_path, names)]) == 0
    assert ("all parts begin afresh" in capsys.readouterr().err) == is_told_of_it
    first = read_output(tmp_path / "released")["note"][0].as_py()
    assert (NAMES[0] in first) == is_told_of_it


def test_patients_that_do_not_fit_the_policy_are_refused(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(asked) != 0
    said = capsys.readouterr().err
    assert "[PATIENT_TABLE_REFUSED" in said
    assert "--patients FILE" in said

    narrow = tmp_path / "narrow.csv"
    pyarrow.csv.write_csv(make_patients().select(["number"]), narrow)
    assert run_command([*asked, "--patients", str(narrow)]) == 2
    said = capsys.readouterr().err
    assert 'lacks column "forename"' in " ".join(said.split())

    other = [*asked, *write_patients(tmp_path)]
    other[other.index("notes@1")] = "cohort@1"
    assert run_command(other) == 2
    assert "has no patient_table" in " ".join(capsys.readouterr().err.split())


def test_withheld_texts_are_told_of(
    shared_service: RunningService,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of a service that serves no mode: nobody must find out from an empty column."""
    shared_service.custodian().register_policy(write_notes_policy("stroke"))
    source = tmp_path / "notes.parquet"
    pq.write_table(make_notes(), source)
    options = {"policy": "notes@1", "project": "stroke"}
    asked = arguments(shared_service, tmp_path, source, **options)
    asked = [*asked, *write_patients(tmp_path)]
    (tmp_path / "token").write_text(shared_service.issue("pipeline:stroke"))
    assert run_command(asked) == 0
    assert "3 texts: mode is not served" in capsys.readouterr().out
