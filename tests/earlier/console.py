"""The command ``pseudo`` in a process of its own, at a time of day that a test says.

Only the public surface is used: the command that ``pyproject.toml`` names, and the
client. So this file stays as it is when modules move. TLS is judged by the system's
clock, whatever the process believes, so a server gets a certificate for a century.
"""

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pseudo_client import Client
from tests.earlier.moved_process import AHEAD, ROOT, SERVE
from tests.lib.services.served import hold_free_port

PATIENCE = 90.0
RUNNER = "from tests.earlier.moved_process import answer_lines; answer_lines()"
_CENTURY = dt.timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one command line said."""

    code: int
    out: str
    err: str

    def read_json(self) -> Any:
        return json.loads(self.out)


class Console:
    """A process that has imported the product and answers command lines."""

    def __init__(self, folder: Path, ahead: dt.timedelta = dt.timedelta()) -> None:
        """Start it in a folder, with a clock that is ahead, or behind if negative."""
        self.folder = folder
        self._process = start_process(folder, ahead, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.communicate(timeout=PATIENCE)

    def ask(self, *arguments: object) -> Answer:
        """Give one command line; return its answer, whatever it is."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(each) for each in arguments]) + "\n")
        self._process.stdin.flush()
        return Answer(**json.loads(self._process.stdout.readline()))

    def do(self, *arguments: object) -> Answer:
        """Give one command line that must succeed."""
        answer = self.ask(*arguments)
        assert answer.code == 0, f"{arguments}: {answer.err}{answer.out}"
        return answer


def start_process(
    folder: Path, ahead: dt.timedelta, **streams: Any
) -> subprocess.Popen[str]:
    paths = f"{ROOT}{os.pathsep}{ROOT / 'clients' / 'python'}"
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER],
        stdin=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": paths,
            AHEAD: str(ahead.total_seconds()),
        },
        **streams,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """``pseudo serve`` in a process of its own, and who may call it."""

    address: str
    authority: Path
    console: Console
    closing: contextlib.ExitStack = field(repr=False)

    def connect(self, person: str, *roles: str) -> Client:
        """Return a client with a token of the local issuer."""
        named = [text for role in roles for text in ("--role", role)]
        token = self.console.do("token", "issue", "--subject", person, *named)
        return self.closing.enter_context(
            Client(
                self.address,
                root_certificates=self.authority.read_bytes(),
                token=token.out.strip(),
            )
        )


@contextlib.contextmanager
def open_server(
    folder: Path, outside: Path, ahead: dt.timedelta = dt.timedelta()
) -> Iterator[Server]:
    """Serve the deployment of a folder.

    Args:
        folder: Holds ``pseudo.yaml``, which is left as it is.
        outside: Takes the server's certificate, its configuration and its log.
        ahead: How far its clock is ahead, and that of whom it answers.
    """
    write_certificate(outside)
    with (
        hold_free_port() as port,
        Console(folder, ahead) as console,
        contextlib.ExitStack() as closing,
    ):
        config = write_served_config(folder, outside, port)
        log = closing.enter_context((outside / "served.log").open("w"))
        process = start_process(folder, ahead, stdout=log, stderr=log)
        closing.callback(stop, process)
        assert process.stdin is not None
        process.stdin.write(json.dumps([SERVE, "--config", str(config)]) + "\n")
        process.stdin.close()
        server = Server(
            address=f"localhost:{port}",
            authority=outside / "server.pem",
            console=console,
            closing=closing.enter_context(contextlib.ExitStack()),
        )
        await_serving(server, process)
        yield server


def write_served_config(folder: Path, outside: Path, port: int) -> Path:
    """Write the deployment's configuration with a port and a certificate of ours."""
    settings = yaml.safe_load((folder / "pseudo.yaml").read_text())
    settings["state_directory"] = str(folder / settings["state_directory"])
    settings["server"] = {
        "address": f"127.0.0.1:{port}",
        "tls": {
            "certificate": str(outside / "server.pem"),
            "key": str(outside / "server.key"),
        },
    }
    path = outside / "served.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def write_certificate(outside: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _CENTURY)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (outside / "server.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
    )
    (outside / "server.key").touch(mode=0o600)
    (outside / "server.key").write_bytes(private)


def await_serving(server: Server, process: subprocess.Popen[str]) -> None:
    """Return when the server takes connections."""
    credentials = grpc.ssl_channel_credentials(server.authority.read_bytes())
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended: see served.log"
        with (
            contextlib.suppress(grpc.FutureTimeoutError),
            grpc.secure_channel(server.address, credentials) as channel,
        ):
            grpc.channel_ready_future(channel).result(timeout=1.0)
            return
    msg = "the server does not serve: see served.log"
    raise AssertionError(msg)


def stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
