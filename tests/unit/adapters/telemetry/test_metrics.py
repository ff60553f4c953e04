"""Metrics: closed labels, one process or many."""

import os
import subprocess
import sys
import textwrap
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from pseudo_service.adapters.telemetry import OperatorTelemetry, SafeLog
from pseudo_service.adapters.telemetry.metrics import Metrics, serve_metrics
from pseudo_service.ports.telemetry import (
    BatchRecord,
    CallRecord,
    IdentityEvent,
    Telemetry,
    VaultOperation,
    VaultOutcome,
)
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.services.telemetry import RecordingTelemetry

CANARY = "9990000018"
METHOD = "/pseudo_service.api.v1.Deidentification/DeidentifyTable"


def make_record(**changes: object) -> CallRecord:
    now = FakeClock().now()
    values = {
        "method": METHOD,
        "request_id": "ab" * 16,
        "code": "OK",
        "started": now,
        "ended": now + timedelta(seconds=2),
    }
    return CallRecord(**{**values, **changes})  # type: ignore[arg-type]


def make_batch(project: str = "asthma") -> BatchRecord:
    return BatchRecord(
        project=project,
        rows_in=10,
        rows_out=8,
        rows_removed=2,
        bytes_in=100,
        bytes_out=80,
        seconds=0.01,
    )


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(methods=[METHOD], cell_codes=["unparseable"])


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"pseudo_{name}", labels)


def labels_of(metrics: Metrics) -> set[str]:
    return {
        value
        for family in metrics.registry.collect()
        for sample in family.samples
        for value in sample.labels.values()
    }


def test_every_note_of_the_port_is_counted(metrics: Metrics) -> None:
    telemetry: Telemetry = OperatorTelemetry(
        log=SafeLog(clock=FakeClock()), metrics=metrics
    )
    telemetry.record_call(make_record(project="asthma", rows_in=1))
    telemetry.record_call(make_record(code="COLUMN_MISSING"))
    telemetry.move_open_streams(METHOD, 1)
    telemetry.observe_batch(make_batch())
    telemetry.count_rejected_cells("unparseable", 7)
    telemetry.observe_commit(0.5)
    telemetry.count_vault_call(VaultOperation.UNWRAP, VaultOutcome.THROTTLED)
    telemetry.set_register_size(12)
    telemetry.count_audit_events(3)
    telemetry.count_identity_event(IdentityEvent.UNKNOWN_ROLE)
    assert read(metrics, "calls_total", method=METHOD, code="OK") == 1
    assert read(metrics, "calls_total", method=METHOD, code="COLUMN_MISSING") == 1
    assert read(metrics, "call_seconds_sum", method=METHOD) == 4
    assert read(metrics, "streams_open", method=METHOD) == 1
    assert read(metrics, "rows_total", project="asthma", direction="in") == 10
    assert read(metrics, "rows_total", project="asthma", direction="out") == 8
    assert read(metrics, "rows_total", project="asthma", direction="removed") == 2
    assert read(metrics, "bytes_total", direction="in") == 100
    assert read(metrics, "rejected_cells_total", code="unparseable") == 7
    assert read(metrics, "commit_seconds_count") == 1
    outcome = {"operation": "unwrap", "outcome": "throttled"}
    assert read(metrics, "key_vault_calls_total", **outcome) == 1
    assert read(metrics, "register_identities") == 12
    assert read(metrics, "audit_events_total") == 3
    assert read(metrics, "identity_events_total", event="unknown_role") == 1


def test_labels_come_from_closed_sets(metrics: Metrics) -> None:
    metrics.count_call(make_record(method=CANARY, code=CANARY))
    metrics.move_open_streams(CANARY, 1)
    metrics.count_rejected_cells(CANARY, 1)
    metrics.count_batch(make_batch(CANARY))
    assert CANARY not in labels_of(metrics)
    assert read(metrics, "calls_total", method="other", code="other") == 1
    assert read(metrics, "rows_total", project="other", direction="in") == 10


def test_projects_are_bounded(metrics: Metrics) -> None:
    for number in range(1010):
        metrics.count_batch(make_batch(f"project-{number}"))
    assert read(metrics, "rows_total", project="project-999", direction="in") == 10
    assert read(metrics, "rows_total", project="project-1000", direction="in") is None
    assert read(metrics, "rows_total", project="other", direction="in") == 100


def test_they_are_served_on_a_port_of_their_own(metrics: Metrics) -> None:
    metrics.count_audit_events(5)
    server = serve_metrics(metrics.registry, address="127.0.0.1", port=0)
    try:
        url = f"http://127.0.0.1:{server.port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as response:
            assert "pseudo_audit_events_total 5.0" in response.read().decode()
    finally:
        server.stop()


WORKER = """
    import sys
    from pseudo_service.adapters.telemetry.metrics import Metrics
    metrics = Metrics(methods=["/a/B"], cell_codes=[])
    metrics.count_audit_events(2)
    metrics.move_open_streams("/a/B", 1)
    metrics.set_register_size(int(sys.argv[1]))
    print(__import__("os").getpid())
"""
ADDER = """
    import sys
    from pathlib import Path
    from prometheus_client import generate_latest
    from pseudo_service.adapters.telemetry.metrics import (
        forget_worker, make_workers_registry
    )
    directory = Path(sys.argv[1])
    print(generate_latest(make_workers_registry(directory)).decode())
    print("=====")
    for process_id in sys.argv[2:]:
        forget_worker(int(process_id), directory)
    print(generate_latest(make_workers_registry(directory)).decode())
"""


def run_script(script: str, directory: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_workers_add_up(tmp_path: Path) -> None:
    workers = [run_script(WORKER, tmp_path, size).strip() for size in ("5", "9")]
    text = run_script(ADDER, tmp_path, str(tmp_path), *workers)
    before, after = text.split("=====")
    assert "pseudo_audit_events_total 4.0" in before
    assert 'pseudo_streams_open{method="/a/B"} 2.0' in before
    assert "pseudo_register_identities 9.0" in before
    assert "pseudo_audit_events_total 4.0" in after
    assert "pseudo_streams_open{" not in after, "dead workers hold no stream"


def test_the_tests_own_telemetry_has_the_ports_shape() -> None:
    telemetry: Telemetry = RecordingTelemetry()
    telemetry.count_audit_events(1)
