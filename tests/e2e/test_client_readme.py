"""The client's README does what it shows."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from tests.lib.services.fake_desk import PSEUDONYMS, serve_desk
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
TABLE, SEALED_RESULT = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_example_of_the_readme_runs(
    shared_service: RunningService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("token").write_text(shared_service.issue("pipeline:asthma") + "\n")
    Path("ca.pem").write_bytes(shared_service.root_certificates)
    pq.write_table(make_cohort(make_numbers(1, 200)), "admissions.parquet")
    exec(TABLE.replace("pseudo.example:8443", shared_service.address), {})
    assert capsys.readouterr().out.startswith("200 rows, {")
    assert "patient" in pq.read_schema("released.parquet").names


def test_the_example_of_a_sealed_result_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve_desk(LocalCertificates(tmp_path / "tls")) as running:
        Path("officer.token").write_text("good\n")
        Path("ca.pem").write_bytes(running.authority)
        Path("request").write_text(running.desk.request.request_id + "\n")
        Path("digest").write_text(running.desk.request.digest().hex() + "\n")
        Path("officer-private.pem").write_bytes(
            running.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        exec(SEALED_RESULT.replace("pseudo.example:8444", running.address), {})
    found, unknown = PSEUDONYMS
    assert capsys.readouterr().out == f"{found} found\n{unknown} unknown\n"
