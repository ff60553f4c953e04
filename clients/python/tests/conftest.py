from collections.abc import Iterator

import pytest

from client_fakes.service import TOKEN, FakeService
from pseudo_client import Client, RetryPolicy


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.stop()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(service: FakeService, waits: list[float]) -> Iterator[Client]:
    retries = RetryPolicy(attempts=3, sleep=waits.append, draw=lambda: 0.5)
    with Client(
        service.address,
        token=TOKEN,
        root_certificates=service.root_certificates,
        retries=retries,
        timeout=30,
    ) as opened:
        yield opened
