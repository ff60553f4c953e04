"""``pseudo serve``: one process, or a parent that keeps N workers on one port.

Workers are started afresh, never forked: gRPC does not survive a fork. The kernel
spreads connections over them (SO_REUSEPORT).
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from pseudo_service.adapters.allocator import keep_large_buffers
from pseudo_service.adapters.descriptors import raise_descriptor_limit
from pseudo_service.bootstrap.observability import (
    observe,
    serve_own_metrics,
    serve_worker_metrics,
    split_address,
)
from pseudo_service.bootstrap.service import Service
from pseudo_service.bootstrap.shared_services import RuntimeOverrides
from pseudo_service.bootstrap.supervision import EXIT_FAILED, Worker, supervise
from pseudo_service.config import Config, extend_environment, load_config
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.core.pseudonyms.warm_up import warm_up
from pseudo_service.ports.telemetry import Level, Telemetry

SIGNAL_SECONDS = 0.5
DRAIN_GRACE_SECONDS = 10.0
FORCE_SECONDS = 2.0
"""So much sooner than its parent kills it, a process ends itself and says so."""


def serve(config_path: Path, workers: int | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    Raises:
        PseudoError: What keeps the service from starting.
    """
    config = load_config(config_path)
    count = workers or config.server.workers
    stopping = catch_signals()
    if count == 1:
        return run_alone(config, stopping)
    with ExitStack() as held:
        address = held.enter_context(hold_port(config.server.address))
        if config.server.mtls_address is not None:
            held.enter_context(hold_port(config.server.mtls_address))
        return _supervise(config, config_path, address, count, stopping)


def run_alone(config: Config, stopping: threading.Event) -> int:
    """Serve in this process, with metrics of its own, until the event is set."""
    with observe(config) as observers, serve_own_metrics(config, observers.metrics):
        return _run(config, config.server.address, stopping, observers.telemetry)


def run_worker(config: Config, address: str, stopping: threading.Event) -> int:
    """Serve in this process, one of several, until the event is set."""
    with observe(config) as observers:
        return _run(config, address, stopping, observers.telemetry, shares_port=True)


def _run(
    config: Config,
    address: str,
    stopping: threading.Event,
    telemetry: Telemetry,
    *,
    shares_port: bool = False,
) -> int:
    keep_large_buffers()
    raise_descriptor_limit()
    # Not for a command's embedded service: most commands run no kernel.
    telemetry.log("kernels_ready", kind=warm_up())
    service = Service(
        config,
        RuntimeOverrides(telemetry=telemetry),
        address=address,
        shares_port=shares_port,
    )
    service.start()
    telemetry.log("serving", port=service.ports[0], process=service.process)
    _await(stopping)
    telemetry.log("draining", process=service.process)
    patience = config.server.limits.drain_seconds + DRAIN_GRACE_SECONDS
    end_at_last(patience - FORCE_SECONDS, telemetry)
    service.stop()
    telemetry.log("stopped", process=service.process)
    return 0


def end_at_last(seconds: float, telemetry: Telemetry) -> None:
    """End this process after so many seconds, whatever still hangs in it.

    A thread that waits for a database, a vault or a client keeps the interpreter from
    ending. What was answered is durable by then, so nothing is lost.
    """

    def end() -> None:
        telemetry.log("end_forced", Level.ERROR)
        os._exit(EXIT_FAILED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _await(stopping: threading.Event) -> None:
    """Return when the event is set.

    In turns: a signal that the kernel hands to another thread wakes nobody, and its
    handler runs only when this thread does.
    """
    while not stopping.wait(SIGNAL_SECONDS):
        pass


def catch_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


@contextmanager
def hold_port(address: str) -> Iterator[str]:
    """Reserve a port for workers that are still to come; yield its address.

    The socket is bound and never listens, so it takes no connection; with port 0
    the kernel chooses the one that all workers then share.

    Raises:
        ConfigurationInvalid: The address is malformed or taken.
    """
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        try:
            _check_free(family, host, port)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind((host, port))
        except OSError:
            msg = (
                f"server address {address}: cannot be listened on; another process "
                "may hold it"
            )
            raise ConfigurationInvalid(msg) from None
        shown = f"[{host}]" if family is socket.AF_INET6 else host
        yield f"{shown}:{held.getsockname()[1]}"


def _check_free(family: int, host: str, port: int) -> None:
    """Raise where somebody listens: among those who share a port nobody is refused."""
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((host, port))


def _supervise(
    config: Config,
    config_path: Path,
    address: str,
    count: int,
    stopping: threading.Event,
) -> int:
    with observe(config) as observers, serve_worker_metrics(config) as metrics:

        def start() -> subprocess.Popen[bytes]:
            module = "pseudo_service.bootstrap.worker"
            command = [sys.executable, "-m", module, str(config_path), address]
            environment = extend_environment(metrics.environment)
            return subprocess.Popen(command, env=environment)  # noqa: S603 - our own

        workers = [Worker(start, forget=metrics.forget) for _ in range(count)]
        observers.telemetry.log("supervising", workers=count)
        return supervise(
            workers,
            stopping=stopping,
            telemetry=observers.telemetry,
            patience=config.server.limits.drain_seconds + DRAIN_GRACE_SECONDS,
        )
