"""Every option that gRPC is given is one that it knows: it ignores the others."""

import re
from pathlib import Path

import grpc._cython.cygrpc as core
import pytest

from pseudo_client.channels import OPTIONS
from pseudo_service.transport.server import _choose_options

NAMES = [
    *(name for name, _ in OPTIONS),
    *(name for name, _ in _choose_options(1, 1, shares_port=False)),
]


@pytest.fixture(scope="module")
def known() -> set[str]:
    found = re.findall(rb"grpc\.[a-z0-9_.]+", Path(core.__file__).read_bytes())
    return {name.decode() for name in found}


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_grpc_knows_the_option(name: str, known: set[str]) -> None:
    assert name in known
