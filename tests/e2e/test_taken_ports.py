"""A second service on a port that is taken ends with a line that says so."""

from pathlib import Path

import pytest

from tests.lib.services.served import ServedProcess, hold_free_port, write_config
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_numbers

(NUMBER,) = make_numbers(9_400, 1)


def check_refused(config: Path, workers: int, port: int) -> None:
    process = ServedProcess(config, "--workers", str(workers)).go()
    try:
        assert process.wait() == 2
    finally:
        process.stop()
    told = process.read_output()
    assert f"127.0.0.1:{port}: cannot be listened on" in told
    assert "another process" in told


@pytest.mark.parametrize("workers", [1, 2])
def test_a_taken_port_is_refused(
    workers: int, state: Path, shared_service: RunningService
) -> None:
    """Were it shared, the kernel would deal callers out to both."""
    port = int(shared_service.address.rpartition(":")[2])
    check_refused(write_config(state, port), workers, port)
    assert shared_service.pseudonymise(NUMBER)


def test_so_is_the_port_for_client_certificates(
    state: Path, shared_service: RunningService
) -> None:
    """Workers would share it, too; it is asked for before any of them starts."""
    taken = int(shared_service.address.rpartition(":")[2])
    file = str(state / "any.pem")
    tls = dict.fromkeys(("certificate", "key", "client_authorities"), file)
    server = {"mtls_address": f"127.0.0.1:{taken}", "tls": tls}
    with hold_free_port() as port:
        check_refused(write_config(state, port, server=server), 2, taken)
