"""What a process that dies leaves on the disk: nothing."""

import resource
import subprocess
import sys

PROGRAM = """
import resource
from pseudo_service.cli.main import run_command
run_command(["--version"])
print(*resource.getrlimit(resource.RLIMIT_CORE))
"""


def _allow_core_dumps() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def test_every_command_forbids_core_dumps() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        preexec_fn=_allow_core_dumps,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.splitlines()[-1] == "0 0"
