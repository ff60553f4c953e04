"""The process that makes the load: Locust without its web page.

Reads one JSON object from standard input and writes JSON lines to standard output:
``{"holding": true}`` when calls begin to count, then the figures.
"""

import loadtests.greenlets  # noqa: F401 - it patches, so it comes before all others

# isort: split
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gevent
import locust.stats
from gevent.event import Event
from locust.env import Environment
from locust.runners import LocalRunner

from loadtests.profiles import CallFigures, Profile, load_profile
from loadtests.users import Load, build_users

STOP_SECONDS = 10.0
TICK_SECONDS = 0.1


def main() -> None:
    """Make the load that standard input asks for."""
    order = json.load(sys.stdin)
    # Locust rounds times to two digits, to spare its master process work.
    locust.stats.bucket_response_time = _round  # type: ignore[assignment]
    load = Load(
        profile=load_profile(order["profile"], Path(order["profiles"])),
        address=order["address"],
        authorities=order["authorities"].encode(),
        token=order["token"],
    )
    load.prepare()
    environment = Environment(user_classes=build_users(load), stop_timeout=STOP_SECONDS)
    runner = environment.create_local_runner()
    try:
        _ramp(environment, runner, load.profile)
        figures = _hold(environment, runner, load)
    finally:
        runner.quit()
    _say(figures)
    sys.stdout.flush()
    os._exit(0)  # gRPC's threads under gevent have nothing left to tell


def _ramp(environment: Environment, runner: LocalRunner, profile: Profile) -> None:
    ramped = Event()
    done = environment.events.spawning_complete
    done.add_listener(lambda **_: ramped.set())  # type: ignore[no-untyped-call]
    runner.start(sum(profile.users.values()), profile.spawn_per_second)
    if not ramped.wait(profile.longest_seconds()):
        msg = "the users did not start"
        raise RuntimeError(msg)
    gevent.sleep(profile.warm_up_seconds)


def _hold(environment: Environment, runner: LocalRunner, load: Load) -> dict[str, Any]:
    environment.stats.reset_all()
    load.tally.retries = load.tally.recovered = 0
    _say({"holding": True})
    started, cpu = time.perf_counter(), time.process_time()
    until = started + load.profile.hold_seconds
    while time.perf_counter() < until and runner.user_count:
        gevent.sleep(TICK_SECONDS)
    held = time.perf_counter() - started
    calls = {
        name: asdict(_read(entry, held))
        for (name, _), entry in environment.stats.entries.items()
    }
    return {
        "held_seconds": held,
        "calls": calls,
        "failures_by_code": {
            f"{one.name} {one.error}": one.occurrences
            for one in environment.stats.errors.values()
        },
        "retries": load.tally.retries,
        "recovered_calls": load.tally.recovered,
        "generator_cpu_share": (time.process_time() - cpu) / held,
    }


def _read(entry: locust.stats.StatsEntry, held: float) -> CallFigures:
    def find(share: float) -> float:
        return float(entry.get_response_time_percentile(share))

    return CallFigures(
        calls=entry.num_requests,
        failures=entry.num_failures,
        calls_per_second=(entry.num_requests - entry.num_failures) / held,
        p50_milliseconds=find(0.50),
        p95_milliseconds=find(0.95),
        p99_milliseconds=find(0.99),
    )


def _round(milliseconds: float) -> float:
    return round(milliseconds, 1)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
