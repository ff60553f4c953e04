"""Profiles are read strictly and judged by plain rules."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.profiles import (
    PROFILES,
    CallFigures,
    ProfileRefused,
    Thresholds,
    find_failure_rate,
    judge,
    load_profile,
)

NAMES = tuple(tomllib.loads(PROFILES.read_text(encoding="utf-8")))
CALLS_OF = {
    "unary": "pseudonymise_one",
    "batch": "pseudonymise_thousand",
    "table": "deidentify_table",
}
GOOD = CallFigures(
    calls=2000,
    failures=1,
    calls_per_second=100.0,
    p50_milliseconds=5.0,
    p95_milliseconds=8.0,
    p99_milliseconds=10.0,
)
PROMISED = Thresholds(
    failure_rate=0.001,
    p99_milliseconds={"pseudonymise_one": 10},
    calls_per_second={"pseudonymise_one": 100},
    recovered_calls=1,
)


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_is_bounded_and_judges_what_it_sends(name: str) -> None:
    profile = load_profile(name)
    assert 0 < profile.longest_seconds() < 300
    assert 0 < profile.calls_at_most <= 500_000
    assert 0 < profile.thresholds.failure_rate <= 0.001
    sent = {CALLS_OF[kind] for kind in profile.users}
    promised = profile.thresholds
    assert promised.p99_milliseconds.keys() == sent
    assert promised.calls_per_second.keys() <= sent
    assert all(0 < each < profile.hold_seconds for each in profile.kill_after_seconds)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("userz = { unary = 1 }", "userz"),
        ("thresholds.p98 = { a = 1 }", "p98"),
        ("hold_seconds = 0", "time to hold"),
        ("users = {}", "one user"),
    ],
)
def test_a_profile_with_a_mistake_is_refused(
    tmp_path: Path, line: str, named: str
) -> None:
    table = {
        "about": '"x"',
        "users": "{ unary = 1 }",
        "spawn_per_second": "1",
        "warm_up_seconds": "0",
        "hold_seconds": "1",
        "calls_at_most": "1",
    }
    key, _, value = line.partition(" = ")
    table |= {"thresholds.failure_rate": "0.1", key: value}
    written = tmp_path / "profiles.toml"
    lines = [f"{key} = {value}" for key, value in table.items()]
    written.write_text("\n".join(["[one]", *lines]))
    with pytest.raises(ProfileRefused, match=named):
        load_profile("one", written)


def test_a_missing_profile_or_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefused, match="smoke"):
        load_profile("nothing")
    written = tmp_path / "profiles.toml"
    written.write_text('[one]\nabout = "x"\nthresholds.failure_rate = 0.1\n')
    with pytest.raises(ProfileRefused, match="missing"):
        load_profile("one", written)


def test_thresholds_are_met_at_their_very_value() -> None:
    assert judge(PROMISED, {"pseudonymise_one": GOOD}, recovered=1) == []


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (replace(GOOD, failures=2), "failure rate"),
        (replace(GOOD, p99_milliseconds=10.1), "p99"),
        (replace(GOOD, calls_per_second=99.9), "calls a second"),
    ],
)
def test_each_miss_is_said(figures: CallFigures, said: str) -> None:
    (missed,) = judge(PROMISED, {"pseudonymise_one": figures}, recovered=1)
    assert said in missed


def test_a_fault_that_nobody_met_is_a_miss() -> None:
    (missed,) = judge(PROMISED, {"pseudonymise_one": GOOD}, recovered=0)
    assert "met no fault" in missed


def test_a_call_that_was_never_made_keeps_no_promise() -> None:
    assert find_failure_rate({}) == 1.0
    assert len(judge(PROMISED, {}, recovered=1)) == 3
