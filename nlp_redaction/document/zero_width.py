"""Signs that nobody sees, inside names and numbers: "J\u200bones" reads "Jones".

Zero-width signs, marks of direction and control characters come with text copied from
web pages and old systems. As a space they cut a name in two; so a text that holds one
is searched a second time without them.
"""

import re
from typing import Final

from nlp_redaction.document.spans import Span

_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef]+"
)


def drop_invisible(text: str) -> tuple[str, list[int]] | None:
    """Return a text without invisible signs, and where each of its signs stood.

    Returns:
        None when the text holds no invisible sign.
    """
    if text.isascii() and text.isprintable():
        return None
    kept: list[int] = []
    done = 0
    for match in _INVISIBLE.finditer(text):
        kept += range(done, match.start())
        done = match.end()
    if not done:
        return None
    kept += range(done, len(text))
    return "".join([text[at] for at in kept]), kept


def map_back(span: Span, kept: list[int]) -> Span:
    """Return a span of the text without invisible signs as one of the whole text."""
    return Span(
        kept[span.start],
        kept[span.end - 1] + 1,
        span.label,
        span.score,
        span.recogniser,
        span.reason,
    )
