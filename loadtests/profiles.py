"""Profiles: how much load, for how long, and what must hold meanwhile."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PROFILES = Path(__file__).with_name("profiles.toml")


class ProfileRefused(Exception):
    """A profile cannot be used; the message names the key at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a profile promises; a call is named as its user names it.

    Attributes:
        failure_rate: Calls that failed after all retries, of all calls: below this.
        p99_milliseconds: At most this, by name of call.
        calls_per_second: At least this, by name of call.
        recovered_calls: So many calls at least succeeded only after a retry.
    """

    failure_rate: float
    p99_milliseconds: Mapping[str, float] = field(default_factory=dict)
    calls_per_second: Mapping[str, float] = field(default_factory=dict)
    recovered_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One load.

    Attributes:
        about: What it is for.
        users: How many at once, by kind ("unary", "batch", "table").
        spawn_per_second: Users started a second.
        warm_up_seconds: Between the last user's start and the first counted call.
        hold_seconds: How long calls are counted.
        calls_at_most: The load ends early when so many calls were begun.
        thresholds: What must hold.
        calls_per_second_per_user: The pace of each user; 0: as fast as it can.
        known_patients: Registered before the load begins.
        new_share: The chance that an identifier belongs to a new patient.
        kill_after_seconds: When, within the hold, one worker is killed.
    """

    about: str
    users: Mapping[str, int]
    spawn_per_second: float
    warm_up_seconds: float
    hold_seconds: float
    calls_at_most: int
    thresholds: Thresholds
    calls_per_second_per_user: float = 0.0
    known_patients: int = 20_000
    new_share: float = 0.01
    kill_after_seconds: tuple[float, ...] = ()

    def longest_seconds(self) -> float:
        """Return after how long a load that has not ended is broken."""
        ramp = sum(self.users.values()) / self.spawn_per_second
        return ramp + self.warm_up_seconds + self.hold_seconds + 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """How the calls of one name went while the load held."""

    calls: int
    failures: int
    calls_per_second: float
    p50_milliseconds: float
    p95_milliseconds: float
    p99_milliseconds: float


def load_profile(name: str, path: Path = PROFILES) -> Profile:
    """Read one profile.

    Raises:
        ProfileRefused: There is no such profile, or a key is unknown or missing.
    """
    profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    if name not in profiles:
        msg = f"no profile {name}: there are {', '.join(profiles)}"
        raise ProfileRefused(msg)
    table = profiles[name]
    thresholds = _build(Thresholds, table.get("thresholds", {}), f"{name}.thresholds")
    profile: Profile = _build(Profile, {**table, "thresholds": thresholds}, name)
    if sum(profile.users.values()) < 1 or profile.hold_seconds <= 0:
        msg = f"{name}: it needs at least one user and a time to hold"
        raise ProfileRefused(msg)
    return profile


def judge(
    thresholds: Thresholds, calls: Mapping[str, CallFigures], *, recovered: int
) -> list[str]:
    """Return one line for each threshold that was missed.

    A threshold for a call that was never made is missed.
    """
    missed = []
    rate = find_failure_rate(calls)
    if not rate < thresholds.failure_rate:
        missed.append(f"failure rate {rate:.4%}, not below {thresholds.failure_rate:%}")
    for name, most in thresholds.p99_milliseconds.items():
        if name not in calls or calls[name].p99_milliseconds > most:
            missed.append(f"{name}: p99 above {most:g} ms")
    for name, least in thresholds.calls_per_second.items():
        if name not in calls or calls[name].calls_per_second < least:
            missed.append(f"{name}: fewer than {least:g} calls a second")
    if recovered < thresholds.recovered_calls:
        missed.append(f"{recovered} calls succeeded by a retry: the load met no fault")
    return missed


def find_failure_rate(calls: Mapping[str, CallFigures]) -> float:
    """Return the share of calls that failed; of no calls, all did."""
    made = sum(one.calls for one in calls.values())
    return sum(one.failures for one in calls.values()) / made if made else 1.0


def _build(kind: Any, table: Mapping[str, Any], where: str) -> Any:
    unknown = table.keys() - {one.name for one in fields(kind)}
    if unknown:
        msg = f"{where}: unknown key {', '.join(sorted(unknown))}"
        raise ProfileRefused(msg)
    try:
        return kind(**table)
    except TypeError:
        msg = f"{where}: a key is missing"
        raise ProfileRefused(msg) from None
