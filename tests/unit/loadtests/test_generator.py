"""The generator, in its own process, against a service that fails as planned."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.tables import make_nhs_numbers
from pseudo_service.core.error_codes import ErrorCode
from tests.lib.services.fake_service import TOKEN, FakeService, Fault

ROOT = Path(__file__).parents[3]
KNOWN = 50
BEFORE_IT_HOLDS: tuple[None, ...] = (None,) * 200
BUSY = Fault(refuse=ErrorCode.STORE_UNAVAILABLE)
PROFILE = """\
[one]
about = "one user for a moment"
users = {{ {kind} = 1 }}
spawn_per_second = 20
warm_up_seconds = 0
hold_seconds = 30
calls_at_most = {calls}
known_patients = {known}
new_share = 0.2
[one.thresholds]
failure_rate = 0.001
"""


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService(maximum_rows=5000)
    fake.maximum_bytes = 16 << 20
    yield fake
    fake.stop()


def generate(service: FakeService, folder: Path, *, kind: str, calls: int) -> Any:
    """Return the figures of a load of so many calls; it says nothing else."""
    profiles = folder / "profiles.toml"
    profiles.write_text(PROFILE.format(kind=kind, calls=calls, known=KNOWN))
    order = {
        "profile": "one",
        "profiles": str(profiles),
        "address": service.address,
        "authorities": service.root_certificates.decode(),
        "token": TOKEN,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "loadtests.generator"],
        cwd=ROOT,
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    for number in make_nhs_numbers(KNOWN).to_pylist():
        assert number not in ended.stdout + ended.stderr
    holding, figures = map(json.loads, ended.stdout.splitlines())
    assert holding == {"holding": True}
    return figures


def test_the_load_ends_when_its_calls_are_made(
    service: FakeService, tmp_path: Path
) -> None:
    figures = generate(service, tmp_path, kind="unary", calls=200)
    one = figures["calls"]["pseudonymise_one"]
    assert 0 < one["calls"] <= 200  # those of the ramp are not counted
    assert one["failures"] == figures["retries"] == 0
    assert 0 < one["p50_milliseconds"] <= one["p99_milliseconds"] < 30_000
    assert one["calls_per_second"] == pytest.approx(
        one["calls"] / figures["held_seconds"]
    )


def test_a_busy_service_is_asked_again_and_told_apart_from_a_failing_one(
    service: FakeService, tmp_path: Path
) -> None:
    refused = Fault(refuse=ErrorCode.PROJECT_UNKNOWN)
    service.faults.extend([*BEFORE_IT_HOLDS, BUSY, None, refused, None, BUSY])
    figures = generate(service, tmp_path, kind="unary", calls=220)
    assert figures["retries"] == figures["recovered_calls"] == 2
    assert figures["failures_by_code"] == {"pseudonymise_one PROJECT_UNKNOWN": 1}
    assert figures["calls"]["pseudonymise_one"]["failures"] == 1


def test_a_patient_whose_pseudonym_changes_is_a_failure(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, asked = service.pseudonym, iter(range(10_000))

    def change(identifier: str) -> str:
        return right(identifier) + ("X" if next(asked) > 300 else "")

    monkeypatch.setattr(service, "pseudonym", change)
    figures = generate(service, tmp_path, kind="unary", calls=400)
    assert figures["failures_by_code"]["pseudonymise_one PSEUDONYM_CHANGED"] > 0


def test_a_table_whose_stream_broke_is_sent_again(
    service: FakeService, tmp_path: Path
) -> None:
    broken = [Fault(die_before_batch=2), None, Fault(end_before_batch=3)]
    service.faults.extend([*[None] * 10, *broken])
    figures = generate(service, tmp_path, kind="table", calls=16)
    assert figures["recovered_calls"] == 2
    assert figures["failures_by_code"] == {}
    assert len(service.seen) == 18


@pytest.mark.parametrize("fault", [Fault(skip_receipt=True), Fault(drop_a_row_of=1)])
def test_a_table_that_is_not_whole_is_no_success(
    service: FakeService, tmp_path: Path, fault: Fault
) -> None:
    service.faults.extend([*[None] * 10, *[fault] * 4])
    figures = generate(service, tmp_path, kind="table", calls=14)
    assert figures["calls"]["deidentify_table"]["failures"] > 0
