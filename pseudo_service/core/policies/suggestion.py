"""Profiles a table and writes the first policy for it, for a person to review.

The suggestion is careful: in doubt a column is dropped. What is kept says REVIEW in its
reason until somebody writes why it is needed.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.errors import ColumnDuplicated
from pseudo_service.core.policies.column_profiling import (
    ColumnProfile,
    Content,
    infer_content,
)
from pseudo_service.core.policies.known_columns import infer_known_kind
from pseudo_service.core.redaction import KnownKind
from pseudo_service.core.transforms.date_parsing import format_days, parse_dates

REVIEW: Final = "REVIEW"
MOST_ROWS: Final = 200_000
SHARED_BY: Final = 10
"""A date that fewer patients share is no candidate for a sentinel."""
SHARE_OF_DATES: Final = 0.01
USUAL_SENTINELS: Final = frozenset(
    date.fromisoformat(day)
    for day in (
        "1753-01-01", "1799-12-31", "1800-01-01", "1899-12-30", "1899-12-31",
        "1900-01-01", "1901-01-01", "2099-12-31", "2999-12-31", "9999-12-31",
    )
)  # fmt: skip
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMMENTS: Final = {
    Content.LOCAL_ID: "a site's own number: pseudonymise with kind mrn@SITE if one "
    "site gave them all",
    Content.DIRECT: "looks like a direct identifier",
    Content.BIRTH_DATE: "date of birth",
    Content.POSTCODE: "postcode; postcode_area is coarser",
    Content.FREE_TEXT: "free text; known names the columns whose values are removed "
    "from it; dates: shift moves its dates, otherwise they are removed",
    Content.RESTRICTED_CODES: "exclude_rows with the codes that the law restricts, "
    "if it can hold any",
    Content.HIGH_CARDINALITY: "many different values: may identify people",
    Content.NESTED: "not plain text, numbers or dates: flatten it to use it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedColumn:
    """One column's profile, and dates in it that many patients share."""

    name: str
    profile: ColumnProfile
    shared_dates: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a table seems to hold. ``patient`` is the column of NHS numbers."""

    columns: tuple[SuggestedColumn, ...]
    patient: str | None
    rows: int

    @property
    def sentinels(self) -> tuple[date, ...]:
        """Return the shared dates that are usual for "unknown"."""
        found = {day for column in self.columns for day in column.shared_dates}
        return tuple(sorted(found & USUAL_SENTINELS))


def profile_table(table: pa.Table | Iterable[pa.RecordBatch]) -> Suggestion:
    """Return what every column of a table seems to hold, from its first 200,000 rows.

    Raises:
        ColumnDuplicated: Two columns have one name.
    """
    sample = table if isinstance(table, pa.Table) else _take_rows(table)
    sample = sample.slice(0, MOST_ROWS).combine_chunks()
    if len(set(sample.column_names)) < sample.num_columns:
        msg = "two columns of the table have one name: rename one, then profile again"
        raise ColumnDuplicated(msg)
    profiles = {
        name: infer_content(name, _join(sample.column(name)))
        for name in sample.column_names
    }
    patients = [n for n, p in profiles.items() if p.content is Content.NHS_NUMBER]
    patient = patients[0] if patients else None
    people = _join(sample.column(patient)) if patient is not None else None
    return Suggestion(
        columns=tuple(
            SuggestedColumn(
                name=name,
                profile=profile,
                shared_dates=_find_shared(_join(sample.column(name)), profile, people),
            )
            for name, profile in profiles.items()
        ),
        patient=patient,
        rows=sample.num_rows,
    )


def write_policy(suggestion: Suggestion, address: str) -> str:
    """Write a policy that compiles, with a comment wherever a person must look.

    Args:
        suggestion: The profile of the table.
        address: ``project/release@1``, under which it will be registered.
    """
    lines = [
        f"# Suggested from {suggestion.rows} rows. Look at every line, and replace each",
        f"# reason that says {REVIEW} by why the column is needed, or drop the column.",
        f"policy: {address}",
    ]
    if suggestion.patient is None:
        lines.append("# No column of NHS numbers was found: dates cannot be shifted.")
    else:
        patient = _quote(suggestion.patient)
        lines.append(f"patient: {{column: {patient}, kind: nhs_number}}")
    if suggestion.sentinels:
        listed = ", ".join(day.isoformat() for day in suggestion.sentinels)
        lines.append(f"sentinels: [{listed}]  # many patients share them")
    lines.append("columns:")
    for column in suggestion.columns:
        lines += _write_column(column, suggestion)
    return "\n".join(lines) + "\n"


def _take_rows(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    taken: list[pa.RecordBatch] = []
    for batch in batches:
        taken.append(batch)
        if sum(each.num_rows for each in taken) >= MOST_ROWS:
            break
    return pa.Table.from_batches(taken) if taken else pa.table({})


def _join(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0)


def _find_shared(
    values: pa.Array, profile: ColumnProfile, people: pa.Array | None
) -> tuple[date, ...]:
    """Return the dates that more patients have than chance would give."""
    if profile.content not in {Content.DATE, Content.BIRTH_DATE} or not len(values):
        return ()
    days = _read_days(values, profile.formats)
    pairs = pa.table({"day": days, "who": people if people is not None else days})
    count = "count" if people is None else "count_distinct"
    counted = pairs.group_by("day").aggregate([("who", count)])
    threshold = max(SHARED_BY, SHARE_OF_DATES * (len(days) - days.null_count))
    shared = counted.filter(pc.greater_equal(counted.column(f"who_{count}"), threshold))
    found = shared.column("day").drop_null().to_pylist()
    return tuple(sorted(date.fromisoformat(day) for day in found))


def _read_days(values: pa.Array, formats: Sequence[str]) -> pa.StringArray:
    """Return ISO days; null where there is no whole date."""
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        return pc.strftime(values.cast(pa.timestamp("s"), safe=False), "%Y-%m-%d")
    parsed = parse_dates(values.cast(pa.string()), tuple(formats))
    whole = pa.array((parsed.readings == 0) & (parsed.precision == len("YYYY-MM-DD")))
    days = format_days(parsed.days, parsed.precision)
    return pc.if_else(whole, days, pa.scalar(None, pa.string()))


def _write_column(column: SuggestedColumn, suggestion: Suggestion) -> list[str]:
    fields = ", ".join(_describe(column, suggestion))
    comment = _COMMENTS.get(column.profile.content)
    lines = [f"  # {comment}"] if comment else []
    if unusual := sorted(set(column.shared_dates) - USUAL_SENTINELS):
        days = ", ".join(day.isoformat() for day in unusual[:5])
        lines.append(f"  # many patients share {days}: a sentinel, if it means unknown")
    return [*lines, f"  {_quote(column.name)}: {{{fields}}}"]


def _describe(  # noqa: PLR0911 - one a treatment
    column: SuggestedColumn, suggestion: Suggestion
) -> list[str]:
    profile = column.profile
    match profile.content:
        case Content.NHS_NUMBER:
            rename = (
                ["rename: patient_pseudonym"]
                if column.name == suggestion.patient and _is_free(suggestion)
                else []
            )
            return ["treatment: pseudonymise", "kind: nhs_number", *rename]
        case Content.DATE if suggestion.patient is not None:
            time = ["time_of_day: keep"] if profile.has_time else []
            return ["treatment: shift_date", *time, *_write_formats(profile)]
        case Content.DATE | Content.BIRTH_DATE:
            return ["treatment: generalise", "to: year", *_write_formats(profile)]
        case Content.POSTCODE:
            return ["treatment: generalise", "to: outward_code"]
        case Content.FREE_TEXT:
            return ["treatment: redact_text", *_write_known(suggestion)]
        case Content.CATEGORY | Content.MEASURE | Content.RESTRICTED_CODES:
            reason = (
                f"{REVIEW}, {profile.distinct} different values; say why it is needed"
            )
            return ["treatment: keep", f"reason: {_quote(reason)}"]
        case _:
            return ["treatment: drop"]


def _is_free(suggestion: Suggestion) -> bool:
    return all(column.name != "patient_pseudonym" for column in suggestion.columns)


def _write_formats(profile: ColumnProfile) -> list[str]:
    if not profile.formats:
        return []
    return ["formats: [" + ", ".join(map(_quote, profile.formats)) + "]"]


def _write_known(suggestion: Suggestion) -> list[str]:
    known: dict[KnownKind, list[str]] = {}
    for column in suggestion.columns:
        kind = infer_known_kind(column.name, column.profile)
        if kind is not None:
            known.setdefault(kind, []).append(_quote(column.name))
    kinds = [f"{kind}: [{', '.join(names)}]" for kind, names in known.items()]
    return ["known: {" + ", ".join(kinds) + "}"] if kinds else []


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
