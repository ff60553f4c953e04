"""How to walk over the tokens of an address: numbers, names, neighbours."""

import re
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.places.address_words import (
    INSIDE_NAMES,
    NEVER_NAMES,
    NUMBER_WORDS,
)

_SCANNED: Final = re.compile(
    r"[01](?:(?<=[A-Za-z][01])(?=[a-z])|(?<=[a-z]{2}[01])(?![\w.]))"
)
_LETTERS: Final = {"0": "o", "1": "l"}
_LONGEST_NUMBER: Final = 4
_MOST_NAME_TOKENS: Final = 7
_MOST_NAME_WORDS: Final = 4
_WIDEST_GAP: Final = 2
_INSIDE: Final = frozenset("'-")
_DURATIONS: Final = frozenset({"7", "12", "24", "52"})
_LAST_HOUR: Final = 24
_NOT_BEFORE_HOUSE: Final = frozenset("£$+<>=")
_INSIDE_FIGURES: Final = frozenset(".:/%")


def mend_scan(document: Document) -> Document:
    """Read "R0ad" as "Road": the same length, so offsets hold; else the same document.

    Only 0 and 1 within a word of letters are taken for o and l.
    """
    plain = document.plain
    if not document.has_digit or not _SCANNED.search(plain):
        return document
    mended = _SCANNED.sub(lambda found: _LETTERS[found.group()], plain)
    return Document.read(mended, longest=len(mended))


def is_near(document: Document, left: int, right: int) -> bool:
    """Tell whether at most two spaces and no line break part two neighbours."""
    gap = document.starts[right] - document.ends[left]
    if gap <= 1:
        return gap == 0 or document.plain[document.ends[left]] not in "\r\n"
    return (
        gap <= _WIDEST_GAP
        and document.plain[document.ends[left] : document.starts[right]].isspace()
        and on_one_line(document, left, right)
    )


def on_one_line(document: Document, left: int, right: int) -> bool:
    """Tell whether no line break parts two tokens."""
    between = document.plain[document.ends[left] : document.starts[right]]
    return "\n" not in between and "\r" not in between


def find_name_start(document: Document, index: int) -> int:
    """Walk left from a street's last word over what can be its name.

    Returns:
        The index of the first token of the name; ``index`` itself when there is none.
    """
    words, folded = document.words, document.folded
    at, first, names = index - 1, index, 0
    while at >= 0 and index - at <= _MOST_NAME_TOKENS and names < _MOST_NAME_WORDS:
        if not is_near(document, at, at + 1):
            break
        word = words[at]
        if word in _INSIDE:
            at -= 1
            continue
        if not word[0].isalpha():
            break
        if folded[at] in NEVER_NAMES and folded[at] not in INSIDE_NAMES:
            break
        if folded[at] in NUMBER_WORDS or _is_glued(document, at):
            break
        names += 1
        first = at
        at -= 1
    return first + 1 if folded[first] == "of" else first


def _is_glued(document: Document, at: int) -> bool:
    """Tell whether digits stand against a word, as in "2WW" or "18F"."""
    return (
        at > 0
        and document.ends[at - 1] == document.starts[at]
        and document.words[at - 1].isdigit()
    )


def strip_to_capitals(document: Document, first: int, index: int) -> int:
    """Cut a name at its left to the capitalised words next to the street's word."""
    words, folded = document.words, document.folded
    start = index
    for at in range(index - 1, first - 1, -1):
        if words[at][0].isupper():
            start = at
        elif words[at] not in _INSIDE and words[at] != "s" and words[at] != "of":
            break
    while start < index and folded[start] in NEVER_NAMES - INSIDE_NAMES:
        start += 1
    return start


def find_number_before(document: Document, first: int) -> int | None:
    """Return where the house number that ends just before a token begins."""
    folded, words = document.folded, document.words
    at = first - 1
    if at > 0 and words[at] == "," and is_near(document, at, first):
        at -= 1
        if at and words[at - 1].isalpha() and on_one_line(document, at - 1, at):
            return None
    if at < 0 or not is_near(document, at, at + 1):
        return None
    if folded[at] in NUMBER_WORDS:
        return _start_number_words(document, at)
    if document.ends[at] == document.starts[first]:
        return None
    single = len(words[at]) == 1 and words[at].isalpha()
    if single and at and words[at - 1].isdigit() and is_near(document, at - 1, at):
        at -= 1
    return start_number(document, at)


def start_number(document: Document, at: int) -> int | None:
    """Return where a house number that ends with a token begins, "31/4" and "2-6" too."""
    word = document.words[at]
    if not _may_be_house(word):
        return None
    start = document.starts[at]
    before = document.plain[start - 1] if start else " "
    follows_figures = at > 1 and document.words[at - 2].isdigit()
    if before in "/-" and follows_figures:
        return at - 2 if _joins_numbers(document, at, before) else None
    if before.isalpha() or before in _NOT_BEFORE_HOUSE:
        return None
    return None if before in _INSIDE_FIGURES and follows_figures else at


def _may_be_house(word: str) -> bool:
    """Tell whether figures may number a house: four at most, no nought, no time."""
    return (
        word.isdigit()
        and len(word) <= _LONGEST_NUMBER
        and not word.startswith("0")
        and not _is_time(word)
    )


def _joins_numbers(document: Document, at: int, sign: str) -> bool:
    """Tell whether two numbers make one house, "2-6", rather than a date or "3/7"."""
    is_tight = document.ends[at - 2] == document.starts[at] - 1
    is_longer = at > 2 and document.words[at - 3] in ("/", "-", ".")  # noqa: PLR2004
    is_duration = sign == "/" and document.words[at] in _DURATIONS
    return is_tight and not is_longer and not is_duration


def _is_time(word: str) -> bool:
    """Tell whether four digits are rather a time of day than a house."""
    return (
        len(word) == _LONGEST_NUMBER
        and int(word[:2]) <= _LAST_HOUR
        and word[2] in "012345"
    )


def _start_number_words(document: Document, at: int) -> int:
    while (
        at and document.folded[at - 1] in NUMBER_WORDS and is_near(document, at - 1, at)
    ):
        at -= 1
    return at


def end_number(document: Document, at: int) -> int:
    """Return the last token of a house number that begins with a token: "12a", "2/1"."""
    words, starts, ends = document.words, document.starts, document.ends
    count = len(words)
    if at + 1 < count and starts[at + 1] == ends[at]:
        if len(words[at + 1]) == 1 and words[at + 1].isalpha():
            return at + 1
        after = words[at + 2] if at + 2 < count else ""
        if words[at + 1] in "/-" and after.isdigit() and after != "0":
            return at + 2
    return at


def starts_number(document: Document, at: int) -> bool:
    """Tell whether a house number in digits or words begins with a token."""
    word = document.words[at]
    return document.folded[at] in NUMBER_WORDS or (
        word.isdigit() and len(word) <= _LONGEST_NUMBER and word[0] != "0"
    )


def find_name_end(document: Document, at: int, most: int) -> int:
    """Return the last token of a run of capitalised words from a token on."""
    words = document.words
    last, count = at - 1, 0
    while at < len(words) and count < most:
        if last >= 0 and at - 1 >= 0 and not is_near(document, at - 1, at):
            break
        if words[at][0].isupper():
            last, count = at, count + 1
        elif words[at] not in ("-", "'", "s", "of", "y"):
            break
        at += 1
    return last


def is_followed_by_name(document: Document, index: int) -> bool:
    """Tell whether a capitalised word follows at once: "St Thomas", "Dr Jones"."""
    words = document.words
    at = index + 1 + (words[index + 1 : index + 2] == ["."])
    return at < len(words) and words[at][0].isupper() and is_near(document, at - 1, at)
