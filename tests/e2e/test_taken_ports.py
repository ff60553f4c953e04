"""A second service on a port that is taken ends with a line that says so."""

from pathlib import Path

import pytest

from tests.lib.services.served import ServedProcess, write_config
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_numbers

(NUMBER,) = make_numbers(9_400, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_taken_port_is_refused(
    workers: int, state: Path, shared_service: RunningService
) -> None:
    """Were it shared, the kernel would deal callers out to both."""
    port = int(shared_service.address.rpartition(":")[2])
    config = write_config(state, port)
    process = ServedProcess(config, "--workers", str(workers)).go()
    try:
        assert process.wait() == 2
    finally:
        process.stop()
    told = process.read_output()
    assert f"server.address 127.0.0.1:{port}" in told
    assert "another process" in told
    assert shared_service.pseudonymise(NUMBER)
