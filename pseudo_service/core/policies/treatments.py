"""The closed union of treatments: what a policy can have done to a column."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pseudo_service.core.errors import InvalidArgument, PseudoError
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.policies.yaml_reader import Entry, Fields
from pseudo_service.core.redaction import (
    KnownKind,
    Replacement,
    TextDates,
    TextMode,
    TextStyle,
)
from pseudo_service.core.transforms.date_parsing import check_formats
from pseudo_service.core.transforms.date_shift import TimeOfDay
from pseudo_service.core.transforms.generalisation import Generalisation

LONGEST_NAME: Final = 128
LONGEST_FORMAT: Final = 40
LONGEST_CODE: Final = 32
OMITTED_IF_NONE: Final = "omitted_if_none"
"""Marks a field that came later: without it, a policy's digest is what it was."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]*\*?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_].*[^\W\d_]", re.DOTALL)


class TreatmentName(StrEnum):
    """How a policy names a treatment."""

    KEEP = "keep"
    DROP = "drop"
    PSEUDONYMISE = "pseudonymise"
    SHIFT_DATE = "shift_date"
    GENERALISE = "generalise"
    EXCLUDE_ROWS = "exclude_rows"
    REDACT_TEXT = "redact_text"


class OnInvalid(StrEnum):
    """What an identifier that is not accepted does: its cell, or its row, goes."""

    NULL = "null"
    REMOVE_ROW = "remove_row"


class AfterExclusion(StrEnum):
    """What happens to a column's values in the rows that exclusion leaves."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The values leave as they came; the reason is for the reviewer."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The column does not leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymise:
    """Identifiers of one kind become the project's pseudonyms.

    ``previous`` names a further column of the answer. While a rotation's window of
    overlap is open it holds the pseudonyms of the key version before, and nulls
    otherwise.
    """

    kind: IdentifierKind
    on_invalid: OnInvalid = OnInvalid.NULL
    previous: str | None = field(default=None, metadata={OMITTED_IF_NONE: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftDate:
    """Dates move by the patient's offset; ``formats`` read columns of text."""

    time_of_day: TimeOfDay = TimeOfDay.ZERO
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalise:
    """Values become coarser; ``as_of`` is the day on which ages are counted."""

    to: Generalisation
    formats: tuple[str, ...] = ()
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeRows:
    """Rows with a listed code are removed; ``Z31*`` is every code that begins so."""

    codes: tuple[str, ...]
    list_name: str
    then: AfterExclusion
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactText:
    """Free text is redacted.

    Attributes:
        known: Columns of the same table that hold the patient's identifiers, by kind.
        known_from: The patient table that gives further ones; None for none.
        mode: How texts are searched.
        replacement: What stands where an identifier stood.
        dates: What happens to dates.
        reason: Why dates are kept; None unless they are.
    """

    known: Mapping[KnownKind, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    known_from: str | None = None
    mode: TextMode = TextMode.THOROUGH
    replacement: Replacement = Replacement.TAGS
    dates: TextDates = TextDates.REDACT
    reason: str | None = None

    @property
    def style(self) -> TextStyle:
        """Return what a redactor is told."""
        return TextStyle(mode=self.mode, replacement=self.replacement, dates=self.dates)


Treatment = (
    Keep | Drop | Pseudonymise | ShiftDate | Generalise | ExcludeRows | RedactText
)


def name_treatment(treatment: Treatment) -> TreatmentName:
    """Return how a policy names this treatment."""
    return _NAMES[type(treatment)]


def read_treatment(fields: Fields) -> Treatment:
    """Read the treatment of one column; the caller closes the fields.

    Raises:
        PolicyInvalid: A key or value breaks a rule of the treatment.
    """
    hint = "give one of " + ", ".join(TreatmentName)
    name = fields.need("treatment", hint).choice(TreatmentName)
    return _READERS[name](fields)


def read_kind(entry: Entry) -> IdentifierKind:
    """Read an identifier kind, such as ``nhs_number`` or ``mrn@RXH``."""
    text = entry.text(longest=LONGEST_NAME)
    try:
        return IdentifierKind.parse(text)
    except PseudoError:
        entry.refuse(
            "give nhs_number, chi_number, hc_number, or a local kind with its "
            "site, mrn@RXH"
        )


def read_date(entry: Entry) -> date:
    """Read an ISO 8601 day, such as ``1900-01-01``."""
    text = entry.text(longest=LONGEST_FORMAT)
    if not _ISO_DATE.fullmatch(text):
        entry.refuse("give a day as YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        entry.refuse("give a day that the calendar has, as YYYY-MM-DD")


def _read_keep(fields: Fields) -> Keep:
    entry = fields.need("reason", "say why the column may leave as it is")
    return Keep(reason=_read_reason(entry))


def _read_reason(entry: Entry) -> str:
    reason = entry.text()
    if not _LETTERS.search(reason):
        entry.refuse("give a reason in words")
    return reason


def _read_drop(fields: Fields) -> Drop:
    del fields
    return Drop()


def _read_pseudonymise(fields: Fields) -> Pseudonymise:
    kind = read_kind(fields.need("kind", "give nhs_number, or a local kind, mrn@RXH"))
    entry = fields.take("on_invalid")
    on_invalid = entry.choice(OnInvalid) if entry is not None else OnInvalid.NULL
    previous = fields.take("previous")
    return Pseudonymise(
        kind=kind,
        on_invalid=on_invalid,
        previous=previous.text(longest=LONGEST_NAME) if previous else None,
    )


def _read_shift_date(fields: Fields) -> ShiftDate:
    entry = fields.take("time_of_day")
    time_of_day = entry.choice(TimeOfDay) if entry is not None else TimeOfDay.ZERO
    return ShiftDate(time_of_day=time_of_day, formats=_read_formats(fields))


def _read_formats(fields: Fields) -> tuple[str, ...]:
    entry = fields.take("formats")
    if entry is None:
        return ()
    formats = entry.texts(longest=LONGEST_FORMAT)
    try:
        check_formats(formats)
    except InvalidArgument as problem:
        entry.refuse(problem.message)
    return formats


def _read_generalise(fields: Fields) -> Generalise:
    names = ", ".join(Generalisation)
    to = fields.need("to", f"give one of {names}").choice(Generalisation)
    formats = _read_formats(fields)
    entry = fields.take("as_of")
    if entry is not None and to is not Generalisation.AGE_BAND:
        entry.refuse("only age_band takes as_of; take it out")
    if formats and to in {Generalisation.OUTWARD_CODE, Generalisation.POSTCODE_AREA}:
        fields.entry.refuse("a postcode takes no formats; take them out")
    as_of = read_date(entry) if entry is not None else None
    return Generalise(to=to, formats=formats, as_of=as_of)


def _read_exclude_rows(fields: Fields) -> ExcludeRows:
    codes = fields.need("codes", "list the codes, such as [Z31*, A56.0]")
    for entry in codes.entries():
        if not _CODE.fullmatch(entry.text(longest=LONGEST_CODE)):
            entry.refuse(
                "give a code of letters, digits, dots and dashes, with at most one "
                "* at its end"
            )
    list_name = fields.need("list", "name the list that the codes are from").text()
    then = fields.need("then", "say keep or drop for the rows that stay")
    after = then.choice(AfterExclusion)
    reason = None
    if after is AfterExclusion.KEEP:
        entry = fields.need("reason", "say why the column may leave as it is")
        reason = _read_reason(entry)
    return ExcludeRows(
        codes=tuple(sorted(codes.texts())),
        list_name=list_name,
        then=after,
        reason=reason,
    )


def _read_redact_text(fields: Fields) -> RedactText:
    known = fields.take("known")
    known_from = fields.take("known_from")
    mode = fields.take("mode")
    replacement = fields.take("replacement")
    dates = fields.take("dates")
    chosen = dates.choice(TextDates) if dates else TextDates.REDACT
    return RedactText(
        known=read_known(known) if known else MappingProxyType({}),
        known_from=known_from.text(longest=LONGEST_NAME) if known_from else None,
        mode=mode.choice(TextMode) if mode else TextMode.THOROUGH,
        replacement=replacement.choice(Replacement)
        if replacement
        else Replacement.TAGS,
        dates=chosen,
        reason=_read_reason_for_dates(fields, chosen),
    )


def _read_reason_for_dates(fields: Fields, dates: TextDates) -> str | None:
    if dates is TextDates.KEEP:
        return _read_reason(
            fields.need("reason", "say why the dates of the text may stay")
        )
    entry = fields.take("reason")
    if entry is not None:
        entry.refuse("a reason belongs to dates: keep only; take it out")
    return None


def read_known(entry: Entry) -> Mapping[KnownKind, tuple[str, ...]]:
    """Read which columns hold known identifiers, by kind; each column once."""
    fields = Fields(entry)
    taken = {kind: fields.take(kind) for kind in KnownKind}
    fields.close()
    known = {
        kind: columns.texts(longest=LONGEST_NAME)
        for kind, columns in taken.items()
        if columns is not None
    }
    if not known:
        entry.refuse("it names nothing; give names, dates, numbers, or take it out")
    columns = [column for names in known.values() for column in names]
    if len(set(columns)) < len(columns):
        entry.refuse("a column stands under two kinds; leave one out")
    return MappingProxyType(known)


_READERS: Mapping[TreatmentName, Callable[[Fields], Treatment]] = MappingProxyType(
    {
        TreatmentName.KEEP: _read_keep,
        TreatmentName.DROP: _read_drop,
        TreatmentName.PSEUDONYMISE: _read_pseudonymise,
        TreatmentName.SHIFT_DATE: _read_shift_date,
        TreatmentName.GENERALISE: _read_generalise,
        TreatmentName.EXCLUDE_ROWS: _read_exclude_rows,
        TreatmentName.REDACT_TEXT: _read_redact_text,
    }
)

_NAMES: Mapping[type[Treatment], TreatmentName] = MappingProxyType(
    {
        Keep: TreatmentName.KEEP,
        Drop: TreatmentName.DROP,
        Pseudonymise: TreatmentName.PSEUDONYMISE,
        ShiftDate: TreatmentName.SHIFT_DATE,
        Generalise: TreatmentName.GENERALISE,
        ExcludeRows: TreatmentName.EXCLUDE_ROWS,
        RedactText: TreatmentName.REDACT_TEXT,
    }
)
