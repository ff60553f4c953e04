"""Logs, metrics and traces of a process, as configured."""

from collections.abc import Iterator
from contextlib import contextmanager

from pseudo_service.config import Config
from pseudo_service.ports.telemetry import NullTelemetry, Telemetry


def open_telemetry(config: Config) -> Telemetry:
    return NullTelemetry()


@contextmanager
def open_metrics(config: Config, *, workers: int) -> Iterator[None]:
    yield
