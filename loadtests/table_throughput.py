"""Rows a second through the whole service, against an echo over the same transport.

    python loadtests/table_throughput.py --json [--quick] [--against DIR]

Prints one JSON object; README.md beside this file says what each figure means.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pseudo_client import Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loadtests.comparison import (
    HERE,
    Checkout,
    add_options,
    compare,
    list_figures,
    read_other,
    take_medians,
)
from loadtests.kernels import compare_kernels
from loadtests.preparation import ROLE, prepare_project
from loadtests.servers import Target, serve, serve_echo
from loadtests.tables import PROJECT, make_batches, make_nhs_numbers
from pseudo_service.bootstrap.service import MEMORY_SECONDS

ROWS = 65_536
DISTINCT = ROWS // 5
POOL = 200_000
NEW_POOL = 80_000
NEW_STEMS = 90_000
"""Stems from the first of a round's new patients to the first of the next round's."""
_FIRST_NEW = 230_000  # beyond the stems of the pool
MEGABYTE = 1 << 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds, without memory figures"
    )
    parser.add_argument(
        "--repeats",
        type=int,
        help="how often a round sends the eight batches (default: 12, quick 5)",
    )
    parser.add_argument("--rounds", type=int, help="(default: 7, quick 3)")
    parser.add_argument(
        "--distinct",
        type=int,
        help="numbers of the kernel's comparison (default: 500,000, quick 200,000)",
    )
    add_options(parser)
    options = parser.parse_args()
    other = read_other(options)
    size = _read_size(options)
    figures = measure(size) if other is None else measure_against(other, size)
    print(json.dumps(figures) if options.json else "\n".join(list_figures(figures)))


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int
    repeats: int
    distinct: int
    with_memory: bool


def _read_size(options: argparse.Namespace) -> Size:
    rounds, repeats, distinct = (3, 5, 200_000) if options.quick else (7, 12, 500_000)
    if options.against is not None:
        rounds = options.pairs
    return Size(
        rounds=options.rounds or rounds,
        repeats=options.repeats or repeats,
        distinct=options.distinct or distinct,
        with_memory=not options.quick,
    )


def measure(size: Size) -> dict[str, Any]:
    """Return every figure of one run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        echo = stack.enter_context(serve_echo(folder))
        echo_client = stack.enter_context(echo.connect(ROLE))
        side = stack.enter_context(_open_side(HERE, size))
        rounds = [
            side.measure(turn)
            | {"echo_rows_per_second": _stream(echo_client, side.known)}
            for turn in range(size.rounds)
        ]
    figures: dict[str, Any] = take_medians(rounds)
    figures["ratio_to_echo"] = (
        figures["rows_per_second"] / figures["echo_rows_per_second"]
    )
    if size.with_memory:
        with tempfile.TemporaryDirectory() as name, serve(Path(name)) as service:
            prepare_project(service)
            figures |= _measure_growth(service, _make_known())
            figures |= _measure_registration(service)
    ours, loop = compare_kernels(distinct=size.distinct, rounds=size.rounds)
    figures["distinct_per_second_per_core"] = ours
    figures["ratio_to_cryptography_loop"] = ours / loop
    return figures


def measure_against(other: Checkout, size: Size) -> dict[str, Any]:
    """Return the figures of both checkouts' services under one load, turn about."""
    with ExitStack() as stack:
        sides = [stack.enter_context(_open_side(one, size)) for one in (HERE, other)]
        rounds = [[side.measure(turn) for side in sides] for turn in range(size.rounds)]
    return {**compare(*zip(*rounds, strict=True)), "pairs": size.rounds}


@dataclass(frozen=True, kw_only=True)
class Side:
    """A service, and the batches of patients whom it knows."""

    client: Client
    known: list[pa.RecordBatch]

    def measure(self, turn: int) -> dict[str, float]:
        """Send new patients, others each turn, then known ones; return the speeds."""
        numbers = make_nhs_numbers(NEW_POOL, first=_FIRST_NEW + turn * NEW_STEMS)
        new = _make_batches(numbers, seed=100 + turn)
        return {
            "rows_per_second_of_new_patients": _stream(self.client, new),
            "rows_per_second": _stream(self.client, self.known),
        }


@contextmanager
def _open_side(checkout: Checkout, size: Size) -> Iterator[Side]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = stack.enter_context(serve(folder, checkout=checkout))
        prepare_project(service)
        client = stack.enter_context(service.connect(ROLE))
        known = _make_known()
        _stream(client, known)  # registers them
        yield Side(client=client, known=known * size.repeats)


def _make_known() -> list[pa.RecordBatch]:
    return _make_batches(make_nhs_numbers(POOL), seed=7)


def _make_batches(patients: pa.StringArray, *, seed: int) -> list[pa.RecordBatch]:
    return make_batches(patients, batches=8, rows=ROWS, distinct=DISTINCT, seed=seed)


def _measure_growth(service: Target, batches: list[pa.RecordBatch]) -> dict[str, float]:
    """Return how much the server grows from the 1st to the 20th million rows."""
    at: dict[int, int] = {}

    def watch() -> Iterator[pa.RecordBatch]:
        sent = 0
        while sent < 21_000_000:  # noqa: PLR2004 - the 20th million, and one in flight
            for batch in batches:
                yield batch
                sent += batch.num_rows
                million = sent // 1_000_000
                if million in {1, 20} and million not in at:
                    at[million] = service.measure_memory()

    with service.connect(ROLE) as client:
        _stream(client, watch())
    return {"server_growth_mb": (at[20] - at[1]) / MEGABYTE}


def _measure_registration(service: Target) -> dict[str, float]:
    """Return how many bytes the server grows by for a newly registered patient."""
    new = 600_000
    patients = make_nhs_numbers(new, first=2 * POOL - POOL // 2)
    table = make_batches(
        patients[:DISTINCT], batches=1, rows=ROWS, distinct=DISTINCT, seed=3
    )[0]

    def introduce(numbers: pa.StringArray) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(numbers) - DISTINCT + 1, DISTINCT):
            some = numbers[start : start + DISTINCT]
            yield table.slice(0, len(some)).set_column(0, "nhs_number", some)

    with service.connect(ROLE) as client:
        _stream(client, introduce(patients[:100_000]))
        before = _measure_at_rest(service)
        _stream(client, introduce(patients[100_000:]))
        after = _measure_at_rest(service)
    registered = (new - 100_000) // DISTINCT * DISTINCT
    return {"bytes_per_registered_patient": max(0.0, (after - before) / registered)}


def _measure_at_rest(service: Target) -> int:
    """Return the server's memory once it has given back what a stream took."""
    time.sleep(MEMORY_SECONDS + 2.0)
    return service.measure_memory()


def _stream(client: Client, batches: Iterable[pa.RecordBatch]) -> float:
    """Send batches through, throw the answers away; return rows a second."""
    started = time.perf_counter()
    rows = 0
    answers = client.deidentify(
        batches, project=PROJECT, policy="admissions@1", purpose="load test"
    )
    for batch in answers:
        rows += batch.num_rows
    return rows / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
