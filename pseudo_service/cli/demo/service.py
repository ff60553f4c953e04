"""The demo's service: a real server process of its own, stopped whatever happens."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import FrameType

from pseudo_client import Client
from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.identity.local_issuer import LocalIssuer
from pseudo_service.bootstrap.external_services import (
    open_local_certificates,
    open_local_issuer,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.init import LAPTOP_CONFIG, write_laptop_config
from pseudo_service.config import Config, load_config

_PATIENCE_SECONDS = 60.0
_STOP_SECONDS = 20.0
_TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoService:
    """A running service and whom to be towards it."""

    config: Config
    config_file: Path
    address: str
    authority: bytes
    issuer: LocalIssuer = field(repr=False)

    @contextmanager
    def connect(self, *roles: str, person: str = "demo") -> Iterator[Client]:
        """Open a client with a token of exactly these roles."""
        now = SystemClock().now()
        token = self.issuer.issue(person, roles, lifetime=_TOKEN_LIFE, now=now)
        with Client(
            self.address, token=token, root_certificates=self.authority
        ) as client:
            yield client


@contextmanager
def run_service(folder: Path, *, keep: bool) -> Iterator[DemoService]:
    """Serve from a folder until the block ends; its keys then go, unless kept.

    Raises:
        Failure: The service did not come up; its log says why.
    """
    config_file = folder / "pseudo.yaml"
    address = f"127.0.0.1:{_find_port()}"
    text = LAPTOP_CONFIG.replace("127.0.0.1:8443", address)
    text = text.replace("modes: []  ", "modes: [thorough]")
    write_laptop_config(config_file, text)
    config = load_config(config_file)
    log = folder / "service.log"
    with ExitStack() as stack:
        if not keep:
            stack.callback(shutil.rmtree, config.state_directory, ignore_errors=True)
        stack.enter_context(_stop_at_termination())
        process = stack.enter_context(_start(config_file, log))
        _wait_until_it_listens(address, process, log)
        certificates = open_local_certificates(config)
        issuer = open_local_issuer(config)
        if issuer is None:
            msg = "the demo's configuration lost its local issuer; leave that line in"
            raise Failure(msg)
        yield DemoService(
            config=config,
            config_file=config_file,
            address=address,
            authority=certificates.authority_path.read_bytes(),
            issuer=issuer,
        )


@contextmanager
def _start(config_file: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "pseudo_service.cli", "serve"]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches the demo, which stops the service.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, "--config", str(config_file)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_it_listens(
    address: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    msg = f"the service did not start; its log says why: {log}"
    raise Failure(msg, ExitCode.UNAVAILABLE)


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _stop_at_termination() -> Iterator[None]:
    """Turn SIGTERM into an ordinary exit, so that the blocks around it end."""

    def leave(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
