"""How long it takes to resolve 1,000 pseudonyms against the whole register, on one core.

    python loadtests/linkage_throughput.py --json [--people N] [--single-people N]

Prints one JSON object; README.md beside this file says what each figure means.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loadtests.registers import (
    WANTED,
    build_from_single_calls,
    build_from_tables,
    measure,
)

PEOPLE = 2_500_000
DATA_KEYS = 1000
SINGLE_PEOPLE = 50_000
LEAST_PEOPLE = 10_000
PIPE = "--measure"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument(
        "--single-people",
        type=int,
        default=SINGLE_PEOPLE,
        help="people registered by single calls, at most as many as --people; millions "
        "take half an hour to build",
    )
    parser.add_argument(
        "--data-keys", type=int, default=DATA_KEYS, help="of the single calls"
    )
    parser.add_argument(PIPE, nargs=2, metavar=("WHAT", "FOLDER"), help="for itself")
    options = parser.parse_args()
    if options.measure:
        what, folder = options.measure
        print(json.dumps(measure(what, Path(folder))))
        return
    if options.people < LEAST_PEOPLE:
        parser.error(
            f"--people: at least {LEAST_PEOPLE}, for 1,000 of a tenth are sought"
        )
    single = min(options.people, options.single_people)
    if 0 < single < WANTED:
        parser.error(f"--single-people: 0, or at least the {WANTED} that are sought")
    figures = compare(people=options.people, single=single, data_keys=options.data_keys)
    if options.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:20} {figure}")


def compare(*, people: int, single: int, data_keys: int) -> dict[str, Any]:
    """Return every figure of one run."""
    tenth = _open_after_tables(people // 10)
    whole = _open_after_tables(people)
    figures = {
        **whole,
        "linear": {
            str(people // 10): tenth["seconds_for_1000"],
            str(people): whole["seconds_for_1000"],
        },
    }
    if single:
        figures["single_calls"] = _compact_single_calls(
            single, data_keys=min(single, data_keys)
        )
    return figures


def _open_after_tables(people: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        segments = build_from_tables(Path(folder), people)
        return {**_measure_apart("open", Path(folder)), "segments": segments}


def _compact_single_calls(people: int, *, data_keys: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        segments = build_from_single_calls(Path(folder), people, data_keys=data_keys)
        return {
            "people": people,
            "segments": segments,
            "data_keys": data_keys,
            "before": _measure_apart("open", Path(folder)),
            "compaction": _measure_apart("compact", Path(folder)),
            "after_compaction": _measure_apart("open", Path(folder)),
        }


def _measure_apart(what: str, folder: Path) -> dict[str, Any]:
    """Measure in a fresh process, so that the building leaves no trace in it."""
    command = [sys.executable, __file__, PIPE, what, str(folder)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - itself
    figures: dict[str, Any] = json.loads(answer.stdout)
    return figures


if __name__ == "__main__":
    main()
