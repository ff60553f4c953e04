"""A text made ready to be searched: same length, plain signs, atomic tokens.

Every view of the text has exactly as many code points as the text itself, so that an
offset found in one holds in all and nothing has to be mapped back.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Final, TypeVar

from nlp_redaction.errors import Refusal, TextRefused

_SPACES: Final = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u205f\u3000\ufeff\u2060\t\v\f"
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00ad"
_QUOTES: Final = "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4\u0060\uff07"
_DOUBLE_QUOTES: Final = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_CONTROLS: Final = "".join(
    chr(code)
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\r\x85"
)
_BREAKS: Final = "\u0085\u2028\u2029"
_PLAIN: Final[dict[int, str]] = {
    **{ord(sign): " " for sign in _CONTROLS},
    **{ord(sign): "\n" for sign in _BREAKS},
    **{ord(sign): " " for sign in _SPACES},
    **{ord(sign): "-" for sign in _DASHES},
    **{ord(sign): "'" for sign in _QUOTES},
    **{ord(sign): '"' for sign in _DOUBLE_QUOTES},
    # Full-width forms, as some keyboards and forms send them.
    **{0xFF01 + offset: chr(0x21 + offset) for offset in range(0x5E)},
}
_TOKEN: Final = re.compile(
    r"[^\W\d_][^\W\d_\u0300-\u036f]*[\u0300-\u036f]*(?:[^\W\d_]|[\u0300-\u036f])*|\d+|\S"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ODD_ASCII: Final = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
_LINE: Final = re.compile(r"[^\r\n]+")
_NO_TEXT: Final = "The value is not a text."
_Answer = TypeVar("_Answer")


def make_plain(text: str) -> str:
    """Write odd spaces, breaks, dashes, quotes and full-width signs plainly, in place.

    Control characters become spaces, all but line breaks.
    """
    is_plain = text.isascii() and not _ODD_ASCII.search(text)
    return text if is_plain else text.translate(_PLAIN)


def fold(text: str) -> str:
    """Lower-case without ever changing the length (a dotted capital I would)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := sign.lower()) == 1 else sign for sign in text)


def find_refusal(text: object, longest: int) -> TextRefused | None:
    """Return why a value cannot be searched; None for a text that can.

    Args:
        text: What came in the place of a text.
        longest: The most code points that are searched.
    """
    if not isinstance(text, str):
        return TextRefused(Refusal.NOT_TEXT, _NO_TEXT)
    if len(text) > longest:
        return TextRefused(
            Refusal.TOO_LONG, f"The text has more than {longest} characters; split it."
        )
    if not text.isascii() and _SURROGATE.search(text):
        return TextRefused(
            Refusal.BROKEN_ENCODING,
            "The text holds half of a surrogate pair; mend its encoding.",
        )
    return None


@dataclass(frozen=True, eq=False)
class Document:
    """One text and the views of it that the recognisers share.

    Attributes:
        text: As it came.
        plain: The same length, with plain spaces, dashes and quotes; tabs are spaces,
            line breaks stay.
        words: The atomic tokens of ``plain``: runs of letters, runs of digits, single
            other signs; never spaces.
        starts: Where each token begins.
        ends: Where each token ends.
    """

    text: str = field(repr=False)
    plain: str = field(repr=False)
    words: list[str] = field(repr=False)
    starts: list[int] = field(repr=False)
    ends: list[int] = field(repr=False)
    _worked_out: dict[object, object] = field(
        default_factory=dict, repr=False, init=False
    )

    @classmethod
    def read(cls, text: object, *, longest: int = 200_000) -> "Document":
        """Prepare a text.

        Args:
            text: What came; anything but a ``str`` is refused.
            longest: The most code points that are searched.

        Raises:
            TextRefused: It is no text, too long, or holds half a surrogate pair.
        """
        refused = find_refusal(text, longest)
        if refused is not None or not isinstance(text, str):
            raise refused or TextRefused(Refusal.NOT_TEXT, _NO_TEXT)
        plain = make_plain(text)
        found = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(plain)]
        words, starts, ends = (
            map(list, zip(*found, strict=True)) if found else ([], [], [])
        )
        return cls(text, plain, words, starts, ends)

    @cached_property
    def lower(self) -> str:
        """``plain`` in lower case, of the same length."""
        return fold(self.plain)

    @cached_property
    def folded(self) -> list[str]:
        """The tokens in lower case."""
        return [word.lower() for word in self.words]

    @cached_property
    def lines(self) -> list[tuple[int, int]]:
        """Start and end of every line that is not empty."""
        return [match.span() for match in _LINE.finditer(self.plain)]

    @cached_property
    def has_digit(self) -> bool:
        """Whether any digit is there: without one most patterns need not be tried."""
        return any(word.isdigit() for word in self.words)

    def token_at(self, offset: int) -> int:
        """Return the index of the token at or before an offset; -1 when none is."""
        return bisect_right(self.starts, offset) - 1

    def list_tokens(self, start: int, end: int) -> range:
        """Return the indices of the tokens that share a code point with a stretch."""
        first = max(self.token_at(start), 0)
        if first < len(self.ends) and self.ends[first] <= start:
            first += 1
        return range(first, self.token_at(end - 1) + 1)

    def collect_tokens(self, stretches: Iterable[tuple[int, int]]) -> set[int]:
        """Return the indices of the tokens of several stretches."""
        return {
            token for start, end in stretches for token in self.list_tokens(start, end)
        }

    def line_at(self, offset: int) -> tuple[int, int]:
        """Return start and end of the line around an offset."""
        start = max(
            self.plain.rfind("\n", 0, offset), self.plain.rfind("\r", 0, offset)
        )
        stops = [at for sign in "\r\n" if (at := self.plain.find(sign, offset)) >= 0]
        return start + 1, min(stops, default=len(self.plain))


def once_a_document(
    work: Callable[[Document], _Answer],
) -> Callable[[Document], _Answer]:
    """Let a function of a document do its work once, and forget it with the document.

    A cache of the function's own would keep the last patient's text after it was
    answered.
    """

    @wraps(work)
    def recall(document: Document) -> _Answer:
        known = document._worked_out  # noqa: SLF001 - the document's own memory
        if work not in known:
            known[work] = work(document)
        return known[work]  # type: ignore[return-value]

    return recall
