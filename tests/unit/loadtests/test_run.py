"""A whole run against two workers: figures, verdict, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]
PATIENCE = 240
PROFILES = """\
[brief]
about = "everything for a moment, with one worker killed"
users = { unary = 3, batch = 1, table = 1 }
spawn_per_second = 20
warm_up_seconds = 0.5
hold_seconds = 6
calls_at_most = 10_000
known_patients = 3_000
kill_after_seconds = [1]
[brief.thresholds]
failure_rate = 0.001
p99_milliseconds = { pseudonymise_one = 1 }

[long]
about = "until it is stopped"
users = { unary = 1 }
spawn_per_second = 1
warm_up_seconds = 60
hold_seconds = 60
calls_at_most = 100_000
known_patients = 1_000
[long.thresholds]
failure_rate = 0.001
"""


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    written = tmp_path / "profiles.toml"
    written.write_text(PROFILES)
    return written


def start(profiles: Path, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "loadtests.run", "--json"),
            *("--profile", name, "--profiles", str(profiles)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def find_session(leader: int) -> Iterator[list[str]]:
    """Find the command lines of a session, zombies left out."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.cmdline():
                yield process.cmdline()
        except (psutil.Error, ProcessLookupError):
            continue


@pytest.mark.slow
def test_a_run_survives_a_killed_worker_and_judges(profiles: Path) -> None:
    run = start(profiles, "brief")
    out, _ = run.communicate(timeout=PATIENCE)
    figures = json.loads(out)
    assert figures["failure_rate"] == 0.0, figures["failures_by_code"]
    assert figures["workers"] == 2
    assert figures["workers_killed"] == 1
    assert sum(figures["connections"]) == 5
    assert {name for name, one in figures["calls"].items() if one["calls"]} == {
        "pseudonymise_one",
        "pseudonymise_thousand",
        "deidentify_table",
    }
    assert figures["missed"] == ["pseudonymise_one: p99 above 1 ms"]
    assert run.returncode == 1
    assert not list(find_session(run.pid))


@pytest.mark.slow
def test_a_run_that_is_stopped_stops_everything(profiles: Path) -> None:
    run = start(profiles, "long")
    until = time.monotonic() + PATIENCE
    while not any("loadtests.generator" in line for line in find_session(run.pid)):
        assert run.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert not list(find_session(run.pid))


def test_an_unknown_profile_is_a_failure(profiles: Path) -> None:
    run = start(profiles, "other")
    assert run.communicate(timeout=PATIENCE)[0] == ""
    assert run.returncode == 1
