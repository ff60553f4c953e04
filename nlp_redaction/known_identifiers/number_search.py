"""Finds known numbers in a text, whatever stands between their digits."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.known_identifiers.fuzzy import count_errors
from nlp_redaction.known_identifiers.numbers import Form, KnownNumber
from nlp_redaction.known_identifiers.spelling import Words

NAME: Final = "known_identifiers"
_SURE: Final = 0.98
_WIDEST_GAP: Final = 4
_ANYWHERE: Final = 7
_GAP_SIGNS: Final = frozenset(" -./()\r\n_,:+'*|\\")
_EMAIL_GAP_SIGNS: Final = frozenset(" @._-+<>'\r\n")
_LOCAL_GAP_SIGNS: Final = frozenset("._-+")
_ENDING: Final = re.compile(
    r"\b(?:ending|ends|last (?:few |four |three |five |\d )?digits?|final digits)\W{1,3}"
    r"(?:in |with |are |is |of |:)?\W{0,3}(\d[\d ]{2,9}\d)"
)
_COUNTRY: Final = re.compile(r"(?:\+? ?(?:00 ?)?44 ?)?[ (.-]{0,3}(?:0?[ ).-]{0,2})?$")
_PIECES: Final = 3
_NEIGHBOURHOOD: Final = 60
_OUTWARD_CUE: Final = re.compile(r"(?:postcode|post code|area)\W{0,3}(?:is |of )?$")


def find_numbers(words: Words, numbers: Iterable[KnownNumber]) -> Iterator[Span]:
    """Yield the places of known numbers, postcodes, telephones and e-mails."""
    known = tuple(numbers)
    if not known or not words.ocr_forms:
        return
    has_digit = words.document.has_digit
    for number in known:
        if number.form in (Form.EMAIL, Form.LOCAL_PART):
            yield from _find_exact(words, number)
        elif has_digit and number.form != Form.OUTWARD:
            found = list(_find_exact(words, number))
            yield from found
            if number.bears_error:
                yield from _find_near(words, number)
    if has_digit:
        yield from _find_endings(words, known)


def _span(start: int, end: int, number: KnownNumber, how: str) -> Span:
    return Span(start, end, number.label, _SURE, NAME, f"known {number.form}, {how}")


def _find_exact(words: Words, number: KnownNumber) -> Iterator[Span]:
    for at in words.compact.find_all(number.value):
        place = _locate(words, at, len(number.value))
        if place is None:
            continue
        start, end, starts_word, ends_word = place
        if not _is_whole(number, starts_word=starts_word, ends_word=ends_word):
            continue
        if not _has_fair_gaps(words, at, number):
            continue
        if number.form == Form.PHONE:
            start = _grow_left(words, start)
        yield _span(start, end, number, "any grouping")


def _locate(words: Words, at: int, length: int) -> tuple[int, int, bool, bool] | None:
    """Return start, end and whether words begin and end there; None without digits."""
    compact = words.compact
    first, last = compact.word_at(at), compact.word_at(at + length - 1)
    into_first = at - compact.offsets[first]
    into_last = at + length - compact.offsets[last]
    start = words.starts[first] + into_first
    end = words.starts[last] + into_last
    return start, end, into_first == 0, end == words.ends[last]


def _is_whole(number: KnownNumber, *, starts_word: bool, ends_word: bool) -> bool:
    if number.form in (Form.NUMBER, Form.PHONE) and len(number.value) >= _ANYWHERE:
        return True
    return starts_word and ends_word


def _has_fair_gaps(words: Words, at: int, number: KnownNumber) -> bool:
    compact = words.compact
    first = compact.word_at(at)
    last = compact.word_at(at + len(number.value) - 1)
    is_email = number.form in (Form.EMAIL, Form.LOCAL_PART)
    fair = _EMAIL_GAP_SIGNS if is_email else _GAP_SIGNS
    if number.form == Form.LOCAL_PART:
        fair = _LOCAL_GAP_SIGNS
    plain = words.document.plain
    for word in range(first, last):
        gap = plain[words.ends[word] : words.starts[word + 1]]
        if len(gap) > _WIDEST_GAP or not fair.issuperset(gap):
            return False
    if is_email:
        return True
    return any(sign.isdigit() for sign in plain[words.starts[first] : words.ends[last]])


def _grow_left(words: Words, start: int) -> int:
    before = words.document.plain[max(0, start - 12) : start]
    match = _COUNTRY.search(before)
    if match is None:
        return start
    prefix = match.group().lstrip(" .-")
    if prefix.count("(") > prefix.count(")"):
        prefix = prefix.lstrip("(")
    return start - len(prefix) if any(sign.isdigit() for sign in prefix) else start


def _find_near(words: Words, number: KnownNumber) -> Iterator[Span]:
    """Find a long number with one digit wrong, left out, added or swapped.

    One error leaves at least one third of the number as it was: the thirds are what
    is looked for, and the words around one are compared with the whole.
    """
    compact, value = words.compact, number.value
    length, tried = len(value), set[int]()
    for piece in range(_PIECES):
        into = piece * length // _PIECES
        part = value[into : (piece + 1) * length // _PIECES]
        for at in compact.find_all(part):
            for start in (at - into - 1, at - into, at - into + 1):
                if start < 0 or start in tried:
                    continue
                tried.add(start)
                yield from _compare(words, number, start)


def _compare(words: Words, number: KnownNumber, at: int) -> Iterator[Span]:
    compact, length = words.compact, len(number.value)
    word = compact.word_at(at)
    if word >= len(words) or compact.offsets[word] != at:
        return
    for size in (length, length - 1, length + 1):
        written = compact.text[at : at + size]
        if len(written) != size or written == number.value:
            continue
        if number.value.isdigit() != written.isdigit():
            continue
        if size != length and (not written.isdigit() or number.value in written):
            continue
        if count_errors(written, number.value, 1) > 1:
            continue
        place = _locate(words, at, size)
        if place is None or not place[3] or not _has_fair_gaps(words, at, number):
            continue
        yield _span(place[0], place[1], number, "one wrong digit")


def _find_endings(words: Words, numbers: Iterable[KnownNumber]) -> Iterator[Span]:
    lower = words.document.lower
    if "ending" not in lower and "digit" not in lower and "ends" not in lower:
        return
    for match in _ENDING.finditer(lower):
        tail = match.group(1).replace(" ", "")
        for number in numbers:
            if number.form in (Form.NUMBER, Form.PHONE) and number.value.endswith(tail):
                yield _span(match.start(1), match.end(1), number, "its last digits")


def find_outward(
    words: Words, numbers: Iterable[KnownNumber], places: Iterable[Span]
) -> Iterator[Span]:
    """Yield outward parts of known postcodes where the address is near."""
    outward = {n.value: n for n in numbers if n.form == Form.OUTWARD}
    if not outward or not words.document.has_digit:
        return
    near = [place for place in places if place.label in (Label.ADDRESS, Label.LOCATION)]
    for at, digits in enumerate(words.digits):
        if digits in outward and _is_outward(words, at, near):
            number, last = outward[digits], at
            if words.gap(at) == " " and words.written(at + 1) == number.following:
                last += 1
            start, end = words.starts[at], words.ends[last]
            yield _span(start, end, number, "next to the address")


def _is_outward(words: Words, at: int, near: Iterable[Span]) -> bool:
    written, start = words.written(at), words.starts[at]
    if not any(sign.isdigit() for sign in written):
        return False
    before = words.document.lower[max(0, start - 20) : start]
    if _OUTWARD_CUE.search(before):
        return True
    widest = _WIDEST_GAP if written.islower() else _NEIGHBOURHOOD
    return any(-widest < start - place.end < widest for place in near)
