"""The same load on two checkouts, turn about, so that a noisy machine disturbs both alike.

The other checkout may have other modules. So a program of it is started by its own
command line, and a service of it is reached over the wire.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAIRS = 3
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A tree of the project and the interpreter that runs it.

    Attributes:
        folder: The root of the tree.
        python: The interpreter; its packages serve this tree.
    """

    folder: Path
    python: str = sys.executable

    def environment(self) -> dict[str, str]:
        """Return the environment in which the tree's own modules are imported."""
        paths = [str(self.folder), str(self.folder / "clients" / "python")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}

    def run_program(self, name: str, arguments: Sequence[str]) -> dict[str, Any]:
        """Run one of the tree's load tests; return the JSON object that it prints."""
        program = self.folder / "loadtests" / name
        command = [self.python, str(program), "--json", *arguments]
        answer = subprocess.run(  # noqa: S603 - a load test of the project
            command,
            check=True,
            stdout=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment(),
        )
        figures: dict[str, Any] = json.loads(answer.stdout)
        return figures


HERE = Checkout(folder=ROOT)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--against``, ``--python`` and ``--pairs``."""
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="another checkout to compare with"
    )
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="FILE",
        help="the interpreter that runs the other checkout (default: this one)",
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=PAIRS,
        help=f"how often each checkout is measured (default: {PAIRS})",
    )


def list_own_arguments() -> list[str]:
    """Return this process's arguments without those of the comparison."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_options(parser)
    parser.add_argument("--json", action="store_true")
    return parser.parse_known_args()[1]


def read_other(options: argparse.Namespace) -> Checkout | None:
    """Return the checkout that ``--against`` names, if it names one.

    Raises:
        SystemExit: The folder holds no checkout.
    """
    if options.against is None:
        return None
    folder = options.against.resolve()
    if not (folder / "pseudo_service").is_dir():
        message = f"--against {options.against}: name the root of a checkout"
        raise SystemExit(message)
    return Checkout(folder=folder, python=options.python)


def compare_programs(
    name: str, arguments: Sequence[str], other: Checkout, *, pairs: int
) -> dict[str, Any]:
    """Run one program of both checkouts in turn, so many times each."""
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(HERE.run_program(name, arguments))
        theirs.append(other.run_program(name, arguments))
    return {**compare(ours, theirs), "pairs": pairs}


def compare(ours: Sequence[Any], theirs: Sequence[Any]) -> dict[str, Any]:
    """Return the medians of both sides, and those of the ratios of the pairs.

    A ratio is this checkout's figure over the other's.
    """
    ratios = [divide(one, other) for one, other in zip(ours, theirs, strict=True)]
    return {
        "here": take_medians(ours),
        "against": take_medians(theirs),
        "ratio": take_medians(ratios),
    }


def take_medians(rounds: Sequence[Any]) -> Any:
    """Return the median of each figure that every round has."""
    if not isinstance(rounds[0], Mapping):
        return statistics.median(rounds)
    shared = set.intersection(*(set(one) for one in rounds))
    return {
        name: take_medians([one[name] for one in rounds])
        for name in rounds[0]
        if name in shared
    }


def divide(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return figure over figure, where both have it and the second is not 0."""
    return {
        name: divide(figure, other[name])
        if isinstance(figure, Mapping)
        else figure / other[name]
        for name, figure in one.items()
        if other.get(name)
    }


def list_figures(figures: Mapping[str, Any], before: str = "") -> list[str]:
    """Return one line a figure for a person to read."""
    lines: list[str] = []
    for name, figure in figures.items():
        if isinstance(figure, Mapping):
            lines += list_figures(figure, f"{before}{name}.")
        else:
            lines.append(f"{before + name:56} {figure:,.2f}")
    return lines
