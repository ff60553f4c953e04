"""Fixtures of tests that run files against a service in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.harnesses.runs import write_csv
from tests.lib.services.fake_service import FakeService


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService(maximum_rows=100)
    yield fake
    fake.stop()


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "patients.csv", 1_000)
