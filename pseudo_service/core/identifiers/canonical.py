"""From what a source wrote to one canonical identifier, or to why there is none.

Accepted is what hospitals' extracts hold: spaces and dashes of any sort, full-width
digits, a prefix "NHS" or "NHS No:", ``.0`` left by a spreadsheet, integers.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.column_types import is_text
from pseudo_service.core.errors import ColumnTypeUnsuitable
from pseudo_service.core.identifiers.kinds import (
    CLASS_CODES,
    CLASSES,
    LONGEST_LOCAL_ID,
    LONGEST_MESSAGE,
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.missing import is_missing, normalise_text
from pseudo_service.core.identifiers.national_numbers import DIGITS, classify_numbers

_PREFIX: Final = re.compile(
    r"(?:NHS|CHI|H\s*&\s*C|HCN)\b\s*(?:NUMBER|NUM|NO|N)?\b\s*\.?\s*[:#=]?\s*",
    re.IGNORECASE,
)
_DIGIT_GROUPS: Final = re.compile(r"([0-9][0-9 -]*)(?:\.0*)?")
_LOCAL_DUMMY: Final = re.compile(r"0+|X{2,}")
_PRINTABLE: Final = re.compile(r"[!-~]+")
# The commonest untidy shapes, in RE2: ten digits in groups, perhaps with ".0".
_GROUPED: Final = (
    r"^[ \x{00a0}]*[0-9](?:[ \-\x{00a0}\x{2009}\x{202f}\x{2010}-\x{2015}]*[0-9]){9}"
    r"(?:\.0+)?[ \x{00a0}]*$"
)
_NOT_DIGITS: Final = r"\.0+|[^0-9]+"
_MOST_DIGITS: Final = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonicalised:
    """The outcome for a column, one row a value.

    ``values`` is null exactly where ``accepted`` is false; ``classes`` indexes
    ``CLASSES``.
    """

    values: pa.StringArray = field(repr=False)
    classes: npt.NDArray[np.uint8]
    accepted: npt.NDArray[np.bool_]


def canonicalise(
    values: pa.Array, kind: IdentifierKind, rules: IdentifierRules
) -> Canonicalised:
    """Classify every value and return the canonical form of the accepted ones.

    Args:
        values: Text, integers or integral float64; callers pass distinct values.
        kind: The scheme the column holds.
        rules: What is accepted beyond plainly valid numbers.

    Raises:
        ColumnTypeUnsuitable: The type cannot hold an identifier without loss.
    """
    texts, unreadable = _read_texts(values)
    if kind.is_national:
        canonical, classes = _canonicalise_national(texts, kind)
    else:
        canonical, classes = _canonicalise_local(texts, kind)
    classes[unreadable] = CLASS_CODES[IdentifierClass.NOT_A_NUMBER]
    accepted = _acceptance(kind, rules)[classes]
    if not accepted.all():
        canonical = pc.if_else(pa.array(accepted), canonical, None)
    return Canonicalised(values=canonical, classes=classes, accepted=accepted)


def canonicalise_one(
    text: str | None, kind: IdentifierKind, rules: IdentifierRules
) -> tuple[str | None, IdentifierClass]:
    """Return the canonical form of one value, if accepted, and its class."""
    canonical, found = _read_one(text, kind)
    if found is None:
        found = CLASSES[_classify(pa.array([canonical], pa.string()), kind)[0]]
    return (canonical if rules.accepts(found, kind) else None), found


@lru_cache(maxsize=64)
def _acceptance(kind: IdentifierKind, rules: IdentifierRules) -> npt.NDArray[np.bool_]:
    accepted = np.array([rules.accepts(found, kind) for found in CLASSES])
    accepted.flags.writeable = False
    return accepted


def _read_texts(values: pa.Array) -> tuple[pa.StringArray, npt.NDArray[np.bool_]]:
    """Return the values as text, and which of them can be no number at all."""
    unreadable = np.zeros(len(values), dtype=np.bool_)
    if pa.types.is_float64(values.type):
        floats = values.to_numpy(zero_copy_only=False)
        integral = np.isfinite(floats) & (np.abs(floats) < _MOST_DIGITS)
        integral &= floats == np.floor(np.where(integral, floats, 0.5))
        unreadable = ~integral & ~np.isnan(floats)
        whole = np.where(integral, floats, 0).astype(np.int64)
        return pa.array(whole, mask=~integral).cast(pa.string()), unreadable
    if pa.types.is_string(values.type):
        return values, unreadable
    if _holds_identifiers(values.type):
        return values.cast(pa.string()), unreadable
    msg = (
        f"a column of type {values.type} cannot hold identifiers without loss: "
        "send text, integers or float64"
    )
    raise ColumnTypeUnsuitable(msg)


def _holds_identifiers(kind: pa.DataType) -> bool:
    return is_text(kind) or bool(pa.types.is_integer(kind))


def _canonicalise_national(
    texts: pa.StringArray, kind: IdentifierKind
) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    classes = classify_numbers(texts, kind.name)
    if classes is not None:
        return texts, classes
    return _canonicalise_untidy(texts, kind)


def _classify(numbers: pa.StringArray, kind: IdentifierKind) -> npt.NDArray[np.uint8]:
    """Classify what was brought into ten digits."""
    classes = classify_numbers(numbers, kind.name)
    assert classes is not None  # noqa: S101 - all callers' numbers have ten digits
    return classes


def _canonicalise_untidy(
    texts: pa.StringArray, kind: IdentifierKind
) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    """Bring every text into ten digits, in bulk where its shape is a common one."""
    grouped = pc.fill_null(pc.match_substring_regex(texts, _GROUPED), False)  # noqa: FBT003
    tidied = pc.replace_substring_regex(pc.filter(texts, grouped), _NOT_DIGITS, "")
    classes = np.empty(len(texts), dtype=np.uint8)
    is_number = grouped.to_numpy(zero_copy_only=False).copy()
    others = np.flatnonzero(~is_number)
    found: dict[int, str] = {}
    for row, text in zip(others.tolist(), texts.take(others).to_pylist(), strict=True):
        number, reason = _read_one(text, kind)
        if reason is None and number is not None:
            found[row] = number
        elif reason is not None:
            classes[row] = CLASS_CODES[reason]
    rows = np.fromiter(found, dtype=np.int64, count=len(found))
    bulk = np.flatnonzero(is_number)
    numbers = pa.concat_arrays([tidied, pa.array(found.values(), pa.string())])
    order = np.concatenate([bulk, rows])
    if len(order):
        classes[order] = _classify(numbers, kind)
    places = np.zeros(len(texts), dtype=np.int64)
    places[order] = np.arange(len(order))
    missing = np.ones(len(texts), dtype=np.bool_)
    missing[order] = False
    return numbers.take(pa.array(places, mask=missing)), classes


def _read_one(
    text: str | None, kind: IdentifierKind
) -> tuple[str | None, IdentifierClass | None]:
    """Return ten digits yet to be classified, a local id, or why there is neither."""
    normal = normalise_text(text) if text is not None else ""
    if is_missing(normal):
        return None, IdentifierClass.MISSING
    if not kind.is_national:
        return _read_local(normal, kind)
    return _read_national(normal, kind)


def _read_national(
    normal: str, kind: IdentifierKind
) -> tuple[str | None, IdentifierClass | None]:
    rest = _PREFIX.sub("", normal, count=1) if normal[0].isalpha() else normal
    if is_missing(rest):
        return None, IdentifierClass.MISSING
    groups = _DIGIT_GROUPS.fullmatch(rest)
    if groups is None:
        return None, IdentifierClass.NOT_A_NUMBER
    number = groups[1].replace(" ", "").replace("-", "")
    if kind.name == "chi_number" and len(number) == DIGITS - 1:
        number = "0" + number  # a spreadsheet took the first digit of the date
    if len(number) != DIGITS:
        return None, IdentifierClass.WRONG_LENGTH
    return number, None


def _read_local(
    normal: str, kind: IdentifierKind
) -> tuple[str | None, IdentifierClass | None]:
    canonical = normal.upper()
    longest = min(LONGEST_LOCAL_ID, LONGEST_MESSAGE - 1 - len(kind.text))
    # Upper-casing can turn other letters into ASCII, so what came is looked at.
    if len(canonical) > longest or not _PRINTABLE.fullmatch(normal):
        return None, IdentifierClass.INVALID
    if _LOCAL_DUMMY.fullmatch(canonical):
        return None, IdentifierClass.DUMMY
    return canonical, IdentifierClass.VALID


def _canonicalise_local(
    texts: pa.StringArray, kind: IdentifierKind
) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    found = [_read_one(text, kind) for text in texts.to_pylist()]
    canonical = pa.array([value for value, _ in found], pa.string())
    classes = [CLASS_CODES[reason or IdentifierClass.VALID] for _, reason in found]
    return canonical, np.array(classes, dtype=np.uint8)
