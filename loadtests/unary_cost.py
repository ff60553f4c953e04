"""What a unary call costs: how long its caller waits, and what the server computes.

    python loadtests/unary_cost.py --json [--calls N] [--against DIR]

Prints one JSON object; README.md beside this file says what each figure means.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

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
from loadtests.preparation import (
    ROLE,
    prepare_notes,
    prepare_project,
    register_patients,
)
from loadtests.servers import Target, serve
from loadtests.tables import PROJECT, make_nhs_numbers
from pseudo_client import Client, Text

PATIENTS = 1_000
HUNDRED = 100
PURPOSE = "load test"
NOTE = "Seen with Mrs Agyemang on 3 April 2024; call 020 7946 0018 with the results."
SETTINGS: dict[str, Any] = {"text": {"modes": ["fast"]}}


def main() -> None:
    """Measure and print."""
    options = _read_options()
    other = read_other(options)
    checkouts = [HERE] if other is None else [HERE, other]
    with ExitStack() as stack:
        sides = [
            stack.enter_context(_open_side(checkout, options.callers))
            for checkout in checkouts
        ]
        for side in sides:
            side.measure(options.warm_up)
        rounds = [_measure_in_turn(sides, options.calls) for _ in range(options.pairs)]
    measured = list(zip(*rounds, strict=True))
    figures = (
        {"here": take_medians(measured[0])} if other is None else compare(*measured)
    )
    figures |= {name: getattr(options, name) for name in ("calls", "pairs", "callers")}
    print(json.dumps(figures) if options.json else "\n".join(list_figures(figures)))


class Side:
    """A server, and the callers that it answers."""

    def __init__(self, target: Target, clients: Sequence[Client]) -> None:
        self._target = target
        self._clients = clients
        numbers = make_nhs_numbers(PATIENTS).to_pylist()
        # Neighbouring numbers would look like a search for whoever is in the register.
        random.Random(11).shuffle(numbers)  # noqa: S311 - the same load each time
        self._numbers: list[str] = numbers
        self._turns = count()

    def measure(self, calls: int) -> dict[str, dict[str, float]]:
        """Make so many calls of each kind; return the figures of each."""
        loads: dict[str, Callable[[Client], None]] = {
            "pseudonymise_one": lambda client: self._pseudonymise(client, 1),
            "pseudonymise_hundred": lambda client: self._pseudonymise(client, HUNDRED),
            "redact_one": _redact,
        }
        return {name: self._measure(call, calls) for name, call in loads.items()}

    def _measure(self, call: Callable[[Client], None], calls: int) -> dict[str, float]:
        shares = [calls // len(self._clients)] * len(self._clients)
        before = self._target.measure_processor()
        with ThreadPoolExecutor(len(self._clients)) as pool:
            answers = pool.map(
                lambda client, share: _time_calls(call, client, share),
                self._clients,
                shares,
            )
            waits = sorted(wait for some in answers for wait in some)
        used = self._target.measure_processor() - before
        return {
            "median_milliseconds": statistics.median(waits) * 1000,
            "p99_milliseconds": waits[-1 - len(waits) // 100] * 1000,
            "server_cpu_milliseconds": used / len(waits) * 1000,
        }

    def _pseudonymise(self, client: Client, size: int) -> None:
        start = next(self._turns) * size % PATIENTS
        answers = client.pseudonymise(
            self._numbers[start : start + size],
            kind="nhs_number",
            project=PROJECT,
            purpose=PURPOSE,
        )
        if len(answers) != size or not all(one.pseudonym for one in answers):
            message = "the service refused an identifier"
            raise SystemExit(message)


@contextmanager
def _open_side(checkout: Checkout, callers: int) -> Iterator[Side]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        target = stack.enter_context(serve(folder, checkout=checkout, **SETTINGS))
        prepare_project(target)
        prepare_notes(target)
        register_patients(target, PATIENTS)
        clients = [stack.enter_context(target.connect(ROLE)) for _ in range(callers)]
        yield Side(target, clients)


def _measure_in_turn(sides: Sequence[Side], calls: int) -> list[dict[str, Any]]:
    return [side.measure(calls) for side in sides]


def _redact(client: Client) -> None:
    answer = client.redact_text(
        [Text(text=NOTE)],
        project=PROJECT,
        policy="notes@1",
        column="note",
        purpose=PURPOSE,
    )
    (result,) = answer.texts
    if result.text is None or "Agyemang" in result.text:
        message = "the service did not redact a note"
        raise SystemExit(message)


def _time_calls(
    call: Callable[[Client], None], client: Client, calls: int
) -> list[float]:
    waits = []
    for _ in range(calls):
        started = time.perf_counter()
        call(client)
        waits.append(time.perf_counter() - started)
    return waits


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--calls", type=int, default=300, help="calls of each kind, each time"
    )
    parser.add_argument(
        "--warm-up", type=int, default=50, help="calls of each kind that do not count"
    )
    parser.add_argument("--callers", type=int, default=1, help="at the same time")
    add_options(parser)
    options = parser.parse_args()
    if not 1 <= options.callers <= min(options.calls, options.warm_up):
        parser.error("--callers: at least 1, at most --calls and --warm-up")
    if options.pairs < 1:
        parser.error("--pairs: at least 1")
    return options


if __name__ == "__main__":
    main()
