"""The client's README does what it shows."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"


def test_the_example_of_the_readme_runs(
    shared_service: RunningService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("token").write_text(shared_service.issue("pipeline:asthma") + "\n")
    Path("ca.pem").write_bytes(shared_service.root_certificates)
    pq.write_table(make_cohort(make_numbers(1, 200)), "admissions.parquet")
    exec(example.replace("pseudo.example:8443", shared_service.address), {})
    assert capsys.readouterr().out.startswith("200 rows, {")
    assert "patient" in pq.read_schema("released.parquet").names
