"""The guard of the tests' network refuses what it should, and tells of it."""

import socket
import urllib.request
from contextlib import suppress
from pathlib import PurePath

import grpc
import pytest

from tests.lib.harnesses.network import (
    TESTS,
    NetworkRefused,
    Reach,
    choose_reach,
    keep_within,
)

OUTSIDE = "192.0.2.1"  # of the range for documentation: nobody has it


def test_another_machine_is_out_of_reach() -> None:
    with keep_within(Reach.LOOPBACK) as refused:
        with socket.socket() as some, pytest.raises(NetworkRefused):
            some.connect((OUTSIDE, 443))
        with pytest.raises(NetworkRefused):
            socket.getaddrinfo("service.example", 443)
        with pytest.raises(NetworkRefused):
            urllib.request.urlopen("http://service.example/")
        with pytest.raises(NetworkRefused):
            grpc.insecure_channel(f"{OUTSIDE}:443")
        with pytest.raises(NetworkRefused):
            grpc.insecure_channel("dns:///service.example:443")
    assert len(refused) == 5


def test_this_machine_is_within_reach() -> None:
    with keep_within(Reach.LOOPBACK) as refused:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        for target in ("localhost:1", "127.0.0.1:1", "[::1]:1", "unix:/nowhere"):
            grpc.insecure_channel(target).close()
    assert refused == []


def test_a_rule_needs_no_socket() -> None:
    with keep_within(Reach.NOWHERE) as refused:
        with pytest.raises(NetworkRefused):
            socket.create_server(("127.0.0.1", 0))
        with pytest.raises(NetworkRefused):
            grpc.insecure_channel("localhost:1")
    assert len(refused) == 2


def test_a_refusal_that_code_swallows_is_known_all_the_same() -> None:
    with keep_within(Reach.NOWHERE) as refused, suppress(Exception):
        socket.socket()
    assert refused == ["socket"]


@pytest.mark.parametrize(
    ("folder", "reach"),
    [
        ("unit/core/keys/test_x.py", Reach.NOWHERE),
        ("unit/engine/test_x.py", Reach.NOWHERE),
        ("properties/test_x.py", Reach.NOWHERE),
        ("spec/test_x.py", Reach.NOWHERE),
        ("unit/transport/test_x.py", Reach.LOOPBACK),
        ("unit/core_of_it/test_x.py", Reach.LOOPBACK),
    ],
)
def test_the_folder_says_how_far(folder: str, reach: Reach) -> None:
    assert choose_reach(PurePath(TESTS / folder)) is reach
