"""Starts and stops the servers that a load test talks to, each its own process."""

import contextlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from loadtests.comparison import HERE, Checkout
from pseudo_client import Client
from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.adapters.identity.local_issuer import LocalIssuer

START_SECONDS = 300.0  # of a machine that others use; one that ends is known at once


@dataclass(frozen=True, kw_only=True)
class Target:
    """A running server and how to reach it."""

    process: subprocess.Popen[bytes]
    address: str
    authorities: bytes
    issuer: LocalIssuer

    def connect(self, *roles: str) -> Client:
        """Return a client with a token of these roles."""
        token = self.issuer.issue(
            "load-test", roles, lifetime=timedelta(hours=2), now=datetime.now(UTC)
        )
        return Client(self.address, root_certificates=self.authorities, token=token)

    def list_workers(self) -> list[psutil.Process]:
        """Return the processes that serve, the oldest first."""
        parent = psutil.Process(self.process.pid)
        children = parent.children(recursive=True)
        return sorted(children, key=lambda one: one.create_time()) or [parent]

    def wait_for_workers(self, number: int) -> None:
        """Return when as many listen; connections made before would all go to one.

        Raises:
            RuntimeError: They do not, for a long time.
        """
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if sum(map(_listens, self.list_workers())) == number:
                return
            time.sleep(0.1)
        msg = f"there are not {number} workers that serve"
        raise RuntimeError(msg)

    def measure_processor(self) -> float:
        """Return the processor's seconds that the server and its children have had."""
        parent = psutil.Process(self.process.pid)
        used = [one.cpu_times() for one in [parent, *parent.children(recursive=True)]]
        return float(sum(one.user + one.system for one in used))

    def measure_memory(self) -> int:
        """Return the bytes of memory that the server and its children have taken.

        Anonymous memory only: pages of libraries come and go with other processes.
        """
        parent = psutil.Process(self.process.pid)
        return sum(
            _read_anonymous(one.pid)
            for one in [parent, *parent.children(recursive=True)]
        )


@contextmanager
def serve(
    folder: Path, *, workers: int = 1, checkout: Checkout = HERE, **settings: Any
) -> Iterator[Target]:
    """Run ``pseudo serve`` on SQLite with everything switched on.

    Args:
        folder: Where its files go.
        workers: How many processes serve.
        checkout: Whose service it is.
        settings: Further sections of its configuration.
    """
    with _hold_port() as port:
        config = _write_config(folder, port, workers=workers, **settings)
        command = ["-m", "pseudo_service.cli", "serve", "--config", str(config)]
        with _run(command, folder / "state", port, checkout) as target:
            target.wait_for_workers(workers)
            yield target


def _write_config(folder: Path, port: int, *, workers: int, **settings: Any) -> Path:
    config = folder / "pseudo.yaml"
    config.write_text(
        json.dumps(
            {
                "environment": "laptop",
                "state_directory": str(folder / "state"),
                "server": {"address": f"127.0.0.1:{port}", "workers": workers},
                "identity": {"local_issuer": True},
                "identifiers": {"accept_test_range": True},
                **settings,
            }
        )
    )
    return config


@contextmanager
def serve_echo(folder: Path) -> Iterator[Target]:
    """Run the echo server over the same transport."""
    state = folder / "echo"
    state.mkdir(mode=0o700)
    LocalCertificates(state / "tls").ensure_server(datetime.now(UTC))
    script = Path(__file__).with_name("echo_server.py")
    with _hold_port() as port:
        command = [str(script), str(state / "tls"), str(port)]
        with _run(command, state, port, HERE) as target:
            yield target


@contextmanager
def _run(
    command: Sequence[str], state: Path, port: int, checkout: Checkout
) -> Iterator[Target]:
    log = state.with_suffix(".log")
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own
            [checkout.python, *command],
            stdout=sink,
            stderr=sink,
            cwd=checkout.folder,
            env=checkout.environment(),
        )
    try:
        _wait_for(port, process, log)
        yield Target(
            process=process,
            address=f"localhost:{port}",
            authorities=LocalCertificates(state / "tls").authority_path.read_bytes(),
            issuer=LocalIssuer.open(state / "issuer"),
        )
    finally:
        process.terminate()
        try:
            process.wait(45)
        except subprocess.TimeoutExpired:
            process.kill()


def _listens(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        found = process.net_connections("tcp")
        return any(one.status == psutil.CONN_LISTEN for one in found)
    return False


def _read_anonymous(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    kilobytes = re.search(r"RssAnon:\s+(\d+) kB", status)
    if kilobytes is None:
        msg = "this kernel does not tell RssAnon"
        raise RuntimeError(msg)
    return int(kilobytes[1]) * 1024


@contextmanager
def _hold_port() -> Iterator[int]:
    """Reserve a port that the kernel gives to nobody; a server can take it by name."""
    with socket.socket() as held:
        # The first for a server alone on its port, the second for several workers.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.1)
    said = log.read_text(errors="replace").strip().rpartition("\n")[2]
    msg = f"the server did not start; it said last: {said}"
    raise RuntimeError(msg)
