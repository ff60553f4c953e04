"""No message of Arrow ends the process or fails without a code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PARTS, MESSAGES = 4, 5_000
CHECKED = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the allocator that can be checked
    "MALLOC_CHECK_": "3",
    "MALLOC_PERTURB_": "165",
}
SECONDS = 600


def run(progress: Path, *options: str) -> dict[str, Any]:
    """Return what a run printed; the number of the message that ended it, if one did."""
    arguments = ["--progress", str(progress), *options]
    finished = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.arrow_messages", *arguments],
        cwd=ROOT,
        env=os.environ | CHECKED,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    reached = progress.read_text().strip()
    assert finished.returncode == 0, f"message {reached} of {arguments} ended it"
    told: dict[str, Any] = json.loads(finished.stdout)
    return told


def test_what_did_harm_once_does_none(tmp_path: Path) -> None:
    told = run(tmp_path / "progress", "--messages", "0")
    assert told["unmapped"] == {}
    assert sum(told["counts"].values()) >= 28


@pytest.mark.parametrize("part", range(PARTS))
def test_new_messages_are_answered_or_refused(part: int, tmp_path: Path) -> None:
    """``PSEUDO_FUZZ_SEED`` looks for others."""
    seed = os.environ.get("PSEUDO_FUZZ_SEED", "1")
    first = str(part * MESSAGES)
    told = run(
        tmp_path / "progress",
        *("--seed", seed, "--first", first, "--messages", str(MESSAGES)),
    )
    assert told["unmapped"] == {}
    # Hostile as they are, enough get past each gate that the next one is tried, too.
    counts = told["counts"]
    assert counts["answered"] > MESSAGES // 10
    assert counts["BATCH_MALFORMED"] > MESSAGES // 10
