from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.fake_service import FakeService
from tests.lib.runs import write_csv


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService(maximum_rows=100)
    yield fake
    fake.stop()


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "patients.csv", 1_000)
