"""The values between the service and a redactor of free texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class TextCode(StrEnum):
    """The outcome of one text; all but the first two are answered null."""

    OK = "ok"
    MISSING = "missing"
    WITHHELD = "withheld"
    NOT_TEXT = "not_text"
    TOO_LONG = "too_long"
    BROKEN_ENCODING = "broken_encoding"
    TIMED_OUT = "timed_out"
    WORKER_DIED = "worker_died"
    FAILED = "failed"


class KnownKind(StrEnum):
    """What a known identifier is."""

    NAMES = "names"
    PEOPLE = "people"
    DATES = "dates"
    NUMBERS = "numbers"
    ADDRESSES = "addresses"
    POSTCODES = "postcodes"
    PHONES = "phones"
    EMAILS = "emails"


class TextMode(StrEnum):
    """How texts are searched: thoroughly, or fast."""

    THOROUGH = "thorough"
    FAST = "fast"


class Replacement(StrEnum):
    """What stands in a text where an identifier stood."""

    TAGS = "tags"
    MASKS = "masks"
    SURROGATES = "surrogates"


class TextDates(StrEnum):
    """What happens to the dates of a text."""

    SHIFT = "shift"
    REDACT = "redact"
    KEEP = "keep"


TEXT_CODES: Final = tuple(TextCode)
KnownIdentifiers = Mapping[KnownKind, tuple[str, ...]]
NOTHING_KNOWN: Final[KnownIdentifiers] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """How the texts of one column are redacted."""

    mode: TextMode = TextMode.THOROUGH
    replacement: Replacement = Replacement.TAGS
    dates: TextDates = TextDates.REDACT


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """One text, with what is known of its patient.

    Attributes:
        text: As the client sent it.
        known: The patient's identifiers as the record writes them.
        shift_days: The patient's date offset in this project; None without a patient.
        pseudonyms: Canonical identifiers of the row, and the project's pseudonyms
            that stand for them in the answer.
        surrogate_key: 32 bytes of this patient in this project; None without one.
    """

    text: str = field(repr=False)
    known: KnownIdentifiers = field(repr=False, default_factory=lambda: NOTHING_KNOWN)
    shift_days: int | None = field(repr=False, default=None)
    pseudonyms: Mapping[str, str] = field(
        repr=False, default_factory=lambda: MappingProxyType({})
    )
    surrogate_key: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAnswer:
    """The answer to one text.

    Attributes:
        text: The redacted text; None where ``code`` says why there is none.
        code: The outcome.
        found: How many identifiers were found, by label.
    """

    text: str | None = field(repr=False)
    code: TextCode
    found: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


RedactTexts = Callable[[Sequence[TextRow], TextStyle], Sequence[TextAnswer]]
"""A function that returns one answer for each text, in order."""


def withhold_texts(
    rows: Sequence[TextRow], style: TextStyle | None = None
) -> Sequence[TextAnswer]:
    """Withhold every text: what cannot be redacted does not leave."""
    del style
    return [TextAnswer(text=None, code=TextCode.WITHHELD) for _ in rows]


def redact_fail_closed(
    redact: RedactTexts, rows: Sequence[TextRow], style: TextStyle
) -> Sequence[TextAnswer]:
    """Ask a redactor; where it fails or answers nonsense, withhold.

    Whatever it raises is swallowed, for a library's message may quote a text.
    """
    failed = TextAnswer(text=None, code=TextCode.FAILED)
    try:
        answers = list(redact(rows, style))
        if len(answers) != len(rows):
            return [failed] * len(rows)
        return [answer if _is_sound(answer) else failed for answer in answers]
    except Exception:  # noqa: BLE001 - no cause may show, and no text may leave
        return [failed] * len(rows)


def _is_sound(answer: TextAnswer) -> bool:
    if answer.code is not TextCode.OK:
        return answer.text is None and answer.code is not TextCode.MISSING
    if not isinstance(answer.text, str):
        return False
    try:
        answer.text.encode()
    except UnicodeEncodeError:
        return False
    return True
