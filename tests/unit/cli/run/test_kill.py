"""A run is killed with SIGKILL at random moments, again and again, then finished."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lib.harnesses.runs import make_rows, read_output, run_files, write_csv
from tests.lib.services.fake_service import FakeService

_CHILD = """
import sys
from pathlib import Path
from types import SimpleNamespace
from tests.lib.harnesses.runs import run_files
address, certificate, source, output = sys.argv[1:]
service = SimpleNamespace(
    address=address, root_certificates=Path(certificate).read_bytes()
)
run_files(service, [Path(source)], Path(output))
"""


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_any_moment_lose_and_double_nothing(
    service: FakeService, tmp_path: Path, seed: int
) -> None:
    source = write_csv(tmp_path / "patients.csv", 5_000)
    certificate = tmp_path / "authority.pem"
    certificate.write_bytes(service.root_certificates)
    output = tmp_path / "released"
    drawn = random.Random(seed)
    arguments = [service.address, str(certificate), str(source), str(output)]
    begun = 0
    for _ in range(3):
        begun += kill_after(drawn.uniform(0.0, 0.1), arguments, output)
    assert begun, "no kill met a run that had begun to commit parts"
    if (output / ".pseudo-run").exists():
        run_files(service, [source], output)
    expected = [row for _, row, _ in make_rows(5_000) if int(row) % 10]
    assert read_output(output)["row"].to_pylist() == expected
    assert not list(output.glob(".*"))


def kill_after(seconds: float, arguments: list[str], output: Path) -> bool:
    """Kill a run a little after it commits a part; return whether it was running."""
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    with child:
        before = count_commits(output)
        while child.poll() is None and count_commits(output) <= before:
            time.sleep(0.005)
        time.sleep(seconds)
        running = child.poll() is None
        child.kill()
    return running


def count_commits(output: Path) -> int:
    return len(list(output.glob(".pseudo-run/part-*.json")))
