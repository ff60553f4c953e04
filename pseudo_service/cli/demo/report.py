"""What the demo shows: rows before and after, counts, speed; made to read aloud."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.cli.console.output import count, say, show_table
from pseudo_service.cli.demo.runs import Released

_MEANINGS: Mapping[str, str] = {
    "valid": "right",
    "test_range": "right, and of the test range",
    "chi_range": "of Scotland's range",
    "hc_range": "of Northern Ireland's range",
    "dummy": "a dummy, such as 999 999 9999",
    "bad_check_digit": "the check digit is wrong",
    "wrong_length": "not ten digits",
    "not_a_number": "not a number",
    "missing": "nothing there, NULL, N/A or a dash",
}
_REASONS: Mapping[str, str] = {
    "opt_out": "of patients who opted out",
    "uncheckable": "without a right NHS number, so opt-outs cannot be checked",
    "excluded_code": "with a legally restricted diagnosis",
}
_SHOWN_BEFORE = ("nhs_number", "surname", "date_of_birth", "postcode", "telephone")
_SHOWN_AFTER = ("patient", "sex", "age_band", "outward_code")
_SHOWN_STAYS = range(3, 6)


def show_runs(runs: Sequence[Released]) -> None:
    """Print rows in, removed and out of every run, its speed, and the reasons."""
    headers = ("table", "project", "rows in", "removed", "rows out", "rows a second")
    show_table(
        headers,
        [
            (
                run.name,
                run.project,
                count(run.rows_in),
                count(sum(run.removed.values())),
                count(run.rows_out),
                count(int(run.rows_in / max(run.seconds, 1e-3))),
            )
            for run in runs
        ],
        numbers=frozenset(headers[2:]),
    )
    for run in runs:
        for reason, number in sorted(run.removed.items()):
            if number:
                meaning = _REASONS.get(reason, reason)
                say(f"{run.project}, {run.name}: {count(number)} taken out, {meaning}.")


def show_quality(run: Released, column: str) -> None:
    """Print what the identifiers of a column were, by class, with shares."""
    counts = run.columns[column]
    total = sum(counts.values())
    show_table(
        ("class", "values", "share", "what it means"),
        [
            (code, count(number), f"{number / total:.1%}", _MEANINGS.get(code, ""))
            for code, number in sorted(counts.items(), key=lambda each: -each[1])
            if number
        ],
        numbers=frozenset({"values", "share"}),
    )


def show_patients(before: pa.Table, after: pa.Table) -> None:
    """Print the same patients as the hospital and as researchers see them."""
    for title, table, columns in (
        ("Before", before, _SHOWN_BEFORE),
        ("After", after, _SHOWN_AFTER),
    ):
        show_table(columns, _cells(table, columns), title=title)
        say()


def match_patients(
    before: pa.Table, after: pa.Table, pseudonyms: Mapping[str, str]
) -> list[tuple[int, int]]:
    """Return the rows of patients who are in both tables.

    Args:
        before: The extract's first patients.
        after: The released patients.
        pseudonyms: By what the extract wrote as the NHS number.
    """
    places = {text: row for row, text in enumerate(after["patient"].to_pylist())}
    texts = before["nhs_number"].to_pylist()
    found = (places.get(pseudonyms.get(text or "", "")) for text in texts)
    return [(row, place) for row, place in enumerate(found) if place is not None]


def choose_spellings(
    before: pa.Table, matched: Sequence[tuple[int, int]], most: int
) -> list[tuple[int, int]]:
    """Return so many of the matched, each number written in another way."""
    texts = before["nhs_number"].to_pylist()
    by_shape: dict[str, tuple[int, int]] = {}
    for row, place in matched:
        by_shape.setdefault(re.sub(r"\d", "9", texts[row]), (row, place))
    return list(by_shape.values())[:most]


def find_stays(
    patients: Sequence[tuple[str, str]], before: pa.Table, after: pa.Table
) -> list[tuple[datetime, datetime]]:
    """Return one patient's dates of admission, before and after, in order.

    Args:
        patients: Hospital numbers, and the pseudonyms of the same patients.
        before: The extract's admissions.
        after: The released admissions.

    Returns:
        Those of the first patient who has a few stays that all left the hospital;
        nothing if there is none.
    """
    came, left = (
        Counter(table[column].to_pylist())
        for table, column in ((before, "mrn"), (after, "patient"))
    )
    for mrn, pseudonym in patients:
        if came[mrn] in _SHOWN_STAYS and came[mrn] == left[pseudonym]:
            old = before.filter(pc.equal(before["mrn"], mrn))["admitted"]
            new = after.filter(pc.equal(after["patient"], pseudonym))["admitted"]
            return list(
                zip(sorted(old.to_pylist()), sorted(new.to_pylist()), strict=True)
            )
    return []


def show_stays(stays: Sequence[tuple[datetime, datetime]]) -> None:
    """Print one patient's admissions before and after, and the days between."""
    days = [
        (str((old - before).days), str((new - after).days))
        for (before, after), (old, new) in pairwise(stays)
    ]
    headers = ("admitted, before", "days since", "admitted, after", "days since")
    show_table(
        headers,
        [
            (f"{old:%a %Y-%m-%d}", then, f"{new:%a %Y-%m-%d}", now)
            for (old, new), (then, now) in zip(stays, [("", ""), *days], strict=True)
        ],
        numbers=frozenset({"days since"}),
    )


def _cells(table: pa.Table, columns: Sequence[str]) -> list[tuple[str, ...]]:
    texts = [
        ["" if value is None else str(value) for value in table[name].to_pylist()]
        for name in columns
    ]
    return list(zip(*texts, strict=True))
