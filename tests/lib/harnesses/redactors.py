"""Redactors that tests give to the service: one that works, some that fail."""

import re
from collections.abc import Mapping, Sequence

from pseudo_service.core.redaction import (
    Replacement,
    TextAnswer,
    TextCode,
    TextDates,
    TextRow,
    TextStyle,
)

_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


class WordRedactor:
    """Replaces exactly what is known, and keeps what it was asked, for assertions."""

    def __init__(self) -> None:
        self.asked: list[tuple[TextRow, TextStyle]] = []
        self.closed = False

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        self.asked += [(row, style) for row in rows]
        return [self._redact(row, style) for row in rows]

    def describe(self) -> Mapping[str, str]:
        return {"text_redaction": "words"}

    def close(self) -> None:
        self.closed = True

    def _redact(self, row: TextRow, style: TextStyle) -> TextAnswer:
        text, found = row.text, 0
        for number, pseudonym in row.pseudonyms.items():
            text = text.replace(number, pseudonym)
        for kind, values in row.known.items():
            for value in values:
                found += text.count(value)
                text = text.replace(value, f"[{kind.upper()}]")
        if style.dates is TextDates.SHIFT and row.shift_days is not None:
            text = _DAY.sub(f"<{row.shift_days}>", text)
        if style.replacement is Replacement.SURROGATES and row.surrogate_key:
            text += f" ({row.surrogate_key.hex()[:8]})"
        return TextAnswer(text=text, code=TextCode.OK, found={"NAME": found})


class BrokenRedactor(WordRedactor):
    """Raises, with the text in its message as libraries do."""

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        del style
        raise ValueError(rows[0].text)


class EchoRedactor(WordRedactor):
    """Says that it failed, and hands the text back all the same."""

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        del style
        return [TextAnswer(text=row.text, code=TextCode.TIMED_OUT) for row in rows]


class ShortRedactor(WordRedactor):
    """Answers one text too few."""

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        return super().redact(rows, style)[1:]


class OddRedactor(WordRedactor):
    """Answers what is no text, and half a surrogate pair."""

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        del style
        odd: list[object] = [b"bytes", "\ud800", None, 7]
        return [
            TextAnswer(text=odd[place % 4], code=TextCode.OK)  # type: ignore[arg-type]
            for place, _ in enumerate(rows)
        ]


FAILING = (BrokenRedactor, EchoRedactor, ShortRedactor, OddRedactor)
