"""Infers what a column holds, from its name and a sample of its values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa

from pseudo_service.core.arrow.column_types import is_text
from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    ChiInNhsColumn,
    IdentifierRules,
)
from pseudo_service.core.identifiers.missing import is_missing, normalise_text
from pseudo_service.core.transforms.generalisation import Generalisation, cut_postcodes

MOST_DISTINCT: Final = 500
"""Distinct values looked at in a column; more would change no profile."""
MOST: Final = 0.8
"""The share of values that must have a shape; extracts are untidy."""
FEW_CATEGORIES: Final = 50
LONG_TEXT: Final = 40
_RULES: Final = IdentifierRules(
    accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.ACCEPT
)
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_PHONE: Final = re.compile(r"(?:\+|00|\(?0)[0-9 ()\-.]{8,20}")
_CODE_OF_ICD_10: Final = re.compile(r"[A-Z][0-9]{2}(?:\.?[0-9X]{1,2})?[*D+]?")
_DAY_FIRST: Final = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
)
_PARTIAL: Final = ("%Y-%m", "%Y")

_DIRECT: Final = frozenset(
    [
        "forename",
        "forenames",
        "firstname",
        "surname",
        "lastname",
        "familyname",
        "maiden",
        "alias",
        "initials",
        "name",
        "names",
        "address",
        "street",
        "house",
        "town",
        "city",
        "telephone",
        "phone",
        "tel",
        "mobile",
        "email",
        "mail",
        "fax",
        "gp",
        "practice",
        "surgery",
        "consultant",
        "clinician",
        "doctor",
        "gmc",
        "nurse",
        "nok",
        "kin",
        "passport",
        "nino",
        "insurance",
        "username",
        "user",
        "ip",
        "latitude",
        "longitude",
        "uprn",
    ]
)
_LOCAL: Final = frozenset(["mrn", "hospital", "pas", "patient", "subject", "person"])
_OF_NHS_BODIES: Final = frozenset(["trust", "site"])
_FREE_TEXT: Final = frozenset(
    [
        "text",
        "note",
        "notes",
        "comment",
        "comments",
        "letter",
        "narrative",
        "report",
        "history",
        "summary",
    ]
)
_POSTCODE: Final = frozenset(["postcode", "postcodes", "zip"])
_BIRTH: Final = frozenset(["birth", "dob", "born", "birthdate"])
_NUMBERS: Final = frozenset(
    ["id", "ids", "identifier", "number", "no", "num", "key", "ref", "reference"]
)
_CODES: Final = frozenset(
    ["diagnosis", "diag", "icd", "icd10", "procedure", "opcs", "snomed"]
)


class Content(StrEnum):
    """What a column seems to hold."""

    NHS_NUMBER = "nhs_number"
    LOCAL_ID = "local_id"
    DIRECT = "direct"
    BIRTH_DATE = "birth_date"
    DATE = "date"
    POSTCODE = "postcode"
    FREE_TEXT = "free_text"
    RESTRICTED_CODES = "restricted_codes"
    CATEGORY = "category"
    MEASURE = "measure"
    HIGH_CARDINALITY = "high_cardinality"
    NESTED = "nested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """What a column seems to hold, with the formats of dates written as text."""

    content: Content
    formats: tuple[str, ...] = ()
    distinct: int = 0
    has_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    words: frozenset[str]
    values: pa.Array = field(repr=False)
    texts: tuple[str, ...] = field(repr=False)
    distinct: int

    def share(self, shape: re.Pattern[str]) -> float:
        """Return the share of values that have a shape."""
        fitting = sum(1 for text in self.texts if shape.fullmatch(normalise_text(text)))
        return fitting / len(self.texts) if self.texts else 0.0


def infer_content(name: str, values: pa.Array) -> ColumnProfile:
    """Return what a column seems to hold; in doubt, that it identifies somebody.

    Args:
        name: The column's name.
        values: A sample of its values.
    """
    kind = values.type
    words = split_words(name)
    if kind.num_fields or _is_opaque(kind):
        return ColumnProfile(content=Content.NESTED)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        content = Content.BIRTH_DATE if words & _BIRTH else Content.DATE
        return ColumnProfile(content=content, has_time=pa.types.is_timestamp(kind))
    distinct = values.drop_null().unique()
    texts: tuple[str, ...] = ()
    if is_text(kind):
        found = distinct.cast(pa.string()).slice(0, MOST_DISTINCT).to_pylist()
        texts = tuple(text for text in found if not is_missing(normalise_text(text)))
    sample = _Sample(words=words, values=values, texts=texts, distinct=len(distinct))
    if _holds_nhs_numbers(sample, distinct.slice(0, MOST_DISTINCT)):
        return ColumnProfile(content=Content.NHS_NUMBER, distinct=len(distinct))
    return _profile_text(sample) if is_text(kind) else _profile_number(sample)


def split_words(name: str) -> frozenset[str]:
    """Return the words of a column's name, in lower case."""
    return frozenset(word.lower() for word in _WORDS.findall(name))


def infer_formats(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that read most of the texts as dates; empty if none do.

    Days come before months, as in Britain, unless no text can be read so and some
    can be read the other way round.
    """
    folded = [normalise_text(text) for text in texts]
    whole = [layout for layout in _DAY_FIRST if any(_fits(t, layout) for t in folded)]
    rest = [text for text in folded if not any(_fits(text, f) for f in whole)]
    american = "%m/%d/%Y"
    if rest and all(_fits(text, american) for text in rest):
        # Day-first readings of the others would be chance, so none is kept.
        whole = [layout for layout in whole if not layout.startswith("%d/%m")]
        whole.append(american)
        rest = []
    if not whole or (len(folded) - len(rest)) / len(folded) < MOST:
        return ()
    partial = [f for f in _PARTIAL if any(_fits(text, f) for text in rest)]
    return (*whole, *partial)


def _fits(text: str, layout: str) -> bool:
    try:
        datetime.strptime(text, layout)  # noqa: DTZ007 - only the shape counts
    except ValueError:
        return False
    return True


def _is_opaque(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_dictionary(kind)
    )


def _holds_nhs_numbers(sample: _Sample, distinct: pa.Array) -> bool:
    kind = distinct.type
    readable = is_text(kind) or pa.types.is_integer(kind) or pa.types.is_float64(kind)
    if not readable:
        return False
    if "nhs" in sample.words and not sample.words & (_DIRECT | _OF_NHS_BODIES):
        return True
    if len(distinct) < 3:  # noqa: PLR2004 - a check digit is right by chance, 1 in 11
        return False
    found = canonicalise(distinct, NHS_NUMBER, _RULES)
    return bool(np.mean(found.accepted) >= 0.5)  # noqa: PLR2004 - half, not chance


def _profile_number(sample: _Sample) -> ColumnProfile:
    kind = sample.values.type
    is_local = sample.words & _LOCAL and (sample.words & _NUMBERS or _is_high(sample))
    # Only a type that the kernels cannot read gets here with NHS numbers.
    is_nhs = "nhs" in sample.words and not sample.words & _OF_NHS_BODIES
    if sample.words & _DIRECT or is_local or is_nhs:
        content = Content.DIRECT
    elif _is_whole(kind) and _is_high(sample):
        content = Content.HIGH_CARDINALITY
    else:
        content = Content.MEASURE
    return ColumnProfile(content=content, distinct=sample.distinct)


def _is_whole(kind: pa.DataType) -> bool:
    """Say whether a type holds whole numbers; databases send them as decimals."""
    is_decimal = bool(pa.types.is_decimal(kind))
    return bool(pa.types.is_integer(kind)) or (is_decimal and kind.scale <= 0)


def _profile_text(sample: _Sample) -> ColumnProfile:
    formats = infer_formats(sample.texts) if sample.texts else ()
    if formats:
        content = Content.BIRTH_DATE if sample.words & _BIRTH else Content.DATE
        has_time = any("%H" in layout for layout in formats)
        return ColumnProfile(
            content=content,
            formats=formats,
            distinct=sample.distinct,
            has_time=has_time,
        )
    return ColumnProfile(content=_infer_plain_text(sample), distinct=sample.distinct)


def _infer_plain_text(sample: _Sample) -> Content:
    words = sample.words
    numbers = bool(words & _NUMBERS)
    by_name = (
        (words & _POSTCODE, Content.POSTCODE),
        (words & _FREE_TEXT and not numbers, Content.FREE_TEXT),
        (words & _DIRECT, Content.DIRECT),
        (words & _LOCAL and (numbers or _is_high(sample)), Content.LOCAL_ID),
    )
    for is_named, content in by_name:
        if is_named:
            return content
    if _holds_postcodes(sample):
        return Content.POSTCODE
    if max(sample.share(_EMAIL), sample.share(_PHONE)) >= 0.5:  # noqa: PLR2004 - half
        return Content.DIRECT
    if _measure_length(sample) > LONG_TEXT:
        return Content.FREE_TEXT
    if words & _CODES or (sample.texts and sample.share(_CODE_OF_ICD_10) >= MOST):
        return Content.RESTRICTED_CODES
    return Content.HIGH_CARDINALITY if _is_high(sample) else Content.CATEGORY


def _holds_postcodes(sample: _Sample) -> bool:
    if not sample.texts:
        return False
    texts = pa.array(sample.texts, pa.string())
    found = cut_postcodes(texts, Generalisation.OUTWARD_CODE)
    return bool(np.mean(found.codes == 0) >= MOST)


def _measure_length(sample: _Sample) -> float:
    if not sample.texts:
        return 0.0
    return float(np.mean([len(text) for text in sample.texts]))


def _is_high(sample: _Sample) -> bool:
    """Say whether values are so many that few rows share one."""
    present = len(sample.values) - sample.values.null_count
    return sample.distinct > FEW_CATEGORIES or 4 * sample.distinct > 3 * max(present, 4)
