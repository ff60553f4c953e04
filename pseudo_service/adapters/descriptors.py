"""How many files and connections this process may have open."""

import resource
from typing import Final

WANTED: Final = 65_536
_OWN: Final = 512
"""Descriptors that are not for connections: the database, the vault, files, pipes."""


def raise_descriptor_limit() -> None:
    """Take as many descriptors as are wanted and the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def count_connections() -> int:
    """Return how many connections leave the process enough descriptors of its own."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if soft == resource.RLIM_INFINITY else min(soft, WANTED)
    return max(most - _OWN, most // 2)
