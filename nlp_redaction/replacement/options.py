"""What a caller asks of a redaction, and what it is answered."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.document.text import find_refusal
from nlp_redaction.errors import Refusal

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How texts are searched, and what stands where an identifier stood.

    Attributes:
        mode: See ``pipeline.Finder``.
        replacement: ``tags`` write the kind (``[NAME]``); ``masks`` write X for a
            letter and 0 for a digit and keep the layout; ``surrogates`` write
            something else of the same kind, always the same for one patient.
        dates: ``shift`` moves them by the patient's offset, ``redact`` treats them
            like any other identifier, ``keep`` leaves them.
    """

    mode: str = "thorough"
    replacement: Literal["tags", "masks", "surrogates"] = "tags"
    dates: Literal["shift", "redact", "keep"] = "redact"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RowContext:
    """What is known of the patient whose text it is; its ``repr`` shows nothing.

    Attributes:
        known: The patient's identifiers, as the record writes them.
        shift_days: The patient's date offset. With ``dates="shift"`` None means that
            dates become tags; they are never kept.
        pseudonyms: A number of this patient, in any written form, to the project's
            pseudonym for it.
        surrogate_key: 32 bytes of this patient in this project. Surrogates need it;
            without it there are tags.
    """

    known: KnownIdentifiers = NOTHING_KNOWN
    shift_days: int | None = None
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    surrogate_key: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse a key of the wrong length; copy the mapping, which may be a view."""
        if self.surrogate_key is not None and len(self.surrogate_key) != KEY_BYTES:
            message = f"surrogate_key must be {KEY_BYTES} bytes."
            raise ValueError(message)
        object.__setattr__(self, "pseudonyms", dict(self.pseudonyms))

    def __repr__(self) -> str:
        """Say what kind of thing this is, and nothing of what is in it."""
        return "RowContext(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The answer to one text: redacted, missing or withheld.

    Attributes:
        text: The redacted text; None when there was none or it is withheld.
        refusal: Why it is withheld; None when it is not.
        counts: How many identifiers of each kind were replaced.
    """

    text: str | None = field(default=None, repr=False)
    refusal: Refusal | None = None
    counts: Mapping[Label, int] = field(default_factory=dict)


MISSING: Final = Redacted()


def withhold(refusal: Refusal) -> Redacted:
    """Return the answer that carries no text."""
    return Redacted(refusal=refusal)


def answer_unread(value: object, longest: int) -> Redacted | None:
    """Answer what need not be read to be answered; None for a text to be searched.

    Args:
        value: What came in the place of a text. None and NaN are missing values.
        longest: The most characters that are searched.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    refused = find_refusal(value, longest)
    return None if refused is None else withhold(refused.refusal)
