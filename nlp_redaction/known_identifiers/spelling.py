"""One spelling for the many ways a word is written, and the words of a text in it.

Three views share the offsets of the text: the plain spelling (lower case, no accents),
the OCR form of it (signs that a scanner confuses are one sign) and the digits of it (letters
that a scanner puts in place of digits are digits).
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Final

from nlp_redaction.document.text import Document, fold, make_plain

_WORD: Final = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")
_MARK: Final = re.compile(r"[\u0300-\u036f]")
_DATE_START: Final = re.compile(r"\d+(?:5t|nd|rd|th|t\d\d|[a-z\d]{3,9})?$")
# "is", "so", "oil", "bill": all their letters look like digits.
_LOOK_LIKE_NUMBERS: Final = frozenset({"ls", "so", "oll", "blll"})
_LOOKS: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "8": "b"})
_DIGITS: Final = str.maketrans(
    {"o": "0", "l": "1", "i": "1", "|": "1", "s": "5", "b": "8"}
)
_ODD_LETTERS: Final = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "æ": "a", "œ": "o", "ß": "s",
    "\u0131": "i",
}  # fmt: skip
_TWO_LETTERS: Final = {
    "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe",
    "ß": "ss", "þ": "th",
}  # fmt: skip


class _Accents(dict[int, int]):
    """Translates a letter with an accent to the letter; grows by letters met only."""

    def __missing__(self, code: int) -> int:
        sign = chr(code)
        base = _ODD_LETTERS.get(sign) or unicodedata.normalize("NFD", sign)[0]
        self[code] = ord(base) if sign.isalpha() else code
        return self[code]


_ACCENTS: Final = _Accents()


def drop_accents(text: str) -> str:
    """Write letters without accents, in place; loose combining marks stay."""
    return text if text.isascii() else text.translate(_ACCENTS)


def spell_plainly(text: str) -> str:
    """Return a known value in lower case with plain signs and no accents."""
    return _MARK.sub("", drop_accents(fold(make_plain(text))))


def spell_accents_out(text: str) -> str:
    """As ``spell_plainly``, with accents as second letters: u with dots is ``ue``."""
    composed = fold(unicodedata.normalize("NFC", text))
    return spell_plainly("".join(_TWO_LETTERS.get(sign, sign) for sign in composed))


def normalise_ocr(plain: str) -> str:
    """Return the OCR form of a plainly spelt word."""
    return plain.translate(_LOOKS)


def read_digits(plain: str) -> str:
    """Return letters and digits of a value, letters that look like digits as digits."""
    return "".join(sign for sign in plain.translate(_DIGITS) if sign.isalnum())


def split_words(plain: str) -> list[str]:
    """Split a plainly spelt value into its runs of letters and digits."""
    return _WORD.findall(plain)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compact:
    """A text without anything between its words, for numbers in any grouping.

    Attributes:
        text: Letters and digits alone; letters that look like digits are digits.
        offsets: Where each word begins in it.
    """

    text: str
    offsets: list[int] = field(repr=False)

    def find_all(self, value: str) -> Iterator[int]:
        """Yield every place where a value begins."""
        at = self.text.find(value)
        while at >= 0:
            yield at
            at = self.text.find(value, at + 1)

    def word_at(self, at: int) -> int:
        """Return the index of the word that holds a place."""
        return bisect_right(self.offsets, at) - 1


@dataclass(frozen=True, eq=False, repr=False)
class Words:
    """The words of a document: runs of letters and digits, as scanners glue them.

    Attributes:
        document: The text.
        ocr_forms: The OCR form of every word.
        starts: Where each begins in the text.
        ends: Where each ends.
    """

    document: Document
    ocr_forms: list[str] = field(repr=False)
    starts: list[int] = field(repr=False)
    ends: list[int] = field(repr=False)

    @classmethod
    def read(cls, document: Document) -> "Words":
        """Cut a document into words."""
        seen = drop_accents(document.lower).translate(_LOOKS)
        spans = [match.span() for match in _WORD.finditer(seen)]
        ocr_forms = [seen[start:end] for start, end in spans]
        if not seen.isascii():
            ocr_forms = [
                ocr_form if ocr_form.isascii() else _MARK.sub("", ocr_form)
                for ocr_form in ocr_forms
            ]
        return cls(
            document,
            ocr_forms,
            [start for start, _ in spans],
            [end for _, end in spans],
        )

    def __len__(self) -> int:
        return len(self.ocr_forms)

    def written(self, at: int) -> str:
        """Return a word as it stands in the text, odd signs made plain."""
        return self.document.plain[self.starts[at] : self.ends[at]]

    def plain(self, at: int) -> str:
        """Return a word in its plain spelling; empty outside the text."""
        return spell_plainly(self.written(at)) if 0 <= at < len(self.ocr_forms) else ""

    def gap(self, at: int) -> str:
        """Return what stands between a word and the next one."""
        if not 0 <= at < len(self.starts) - 1:
            return "\n\n"
        return self.document.plain[self.ends[at] : self.starts[at + 1]]

    @cached_property
    def distinct(self) -> set[str]:
        """The OCR forms that occur, each once."""
        return set(self.ocr_forms)

    @cached_property
    def digits(self) -> list[str]:
        """Every word with the letters that look like digits as digits."""
        seen = self.document.lower.translate(_DIGITS)
        return [
            seen[start:end] for start, end in zip(self.starts, self.ends, strict=True)
        ]

    @cached_property
    def compact(self) -> Compact:
        """The text without anything between its words."""
        lengths = accumulate(map(len, self.digits), initial=0)
        return Compact("".join(self.digits), list(lengths)[:-1] or [0])

    @cached_property
    def dates(self) -> list[int]:
        """The words that may begin a date: those that begin like a number."""
        return [
            at
            for at, word in enumerate(self.digits)
            if word[0].isdigit()
            and not self._is_word_like_number(at)
            and _DATE_START.match(word)
        ]

    def _is_word_like_number(self, at: int) -> bool:
        if self.ocr_forms[at] not in _LOOK_LIKE_NUMBERS:
            return False
        return self.document.plain[self.starts[at]].isalpha()
