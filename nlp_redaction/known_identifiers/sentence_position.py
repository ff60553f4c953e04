"""Where a word stands: at the start of a sentence, in a line of capitals."""

import re
from typing import Final

from nlp_redaction.known_identifiers.spelling import Words

_ENDS_SENTENCE: Final = frozenset(".!?:;\r\n")
_SKIPPED: Final = " \"'([-*#>"
_INITIAL: Final = re.compile(r"(?:^|[^\w.])(?:[A-Za-z]|[MD]rs?|Ms|Prof|Rev)\.$")
_MANY: Final = 4


def starts_sentence(words: Words, at: int) -> bool:
    """Tell whether a word is the first of its sentence, line or field."""
    before = words.document.plain[max(0, words.starts[at] - 12) : words.starts[at]]
    stripped = before.rstrip(_SKIPPED)
    if before.endswith("(") and stripped and "\n" not in before:
        return False
    if not stripped:
        return len(before) < 12 or not before.strip(" ")  # noqa: PLR2004
    if stripped[-1] == "." and _INITIAL.search(stripped):
        return False
    return stripped[-1] in _ENDS_SENTENCE


def is_in_capitals(words: Words, at: int) -> bool:
    """Tell whether most words around are in capitals, so that capitals say nothing."""
    start, end = words.document.line_at(words.starts[at])
    line = words.document.plain[start:end]
    rest = line.replace(words.written(at), "")
    upper = sum(sign.isupper() for sign in rest)
    letters = sum(sign.isalpha() for sign in rest)
    return letters >= _MANY and upper * 2 > letters
