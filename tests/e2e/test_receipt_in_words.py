"""What a researcher is told of a run's columns, from the service's own receipts."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.main import run_command
from tests.lib.harnesses.commands import arguments
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort
from tests.lib.values.nhs_numbers import make_nhs_number


def test_a_run_s_receipts_tell_what_was_done_to_each_column(
    service: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "patients.parquet"
    numbers = [make_nhs_number(7_919 * place) for place in range(198)]
    pq.write_table(make_cohort([*numbers, "not a number", None]), source)
    assert run_command(arguments(service, tmp_path, source)) == 0
    capsys.readouterr()
    released = str(tmp_path / "released")
    assert run_command(["manifest", "receipt", released, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    columns = {column["column"]: column for column in described["columns"]}
    assert set(columns) == set(make_cohort([]).schema.names)
    patient = columns["nhs_number"]
    assert patient["answered_as"] == "patient"
    assert patient["key_version"] == described["key_version"] == 1
    assert patient["cells"]["missing"] == {"count": 1, "percent": 0.5}
    assert patient["cells"]["not_a_number"] == {"count": 1, "percent": 0.5}
    admitted = columns["admitted"]
    assert (admitted["bound"], admitted["unit"]) == (52, "weeks")
    assert admitted["keeps_weekday"] is True
    assert columns["surname"]["answered_as"] is None
    assert columns["score"]["reason"] == "outcome of the study"
    assert run_command(["manifest", "receipt", released]) == 0
    assert "nhs_number (now" in capsys.readouterr().out
