"""``pseudo serve`` in a process of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.lib.services.service import RunningService, choose_config

PATIENCE = 60.0
RUNNER = """
import sys
from pseudo_service.cli.main import run_command
sys.stdin.readline()
sys.exit(run_command(["serve", *sys.argv[1:]]))
"""
"""Imports, waits to be told, serves: so that a next process can stand ready."""


class ServedProcess:
    """A server process. It serves once ``go`` is called."""

    def __init__(
        self,
        config_path: Path,
        *arguments: str,
        runner: str = RUNNER,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.errors = config_path.with_suffix(f".{time.monotonic_ns()}.stderr")
        with self.errors.open("wb") as sink:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    runner,
                    "--config",
                    str(config_path),
                    *arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                env={**os.environ, **environment},
                cwd=Path(__file__).parents[3],
            )

    def go(self) -> "ServedProcess":
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(b"go\n")
            self.process.stdin.close()
        return self

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, patience: float = PATIENCE) -> int:
        return self.process.wait(patience)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        if self.process.poll() is None:
            self.kill()

    def read_output(self) -> str:
        return self.errors.read_text(errors="replace")


FORKER = """
import os, sys
from pseudo_service.cli.main import run_command
for line in sys.stdin:
    child = os.fork()
    if not child:
        sys.stdin.close()
        os._exit(run_command(["serve", "--config", line.strip()]))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class ServerPool:
    """Starts servers one after another, each a fork of a process that has imported.

    The import is most of a server's start, and gRPC is not begun before the fork.
    """

    def __init__(self, folder: Path) -> None:
        self.errors = folder / "nursery.stderr"
        self._child: int | None = None
        with self.errors.open("wb") as sink:
            self._parent = subprocess.Popen(
                [sys.executable, "-c", FORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                cwd=Path(__file__).parents[3],
            )

    def start(self, config_path: Path) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{config_path}\n")
        self._parent.stdin.flush()
        self._child = self._read()

    def end(self, number: signal.Signals) -> int:
        """Send the running server a signal; return its exit code."""
        assert self._child is not None
        os.kill(self._child, number)
        self._child = None
        return self._read()

    def close(self) -> None:
        if self._child is not None:
            self.end(signal.SIGKILL)
        self._parent.kill()
        self._parent.communicate()

    def _read(self) -> int:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline()
        assert line, self.errors.read_text(errors="replace")
        return int(line)


@contextlib.contextmanager
def hold_free_port() -> Iterator[int]:
    """Reserve a port that the kernel gives to nobody; a server can take it by name."""
    with socket.socket() as held:
        # The first for a server alone on its port, the second for several workers.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def write_config(state: Path, port: int, **settings: Any) -> Path:
    """Write the configuration of a served laptop; JSON is YAML."""
    server = {"address": f"127.0.0.1:{port}", **settings.pop("server", {})}
    config = {
        "environment": "laptop",
        "state_directory": str(state),
        "identity": {"local_issuer": True},
        "identifiers": {"accept_test_range": True},
        "server": server,
        **settings,
    }
    path = state.parent / f"pseudo-{port}.yaml"
    path.write_text(json.dumps(config))
    return path


def describe_service(state: Path, port: int, **settings: Any) -> RunningService:
    """Return the test's side of a served process."""
    return RunningService(
        config=choose_config(state, **settings),
        address=f"localhost:{port}",
        root_certificates=(state / "tls" / "ca.pem").read_bytes(),
    )


def await_serving(
    service: RunningService, process: ServedProcess | None = None
) -> None:
    """Return when the process answers that it serves."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process is not None and process.process.poll() is not None:
            msg = f"the server ended: {process.read_output()}"
            raise AssertionError(msg)
        with contextlib.suppress(grpc.RpcError):
            if check_health(service) == health_pb2.HealthCheckResponse.SERVING:
                return
        time.sleep(0.02)
    msg = f"the server does not serve: {process.read_output() if process else ''}"
    raise AssertionError(msg)


def check_health(service: RunningService, name: str = "", timeout: float = 1.0) -> int:
    """Return the health that a fresh connection is told."""
    credentials = grpc.ssl_channel_credentials(service.root_certificates)
    with grpc.secure_channel(service.address, credentials) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=name)
        return int(stub.Check(request, timeout=timeout).status)
