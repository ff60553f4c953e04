from collections.abc import Iterator
from pathlib import Path

import pytest

from pseudo_client import Client, RetryPolicy
from tests.lib.services.fake_service import TOKEN, FakeService


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeService]:
    fake = FakeService(tmp_path)
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
