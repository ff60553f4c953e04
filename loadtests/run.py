"""Load for the whole service: Locust users against ``pseudo serve``, and a verdict.

    python -m loadtests.run --profile unary [--json] [--workers 2]

Exit code 0 when every threshold of the profile holds, else 1. README.md beside this
file says what each figure means.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from loadtests.preparation import ROLE, prepare_project, register_patients
from loadtests.profiles import (
    PROFILES,
    CallFigures,
    Profile,
    ProfileRefused,
    find_failure_rate,
    judge,
    load_profile,
)
from loadtests.servers import Target, serve

ROOT = Path(__file__).resolve().parents[1]


class LoadBroken(Exception):
    """The load itself failed, so there is nothing to judge."""


def main() -> int:
    """Run one profile; print the figures; return the exit code."""
    options = _read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that `with` cleans up
    try:
        profile = load_profile(options.profile, options.profiles)
        figures = measure(profile, options)
    except (ProfileRefused, LoadBroken) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(figures) if options.json else _describe(figures))
    return 0 if figures["passed"] else 1


def measure(profile: Profile, options: argparse.Namespace) -> dict[str, Any]:
    """Return every figure of one run; whatever was started is stopped."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), workers=options.workers) as target,
    ):
        prepare_project(target)
        register_patients(target, profile.known_patients)
        with _generate(profile, target, options) as generator:
            figures = _watch(generator, target, profile)
        target.wait_for_workers(options.workers)  # whoever was killed is back
    calls = {name: CallFigures(**one) for name, one in figures["calls"].items()}
    missed = judge(profile.thresholds, calls, recovered=figures["recovered_calls"])
    return {
        "profile": options.profile,
        "passed": not missed,
        "missed": missed,
        "workers": options.workers,
        "users": dict(profile.users),
        "cores": os.cpu_count(),
        "failure_rate": find_failure_rate(calls),
        **figures,
    }


@contextmanager
def _generate(
    profile: Profile, target: Target, options: argparse.Namespace
) -> Iterator["subprocess.Popen[str]"]:
    """Start the generator, a process of its own, which is killed when overdue."""
    generator = subprocess.Popen(
        [sys.executable, "-m", "loadtests.generator"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    overdue = threading.Timer(profile.longest_seconds(), generator.kill)
    overdue.start()
    try:
        assert generator.stdin is not None
        token = target.issuer.issue(
            "load-test", [ROLE], lifetime=timedelta(hours=2), now=datetime.now(UTC)
        )
        order = {
            "profile": options.profile,
            "profiles": str(options.profiles.resolve()),
            "address": target.address,
            "authorities": target.authorities.decode(),
            "token": token,
        }
        generator.stdin.write(json.dumps(order))
        generator.stdin.close()
        yield generator
    finally:
        overdue.cancel()
        generator.kill()
        generator.wait()


def _watch(
    generator: "subprocess.Popen[str]", target: Target, profile: Profile
) -> dict[str, Any]:
    """Follow the load to its end, killing workers where the profile says so."""
    assert generator.stdout is not None
    if not generator.stdout.readline():
        msg = "the load ended before it held; see the lines above"
        raise LoadBroken(msg)
    workers = target.list_workers()
    connections = [_count_connections(one) for one in workers]
    before = [_read_cpu(one) for one in workers]
    stop = threading.Event()
    killed: list[int] = []
    killer = threading.Thread(
        target=_kill_workers, args=(target, profile, stop, killed)
    )
    killer.start()
    try:
        line = generator.stdout.readline()
        after = [] if killed else [_read_cpu(one) for one in workers]
    finally:
        stop.set()
        killer.join()
    if not line:
        msg = "the load broke off while it held; see the lines above"
        raise LoadBroken(msg)
    figures: dict[str, Any] = json.loads(line)
    figures |= {"workers_killed": len(killed), "connections": connections}
    if after:
        share = (sum(after) - sum(before)) / figures["held_seconds"]
        figures["service_cpu_share"] = share
    return figures


def _kill_workers(
    target: Target, profile: Profile, stop: threading.Event, killed: list[int]
) -> None:
    """Kill the oldest worker at each of the profile's moments."""
    began = time.monotonic()
    for moment in profile.kill_after_seconds:
        if stop.wait(max(0.0, began + moment - time.monotonic())):
            return
        victim = target.list_workers()[0]
        victim.kill()
        killed.append(victim.pid)


def _read_cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _count_connections(process: psutil.Process) -> int:
    found = process.net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED for one in found)


def _describe(figures: dict[str, Any]) -> str:
    lines = [f"{'call':24}{'calls':>9}{'/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
    for name, one in figures["calls"].items():
        lines.append(
            f"{name:24}{one['calls']:9,}{one['calls_per_second']:9.1f}"
            f"{one['p50_milliseconds']:9.1f}{one['p95_milliseconds']:9.1f}"
            f"{one['p99_milliseconds']:9.1f}"
        )
    skipped = {"calls", "missed", "profile", "passed"}
    lines += [f"{key}: {figures[key]}" for key in figures.keys() - skipped]
    lines += [f"missed: {line}" for line in figures["missed"]]
    verdict = "passed" if figures["passed"] else "FAILED"
    return "\n".join([*lines, f"{figures['profile']}: {verdict}"])


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", required=True, help="its name in profiles.toml")
    parser.add_argument("--profiles", type=Path, default=PROFILES)
    parser.add_argument("--workers", type=int, default=2, help="serving processes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
