"""Receives a client's requests one ahead of their use, and gives up on silence."""

from collections.abc import Iterator
from typing import Final, TypeVar

from pseudo_service.engine.tables.prefetch import Prefetcher

AHEAD: Final = 1
FIRST_SECONDS: Final = 30.0
"""How long a stream may hold a thread before its first message."""
_Request = TypeVar("_Request")


def receive_ahead(
    requests: Iterator[_Request], *, idle_seconds: float
) -> Prefetcher[_Request]:
    """Return a client's requests, received in a thread of their own; close it.

    Args:
        requests: As gRPC gives them; they end, too, when the client has gone.
        idle_seconds: How long each request is waited for.
    """
    return Prefetcher(_receive(requests), ahead=AHEAD, idle_seconds=idle_seconds)


def _receive(requests: Iterator[_Request]) -> Iterator[_Request]:
    try:
        yield from requests
    except Exception:  # noqa: BLE001 - gRPC raises a bare one when a client goes
        return
