"""Logs, metrics and traces of a process, as configured."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.telemetry import (
    LogRouting,
    Metrics,
    OperatorTelemetry,
    SafeLog,
)
from pseudo_service.adapters.telemetry.metrics import (
    forget_worker,
    make_workers_registry,
    serve_metrics,
)
from pseudo_service.adapters.telemetry.traces import make_exporting_traces
from pseudo_service.config import Config, LogFormat
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.core.identifiers.kinds import IdentifierClass
from pseudo_service.core.redaction import TextCode
from pseudo_service.core.transforms.date_shift import DateCode
from pseudo_service.transport.server import METHODS

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_CELL_CODES = (*IdentifierClass, *DateCode, *TextCode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observers:
    """What watches a process."""

    telemetry: OperatorTelemetry
    metrics: Metrics


@contextmanager
def observe(config: Config) -> Iterator[Observers]:
    """Take over the logs of this process and make its metrics and traces.

    Raises:
        ConfigurationInvalid: The endpoint for traces cannot be used.
    """
    settings = config.telemetry
    metrics = Metrics(
        methods=[*METHODS.authenticated, *METHODS.public],
        cell_codes=[code.value for code in _CELL_CODES],
    )
    log = SafeLog(
        clock=SystemClock(),
        as_json=settings.log_format is LogFormat.JSON,
        on_dropped=metrics.count_dropped_fields,
    )
    routing = LogRouting(log)
    routing.install()
    traces = (
        make_exporting_traces(settings.otlp_endpoint)
        if settings.otlp_endpoint
        else None
    )
    try:
        yield Observers(
            telemetry=OperatorTelemetry(log=log, metrics=metrics, traces=traces),
            metrics=metrics,
        )
    finally:
        if traces is not None:
            traces.stop()
        routing.remove()


@contextmanager
def serve_own_metrics(config: Config, metrics: Metrics) -> Iterator[None]:
    """Serve the metrics of this one process, where an address is configured."""
    if config.telemetry.metrics_address is None:
        yield
        return
    host, port = split_address(config.telemetry.metrics_address)
    server = serve_metrics(metrics.registry, address=host, port=port)
    try:
        yield
    finally:
        server.stop()


class WorkerMetrics:
    """The metrics of all workers, added up and served by their parent."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def environment(self) -> dict[str, str]:
        """Return what a worker needs in its environment before it starts."""
        return {MULTIPROCESS_VARIABLE: str(self._directory)}

    def forget(self, process_id: int) -> None:
        """Take a dead worker's gauges out of the sums."""
        forget_worker(process_id, self._directory)


@contextmanager
def serve_worker_metrics(config: Config) -> Iterator[WorkerMetrics]:
    """Serve the sums over all workers, where an address is configured."""
    with tempfile.TemporaryDirectory(prefix="pseudo-metrics-") as folder:
        workers = WorkerMetrics(Path(folder))
        if config.telemetry.metrics_address is None:
            yield workers
            return
        host, port = split_address(config.telemetry.metrics_address)
        registry = make_workers_registry(Path(folder))
        server = serve_metrics(registry, address=host, port=port)
        try:
            yield workers
        finally:
            server.stop()


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port``.

    Raises:
        ConfigurationInvalid: It is not of that form.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        msg = "an address is given as host:port"
        raise ConfigurationInvalid(msg)
    return host.strip("[]"), int(port)
