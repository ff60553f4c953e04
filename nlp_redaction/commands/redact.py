"""``redact``: texts without their identifiers, one line for one line."""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nlp_redaction.commands.rows import (
    Row,
    cut_chunks,
    open_input,
    open_output,
    read_rows,
    write_row,
)
from nlp_redaction.errors import SettingsRefused
from nlp_redaction.replacement import Redacted, RowContext

KEY_BYTES: Final = 32
RedactAll = Callable[[Sequence[tuple[object, RowContext]]], list[Redacted]]
"""Replaces in many texts, in order; never answers with a text as it came in."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Choices:
    """What the caller chose for every row.

    Attributes:
        shift_days: By how many days dates move where a row does not say.
        key: The secret from which each patient's key for surrogates is drawn.
    """

    shift_days: int | None = None
    key: bytes | None = None


def run_redact(
    redact_all: RedactAll, choices: Choices, source: str, target: str
) -> Counter[str]:
    """Answer a file of rows.

    Returns:
        How many texts were withheld, by code.

    Raises:
        BrokenInput: A line is not a row; no output file is left.
    """
    withheld: Counter[str] = Counter()
    with open_input(source) as rows, open_output(target) as answers:
        for answer in answer_rows(redact_all, choices, read_rows(rows)):
            write_row(answers, answer)
            if "refused" in answer:
                withheld[str(answer["refused"])] += 1
    return withheld


def answer_rows(
    redact_all: RedactAll, choices: Choices, rows: Iterable[Row]
) -> Iterator[dict[str, object]]:
    """Yield one answer a row, in order."""
    for chunk in cut_chunks(rows):
        items = [(row.text, make_context(row, choices)) for row in chunk]
        for row, redacted in zip(chunk, redact_all(items), strict=True):
            if redacted.refusal is None:
                yield {"id": row.identity, "text": redacted.text}
            else:
                yield {"id": row.identity, "refused": redacted.refusal.value}


def make_context(row: Row, choices: Choices) -> RowContext:
    """Return what the replacement of a row's identifiers depends on.

    Rows of one ``patient`` share a key, so that a name becomes the same name in all of
    them; a row that names no patient has a key of its own.
    """
    shift = row.shift_days if row.shift_days is not None else choices.shift_days
    return RowContext(
        known=row.known,
        shift_days=shift,
        surrogate_key=None if choices.key is None else _derive(row, choices.key),
    )


def _derive(row: Row, key: bytes) -> bytes:
    if row.patient is None:
        message = b"row\x1f" + json.dumps(row.identity).encode()
    else:
        message = b"patient\x1f" + row.patient.encode()
    return hmac.digest(key, message, hashlib.sha256)


def read_key(path: Path) -> bytes:
    """Read a key of 32 bytes, raw or as 64 hexadecimal digits.

    Raises:
        SettingsRefused: The file cannot be read or holds something else.
    """
    try:
        content = path.read_bytes()
    except OSError:
        message = "The key file cannot be read."
        raise SettingsRefused(message) from None
    if len(content) == KEY_BYTES:
        return content
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        message = (
            f"The key file must hold {KEY_BYTES} bytes, raw or as hexadecimal digits; "
            "make one with: openssl rand -hex 32"
        )
        raise SettingsRefused(message)
    return key
