"""Prometheus metrics: counts and times, with labels from closed sets only."""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.ports.telemetry import BatchRecord, CallRecord

OTHER = "other"
_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800)
_PROJECT = re.compile(r"[a-z][a-z0-9-]{2,39}")
_MOST_PROJECTS = 1000
_GRPC_CODES = frozenset(
    {
        "OK",
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "UNIMPLEMENTED",
        "UNAVAILABLE",
        "UNKNOWN",
    }
)


class Metrics:
    """All metrics of a process, in a registry of their own.

    With several workers, ``PROMETHEUS_MULTIPROC_DIR`` must name an empty directory
    before ``prometheus_client`` is first imported in each of them: it decides at
    import whether numbers live in memory or in files that one process adds up.
    """

    def __init__(self, *, methods: Iterable[str], cell_codes: Iterable[str]) -> None:
        """Make the metrics; the arguments close the sets of those labels."""
        self.registry = CollectorRegistry(auto_describe=True)
        self._methods = frozenset(methods)
        self._cell_codes = frozenset(cell_codes)
        self._codes = frozenset(ErrorCode) | _GRPC_CODES
        self._projects: set[str] = set()
        self._lock = threading.Lock()
        self._make_call_metrics()
        self._make_row_metrics()
        self._make_store_metrics()

    def _make_call_metrics(self) -> None:
        self._calls = self._counter("calls", "Calls ended", "method", "code")
        self._call_seconds = self._histogram("call_seconds", "Time a call", "method")
        self._streams = Gauge(
            "pseudo_streams_open",
            "Streams open now",
            ["method"],
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._identity = self._counter("identity_events", "At the door", "event")
        self._signs = self._counter("oracle_suspected", "Signs of trying out", "sign")
        self._dropped = self._counter("log_fields_dropped", "Fields kept from the log")

    def _make_row_metrics(self) -> None:
        self._rows = self._counter("rows", "Rows of batches", "project", "direction")
        self._bytes = self._counter("bytes", "Bytes of batches", "direction")
        self._batch_seconds = self._histogram("batch_seconds", "Time a batch")
        self._cells = self._counter("rejected_cells", "Cells marked", "code")

    def _make_store_metrics(self) -> None:
        self._commits = self._histogram("commit_seconds", "Time a commit")
        self._vault = self._counter(
            "key_vault_calls", "Calls of the key vault", "operation", "outcome"
        )
        self._events = self._counter("audit_events", "Audit events written")
        self._register = Gauge(
            "pseudo_register_identities",
            "Identities in the register",
            registry=self.registry,
            multiprocess_mode="livemax",
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"pseudo_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(
            f"pseudo_{name}", text, labels, registry=self.registry, buckets=_SECONDS
        )

    def count_call(self, record: CallRecord) -> None:
        """Count a call by method and code, and its time."""
        method = _limit_label(record.method, self._methods)
        self._calls.labels(method, _limit_label(record.code, self._codes)).inc()
        self._call_seconds.labels(method).observe(record.seconds)

    def move_open_streams(self, method: str, by: int) -> None:
        """Add to, or take from, the number of open streams."""
        self._streams.labels(_limit_label(method, self._methods)).inc(by)

    def count_batch(self, record: BatchRecord) -> None:
        """Count a batch's rows, bytes and time."""
        project = self._close_project(record.project)
        for direction, rows in (
            ("in", record.rows_in),
            ("out", record.rows_out),
            ("removed", record.rows_removed),
        ):
            self._rows.labels(project, direction).inc(rows)
        self._bytes.labels("in").inc(record.bytes_in)
        self._bytes.labels("out").inc(record.bytes_out)
        self._batch_seconds.observe(record.seconds)

    def _close_project(self, project: str) -> str:
        """Return the project's id: custodians give them, and there are few."""
        with self._lock:
            if project not in self._projects:
                full = len(self._projects) >= _MOST_PROJECTS
                if full or not _PROJECT.fullmatch(project):
                    return OTHER
                self._projects.add(project)
        return project

    def count_rejected_cells(self, code: str, count: int) -> None:
        """Count marked cells by code."""
        self._cells.labels(_limit_label(code, self._cell_codes)).inc(count)

    def observe_commit(self, seconds: float) -> None:
        """Note a commit's time."""
        self._commits.observe(seconds)

    def count_vault_call(self, operation: str, outcome: str) -> None:
        """Count a call of the key vault."""
        self._vault.labels(operation, outcome).inc()

    def set_register_size(self, identities: int) -> None:
        """Note the register's size."""
        self._register.set(identities)

    def count_audit_events(self, count: int) -> None:
        """Count audit events."""
        self._events.inc(count)

    def count_identity_event(self, event: str) -> None:
        """Count what happened at the door."""
        self._identity.labels(event).inc()

    def count_enumeration_sign(self, sign: str) -> None:
        """Count a sign of trying out."""
        self._signs.labels(sign).inc()

    def count_dropped_fields(self, count: int) -> None:
        """Count fields that the log refused."""
        self._dropped.inc(count)


def _limit_label(label: str, known: frozenset[str]) -> str:
    return label if label in known else OTHER


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """A running endpoint for the scraper."""

    port: int
    server: WSGIServer
    thread: threading.Thread

    def stop(self) -> None:
        """Stop serving and wait until it has."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def serve_metrics(
    registry: CollectorRegistry, *, address: str, port: int
) -> MetricsServer:
    """Serve the metrics over HTTP on a port of their own; 0 takes a free one.

    They hold no secrets, but belong on a network that only the scraper reaches.
    """
    server, thread = start_http_server(port, address, registry)
    return MetricsServer(server.server_port, server, thread)


def make_workers_registry(directory: Path) -> CollectorRegistry:
    """Return a registry that adds up the files of all workers."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(directory))  # type: ignore[no-untyped-call]
    return registry


def forget_worker(process_id: int, directory: Path) -> None:
    """Take a dead worker's gauges out of the sums; its counters stay."""
    mark_process_dead(process_id, str(directory))  # type: ignore[no-untyped-call]
