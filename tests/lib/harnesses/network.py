"""No test leaves this machine, and the tests of the rules open no socket at all.

The sockets of Python's own are checked at the few functions that open and direct them,
whatever library calls these. gRPC opens its sockets itself, so its channels are checked
where they are made. The client library of PostgreSQL is seen by neither; its databases
are local by their URL. Processes that a test starts are outside the guard.

An audit hook would see more, but one written in Python lets other threads run while
CPython 3.11 installs a trace function, which it then refuses to every other thread: a
run that measures coverage would lose threads at random.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import wraps
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

    def judge_opening(
        self, _: object, family: int = -1, *__: object, **___: object
    ) -> None:
        """Judge a socket that is made."""
        if self.reach is Reach.NOWHERE and family != socket.AF_UNIX:
            self.refuse("socket")

    def judge_direction(self, _: object, *arguments: object) -> None:
        """Judge where a socket connects to or sends to: the last argument says."""
        if arguments and isinstance(arguments[-1], tuple) and arguments[-1]:
            self.judge_host(arguments[-1][0])

    def judge_host(
        self, host: object, *_: object, what: str = "socket", **__: object
    ) -> None:
        """Judge a host that is asked for or looked up."""
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_local(str(name)):
            self.refuse(what)

    def judge_channel(self, _: object, target: str, *__: object, **___: object) -> None:
        """Judge the address of a gRPC channel."""
        if self.reach is Reach.NOWHERE:
            self.refuse("grpc channel")
        scheme, _, rest = target.rpartition("://")
        if scheme != "unix" and not target.startswith("unix:"):
            host = rest.lstrip("/").rpartition(":")[0] or rest
            self.judge_host(host.strip("[]"), what="grpc channel")


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


def guard(owner: Any, name: str, judge: Callable[..., None]) -> None:
    """Let a function of a module or class be judged by its arguments before it runs."""
    real = getattr(owner, name)

    @wraps(real)
    def run_judged(*arguments: Any, **named: Any) -> Any:
        judge(*arguments, **named)
        return real(*arguments, **named)

    setattr(owner, name, run_judged)


def install() -> None:
    """Guard this process for as long as it runs."""
    guard(socket.socket, "__init__", _GUARD.judge_opening)
    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        guard(socket.socket, name, _GUARD.judge_direction)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        guard(socket, name, _GUARD.judge_host)
    guard(grpc._channel.Channel, "__init__", _GUARD.judge_channel)


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
