"""Reads JSON lines and the known identifiers in them.

No message quotes a line: it names the line's number and what is wrong.
"""

import json
from dataclasses import fields
from typing import Final

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers

_KNOWN_KEYS: Final = tuple(field.name for field in fields(KnownIdentifiers))


class BrokenInput(Exception):
    """A line of the input is not what it should be; nothing after it was read."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line} of the input {problem}.")


def read_object(number: int, line: bytes) -> dict[str, object]:
    """Return the JSON object of a line.

    Raises:
        BrokenInput: It is not UTF-8, not JSON or no object.
    """
    try:
        content = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BrokenInput(number, "is not UTF-8") from None
    except (ValueError, RecursionError):
        raise BrokenInput(number, "is not JSON") from None
    if not isinstance(content, dict):
        raise BrokenInput(number, "is not a JSON object")
    return content


def read_known(number: int, content: object) -> KnownIdentifiers:
    """Make known identifiers of the object under ``known``; None is nothing known.

    Raises:
        BrokenInput: It is no object of lists of texts, or has an unknown key.
    """
    if content is None:
        return NOTHING_KNOWN
    if not isinstance(content, dict):
        raise BrokenInput(number, 'has a "known" that is no object')
    if not content.keys() <= set(_KNOWN_KEYS):
        # A field that nobody reads would be an identifier that nobody removes.
        wanted = ", ".join(_KNOWN_KEYS)
        raise BrokenInput(number, f'has a "known" with a key that is none of {wanted}')
    return KnownIdentifiers(
        **{key: _read_texts(number, key, values) for key, values in content.items()}
    )


def _read_texts(number: int, key: str, values: object) -> tuple[str, ...]:
    if values is None:
        return ()
    if not isinstance(values, list):
        raise BrokenInput(number, f'has a "known" whose "{key}" is no list')
    texts = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise BrokenInput(number, f'has a "known" whose "{key}" holds no text')
        texts.append("" if value is None else str(value))
    return tuple(text for text in texts if text.strip())
