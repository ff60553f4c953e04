"""No test leaves this machine, and the tests of the rules open no socket at all.

An audit hook of the interpreter sees every socket of Python's own, and whatever library
opened it. gRPC opens its sockets itself, so its channels are checked where they are made.
The client library of PostgreSQL is seen by neither; its databases are local by their URL.
Processes that a test starts are outside the guard.
"""

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import PurePath
from typing import Any

import grpc._channel
import pytest

TESTS = PurePath(__file__).parents[2]
WITHOUT_SOCKETS = (
    "unit/core",
    "unit/engine",
    "unit/nlp_redaction",
    "spec",
    "properties",
)
LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost"})


class NetworkRefused(RuntimeError):
    """A test reached for a network that it may not use."""


class Reach(Enum):
    """How far a test may reach."""

    LOOPBACK = "this machine"
    NOWHERE = "no socket"


class _Guard:
    reach = Reach.LOOPBACK
    refusals: list[str]

    def __init__(self) -> None:
        self.refusals = []

    def refuse(self, what: str) -> None:
        self.refusals.append(what)
        msg = f"{what}: a test here may reach {self.reach.value}"
        raise NetworkRefused(msg)

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge an event of the interpreter."""
        if not event.startswith("socket."):
            return
        if event == "socket.__new__" and self.reach is Reach.NOWHERE:
            if arguments[1] != socket.AF_UNIX:
                self.refuse("socket")
        elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._judge_address(event, arguments[1])
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self._judge_host(event, arguments[0])

    def judge_target(self, target: str) -> None:
        """Judge the address of a gRPC channel."""
        if self.reach is Reach.NOWHERE:
            self.refuse("grpc channel")
        scheme, _, rest = target.rpartition("://")
        if scheme != "unix" and not target.startswith("unix:"):
            host = rest.lstrip("/").rpartition(":")[0] or rest
            self._judge_host("grpc channel", host.strip("[]"))

    def _judge_address(self, what: str, address: object) -> None:
        if isinstance(address, tuple) and address:
            self._judge_host(what, address[0])

    def _judge_host(self, what: str, host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_local(str(name)):
            self.refuse(what)


def is_local(host: str) -> bool:
    """Say whether a host is this machine, by its name or its number."""
    if host in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


_GUARD = _Guard()


def install() -> None:
    """Guard this process; a hook of the interpreter stays as long as it runs."""
    sys.addaudithook(_GUARD.see)
    make_channel = grpc._channel.Channel.__init__

    def make_guarded(self: Any, target: str, *arguments: Any, **named: Any) -> None:
        _GUARD.judge_target(target)
        make_channel(self, target, *arguments, **named)

    grpc._channel.Channel.__init__ = make_guarded


def choose_reach(file: PurePath) -> Reach:
    """Return how far the tests of a file may reach."""
    folders = [TESTS / folder for folder in WITHOUT_SOCKETS]
    is_pure = any(file.is_relative_to(folder) for folder in folders)
    return Reach.NOWHERE if is_pure else Reach.LOOPBACK


class GuardedTests:
    """The part of pytest that sets the reach of each test.

    A plugin and no hook of ``conftest.py``, which pytest asks about the tests of its
    own folder only: the guard itself holds for the whole process.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Guard a test before its first fixture, whatever that fixture's scope."""
        _GUARD.reach = choose_reach(item.path)
        take_refusals()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Fail a test whose code met the guard and kept silent about it."""
        yield
        refused = take_refusals()
        if refused:
            met = ", ".join(sorted(set(refused)))
            msg = f"{item.name} reached for the network: {met}"
            raise NetworkRefused(msg)


def take_refusals() -> list[str]:
    """Return what was refused since the last call, also where nobody heard of it."""
    taken, _GUARD.refusals = _GUARD.refusals, []
    return taken


@contextmanager
def keep_within(reach: Reach) -> Iterator[list[str]]:
    """Set the reach for a while, and yield a list that then holds what was refused."""
    before, _GUARD.reach = _GUARD.reach, reach
    refused: list[str] = []
    try:
        yield refused
    finally:
        _GUARD.reach = before
        refused += take_refusals()
