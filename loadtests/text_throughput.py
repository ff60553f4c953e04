"""Words a second of free text through the whole search, in one process on one core.

    python loadtests/text_throughput.py --json [--texts FILE] [--memory NOTES]

Prints one JSON object; README.md beside this file says what each figure means.
"""

import os

# Before anything is imported that starts threads when it is loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loadtests.comparison import (
    add_options,
    compare_programs,
    list_figures,
    list_own_arguments,
    read_other,
)
from loadtests.texts import Words, cut_rounds, read_texts
from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN
from nlp_redaction.pipeline import Finder

ROUNDS = 5
FAST_WORDS = 24_000
THOROUGH_SHARE = 4  # thorough is several times slower: it reads a quarter
MEGABYTE = 1 << 20
KILOBYTE = 1 << 10
# Seconds as they pass, or, with --cpu, as this process gets them.
CLOCK: Callable[[], float] = time.perf_counter
PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--texts", type=Path, help='JSON lines with "text" (default: the corpus)'
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--words",
        type=int,
        default=FAST_WORDS,
        help="words a round of the mode fast; thorough reads a quarter of them",
    )
    parser.add_argument(
        "--without-presidio", action="store_true", help="only our own figures"
    )
    parser.add_argument(
        "--memory", type=int, default=0, metavar="NOTES", help="stream so many notes"
    )
    parser.add_argument("--mode", default="fast", help="of --memory (default: fast)")
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="count the processor's seconds, not the clock's: for a busy machine",
    )
    add_options(parser)
    options = parser.parse_args()
    other = read_other(options)
    if other is None:
        figures = _measure_here(options)
    else:
        figures = compare_programs(
            Path(__file__).name,
            # Presidio is a figure of neither checkout.
            [*list_own_arguments(), "--without-presidio"],
            other,
            pairs=options.pairs,
        )
    print(json.dumps(figures) if options.json else "\n".join(list_figures(figures)))


def _measure_here(options: argparse.Namespace) -> dict[str, Any]:
    if options.cpu:
        global CLOCK  # noqa: PLW0603 - one clock a run
        CLOCK = time.process_time
    texts = read_texts(options.texts)
    if options.memory:
        return measure_memory(texts, options.memory, options.mode)
    _stay_on_one_core()
    return measure(
        texts,
        rounds=options.rounds,
        words=options.words,
        with_presidio=not options.without_presidio,
    )


def measure(
    texts: Sequence[str], *, rounds: int, words: int, with_presidio: bool
) -> dict[str, float]:
    """Return every figure of one run.

    Each round takes texts that no round before it has read, so that nothing that is
    remembered helps; within a round all searches alternate, so that a noisy machine
    disturbs them alike. ``fast`` and Presidio read the same texts.
    """
    fast, thorough = Finder("fast"), Finder("thorough")
    _search(fast, texts[:20])
    _search(thorough, texts[:20])
    analyse = None
    fast_rounds = cut_rounds(texts, rounds, words)
    thorough_rounds = cut_rounds(texts, rounds, words // THOROUGH_SHARE)
    rates: dict[str, list[float]] = {"fast": [], "thorough": [], "presidio": []}
    peak = 0.0
    for number, (some, few) in enumerate(
        zip(fast_rounds, thorough_rounds, strict=True)
    ):
        rates["fast"].append(_rate(some, lambda texts: _search(fast, texts)))
        rates["thorough"].append(_rate(few, lambda texts: _search(thorough, texts)))
        if number == 0:
            # What we need ourselves: Presidio's engine is loaded only now.
            peak = measure_peak()
            analyse = _make_presidio() if with_presidio else None
        if analyse is not None:
            rates["presidio"].append(_rate(some, analyse))
    return _sum_up(rates) | {"peak_mb": peak, "rounds": rounds}


def _sum_up(rates: dict[str, list[float]]) -> dict[str, float]:
    ours = statistics.median(rates["fast"])
    figures = {
        "words_per_second_per_core": ours,
        "thorough_words_per_second_per_core": statistics.median(rates["thorough"]),
    }
    if rates["presidio"]:
        ratios = [
            fast / other
            for fast, other in zip(rates["fast"], rates["presidio"], strict=True)
        ]
        figures["presidio_words_per_second"] = statistics.median(rates["presidio"])
        figures["ratio_to_presidio"] = statistics.median(ratios)
    return figures


def _search(finder: Finder, texts: Sequence[str]) -> None:
    for _ in finder.find_all((text, NOTHING_KNOWN) for text in texts):
        pass


def _make_presidio() -> Callable[[Sequence[str]], None]:
    # Loaded late: its memory is not ours.
    from loadtests.presidio import make_analyser  # noqa: PLC0415

    analyse = make_analyser()

    def run(texts: Sequence[str]) -> None:
        for text in texts:
            analyse(text)

    run(["Dr Ada Smith rang on 3 April 2021 from a@b.example."])
    return run


def _rate(round_of: Words, work: Callable[[Sequence[str]], None]) -> float:
    began = CLOCK()
    work(round_of.texts)
    return round_of.words / (CLOCK() - began)


def measure_memory(texts: Sequence[str], notes: int, mode: str) -> dict[str, float]:
    """Return how much the process grows while notes stream through it.

    The first tenth fills what is filled once; growth is counted from there. No two notes
    are alike, so that whatever is remembered of a note would show.
    """
    finder = Finder(mode)
    settled = max(1, notes // 10)
    at_rest = 0.0
    words = 0
    began = time.perf_counter()
    stream = (
        (f"Note {number}.\n{texts[number % len(texts)]}\nEnd {number}.", NOTHING_KNOWN)
        for number in range(notes)
    )
    for number, _ in enumerate(finder.find_all(stream), 1):
        words += len(texts[(number - 1) % len(texts)].split()) + 4
        if number == settled:
            at_rest = measure_resident()
    seconds = time.perf_counter() - began
    return {
        "notes": notes,
        "settled_mb": at_rest,
        "growth_mb": measure_resident() - at_rest,
        "peak_mb": measure_peak(),
        "words_per_second": words / seconds,
    }


def measure_resident() -> float:
    """Return the memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE / MEGABYTE


def measure_peak() -> float:
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE / MEGABYTE


def _stay_on_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


if __name__ == "__main__":
    main()
