"""Every load test runs for some seconds: its figures are there, and none is absurd."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from loadtests.comparison import HERE, ROOT

PATIENCE = 600  # of a machine that others use; a quiet one takes seconds
README = (ROOT / "loadtests" / "README.md").read_text(encoding="utf-8")
PROFILE = """\
[brief]
about = "every kind of call for a moment"
users = { unary = 1, batch = 1, table = 1 }
spawn_per_second = 20
warm_up_seconds = 0.1
hold_seconds = 2
calls_at_most = 10_000
known_patients = 1_000
[brief.thresholds]
failure_rate = 0.001
"""
PARTS = {"echo_server.py", "generator.py"}  # programs that others start
CALLS = {"pseudonymise_one", "pseudonymise_thousand", "deidentify_table"}
COSTS = {"median_milliseconds", "p99_milliseconds", "server_cpu_milliseconds"}
UNARY = {"pseudonymise_one", "pseudonymise_hundred", "redact_one"}
OPENING = {
    "people",
    "seconds_for_1000",
    "processor_seconds",
    "people_per_second",
    "peak_mb",
    "at_rest_mb",
}
TEXT = {
    "words_per_second_per_core",
    "thorough_words_per_second_per_core",
    "peak_mb",
    "rounds",
}
TABLE = {
    "rows_per_second",
    "echo_rows_per_second",
    "ratio_to_echo",
    "rows_per_second_of_new_patients",
    "distinct_per_second_per_core",
    "ratio_to_cryptography_loop",
}


def run(program: str, *arguments: str) -> dict[str, Any]:
    """Return what a load test prints, which is one JSON object."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "loadtests" / program), "--json", *arguments],
        cwd=ROOT,
        env=HERE.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    figures: dict[str, Any] = json.loads(ended.stdout)
    for name in list_names(figures):
        assert f"`{name}`" in README, f"README.md does not say what {name} is"
    return figures


def list_names(figures: Mapping[str, Any]) -> Iterator[str]:
    """List the names of figures, also of those within others; numbers are no names."""
    for name, figure in figures.items():
        if not name.isdecimal():
            yield name
        if isinstance(figure, Mapping) and name not in {"users", "failures_by_code"}:
            yield from list_names(figure)


def list_numbers(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, figure in figures.items():
        if isinstance(figure, Mapping):
            yield from list_numbers(figure)
        else:
            yield name, figure


def check_positive(figures: Mapping[str, Any]) -> None:
    for name, figure in list_numbers(figures):
        assert math.isfinite(figure), name
        assert figure > 0, name


def test_a_profile(tmp_path: Path) -> None:
    profiles = tmp_path / "profiles.toml"
    profiles.write_text(PROFILE)
    brief = ("--profile", "brief", "--profiles", str(profiles), "--workers", "1")
    figures = run("run.py", *brief)
    assert figures["passed"]
    assert figures["failure_rate"] == 0.0
    assert {name for name, one in figures["calls"].items() if one["calls"]} == CALLS
    for one in figures["calls"].values():
        check_positive({**one, "failures": 1})
    assert figures["held_seconds"] >= 2
    assert figures["connections"] == [3]
    assert figures["generator_cpu_share"] > 0
    assert figures["service_cpu_share"] > 0


def test_one_large_table() -> None:
    quick = ("--quick", "--rounds", "1", "--repeats", "1", "--distinct", "20000")
    figures = run("table_throughput.py", *quick)
    assert figures.keys() == TABLE
    check_positive(figures)


def test_free_text_beside_presidio() -> None:
    figures = run("text_throughput.py", "--rounds", "1", "--words", "400")
    assert figures.keys() == TEXT | {"presidio_words_per_second", "ratio_to_presidio"}
    check_positive(figures)


def test_the_memory_of_free_text() -> None:
    figures = run("text_throughput.py", "--memory", "20")
    grown = figures.pop("growth_mb")
    assert -100 < grown < 1_000
    assert figures.pop("notes") == 20
    assert figures.keys() == {"settled_mb", "peak_mb", "words_per_second"}
    check_positive(figures)


def test_the_opening_of_the_register() -> None:
    small = ("--people", "10000", "--single-people", "1000", "--data-keys", "20")
    figures = run("linkage_throughput.py", *small)
    singles, linear = figures.pop("single_calls"), figures.pop("linear")
    assert figures.keys() == OPENING | {"segments"}
    assert figures["people"] == 10_000
    assert linear.keys() == {"1000", "10000"}
    assert singles.keys() == {
        "people",
        "segments",
        "data_keys",
        "before",
        "compaction",
        "after_compaction",
    }
    assert singles["before"].keys() == singles["after_compaction"].keys() == OPENING
    assert singles["data_keys"] == 20
    assert singles["compaction"]["segments_after"] < singles["segments"]
    check_positive({**figures, "linear": linear, "singles": singles})


def test_a_unary_call_here_and_in_another_checkout() -> None:
    few = ("--calls", "10", "--warm-up", "2", "--callers", "2", "--pairs", "1")
    figures = run("unary_cost.py", *few, "--against", str(ROOT))
    assert [figures.pop(name) for name in ("calls", "callers", "pairs")] == [10, 2, 1]
    assert figures.keys() == {"here", "against", "ratio"}
    for side in ("here", "against"):
        assert figures[side].keys() == UNARY
        for costs in figures[side].values():
            assert costs.keys() == COSTS
            assert costs["median_milliseconds"] <= costs["p99_milliseconds"]
            check_positive({**costs, "server_cpu_milliseconds": 1})
            # Ten calls may take less than a tick of the kernel's count.
            assert costs["server_cpu_milliseconds"] >= 0


def test_one_large_table_here_and_in_another_checkout() -> None:
    few = ("--quick", "--repeats", "1", "--pairs", "1")
    figures = run("table_throughput.py", *few, "--against", str(ROOT))
    assert figures.pop("pairs") == 1
    assert figures.keys() == {"here", "against", "ratio"}
    for side in figures.values():
        assert side.keys() == {"rows_per_second", "rows_per_second_of_new_patients"}
        check_positive(side)


def test_a_program_of_two_checkouts() -> None:
    few = ("--rounds", "1", "--words", "200", "--pairs", "1")
    figures = run("text_throughput.py", *few, "--against", str(ROOT))
    assert figures.keys() == {"here", "against", "ratio", "pairs"}
    assert figures["here"].keys() == figures["against"].keys() == TEXT
    assert figures["ratio"].keys() == TEXT
    check_positive(figures)


@pytest.mark.parametrize(
    "program", ["table_throughput.py", "text_throughput.py", "unary_cost.py"]
)
def test_a_folder_that_is_no_checkout_is_refused(program: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, f"loadtests/{program}", "--against", str(tmp_path)],
        cwd=ROOT,
        env=HERE.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    assert "name the root of a checkout" in ended.stderr


def test_every_program_has_a_run_here() -> None:
    programs = {
        file.name
        for file in (ROOT / "loadtests").glob("*.py")
        if '__name__ == "__main__"' in file.read_text(encoding="utf-8")
    }
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(programs) > len(PARTS)
    assert [name for name in programs - PARTS if f'"{name}"' not in here] == []
