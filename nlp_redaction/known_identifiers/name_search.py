"""Finds the known names in a text: whole, in parts, misspelt, broken, with initials."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nlp_redaction.document.spans import Span
from nlp_redaction.known_identifiers.compiled import Patient
from nlp_redaction.known_identifiers.name_choice import Mention, choose_mentions
from nlp_redaction.known_identifiers.name_span import make_spans
from nlp_redaction.known_identifiers.names import Target
from nlp_redaction.known_identifiers.ordinary import list_ordinary, list_ordinary_looks
from nlp_redaction.known_identifiers.sentence_position import starts_sentence
from nlp_redaction.known_identifiers.spelling import Words, normalise_ocr, spell_plainly

_BREAK_SIGNS: Final = frozenset(" -'.\r\n_")
_WIDEST_BREAK: Final = 3
_GLUE: Final = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]{3}")
_BIRTH: Final = "dob"
_MOST_PIECES: Final = 4
_SHORTEST_BROKEN: Final = 4
_SHORTEST_RUN: Final = 3


@dataclass(frozen=True, slots=True, repr=False)
class _Reading:
    """What an OCR form stands for, and how it came to be read so."""

    target: Target
    how: str
    errors: int = 0
    is_headless: bool = False


def find_names(words: Words, patient: Patient) -> Iterator[Span]:
    """Yield the places of the patient's names and of the known people's."""
    if not patient.names:
        return
    mentions = list(_find_mentions(words, patient))
    mentions += _find_broken(words, patient)
    mentions += _find_glued(words, patient)
    chosen = choose_mentions(words, mentions)
    yield from make_spans(words, patient, chosen)


def _find_mentions(words: Words, patient: Patient) -> Iterator[Mention]:
    readings = _read_looks(words, patient)
    if not readings:
        return
    for at, ocr_form in enumerate(words.ocr_forms):
        reading = readings.get(ocr_form)
        if reading is None:
            continue
        plain = words.plain(at)
        how = reading.how
        if not how and plain != reading.target.plain:
            how = "ocr_form-alike letters"
        if how and not _may_be_misspelt(words, at, plain, reading):
            continue
        start, end = words.starts[at], words.ends[at]
        yield Mention(at, at, start, end, reading.target, how)


def _read_looks(words: Words, patient: Patient) -> dict[str, _Reading]:
    readings: dict[str, _Reading] = {}
    ordinary = list_ordinary_looks()
    for ocr_form in words.distinct:
        target = patient.names.get(ocr_form)
        if target is not None:
            readings[ocr_form] = _Reading(target, "")
        elif found := patient.fuzzy.find(ocr_form, 1 if ocr_form in ordinary else 2):
            errors = "one typing error" if found.errors == 1 else "two typing errors"
            readings[ocr_form] = _Reading(
                patient.names[found.ocr_form], errors, found.errors, found.is_headless
            )
    return readings


def _may_be_misspelt(words: Words, at: int, plain: str, reading: _Reading) -> bool:
    """Tell whether a word that is not quite the name is it all the same."""
    written = words.written(at)
    if plain in list_ordinary():
        return (
            not reading.is_headless
            and reading.errors == 1
            and written[0].isupper()
            and not written.isupper()
            and not starts_sentence(words, at)
        )
    digits = sum(sign.isdigit() for sign in written)
    if digits and (
        digits == len(written) or (reading.errors and digits * 3 > len(written))
    ):
        return False
    if reading.is_headless or reading.errors > 1:
        return not written.islower()
    return True


def _find_broken(words: Words, patient: Patient) -> Iterator[Mention]:
    """Find names in pieces: a line break, a hyphen or a stray space within them."""
    ocr_forms, names = words.ocr_forms, patient.names
    for at, ocr_form in enumerate(ocr_forms):
        if ocr_form not in patient.beginnings:
            continue
        whole, last = ocr_form, at
        while last + 1 < len(ocr_forms) and last - at < _MOST_PIECES:
            gap = words.gap(last)
            if len(gap) > _WIDEST_BREAK or not _BREAK_SIGNS.issuperset(gap):
                break
            last += 1
            whole += ocr_forms[last]
            if whole in names and names[whole].may_break:
                if _is_one_name(words, at, last, names[whole]):
                    start, end = words.starts[at], words.ends[last]
                    yield Mention(at, last, start, end, names[whole], "in pieces")
            elif whole not in patient.beginnings:
                break


def _is_one_name(words: Words, first: int, last: int, target: Target) -> bool:
    pieces = [words.plain(at) for at in range(first, last + 1)]
    if len(target.plain) < _SHORTEST_BROKEN:
        return False
    ordinary = list_ordinary()
    if not all(piece in ordinary or len(piece) == 1 for piece in pieces):
        return True
    gaps = {words.gap(at) for at in range(first, last)}
    if " " in gaps or any("\n" in gap and "-" not in gap for gap in gaps):
        # Letters spaced out for emphasis are a name; two ordinary words are not.
        return all(len(piece) == 1 for piece in pieces)
    return True


def _find_glued(words: Words, patient: Patient) -> Iterator[Mention]:
    """Find names that digits or another word are stuck to: Smith11, MrSmith."""
    spots = {
        bisect_right(words.starts, match.start()) - 1
        for match in _GLUE.finditer(words.document.plain)
    }
    for at in sorted(spots):
        written = words.written(at)
        if words.ocr_forms[at] in patient.names or len(written) <= _SHORTEST_RUN:
            continue
        for start, run in _list_runs(written):
            target = patient.names.get(normalise_ocr(spell_plainly(run)))
            if target is not None and len(run) >= _SHORTEST_RUN:
                begin = words.starts[at] + start
                end = begin + len(run)
                yield Mention(at, at, begin, end, target, "stuck to something else")


def _list_runs(written: str) -> Iterator[tuple[int, str]]:
    """Yield runs of letters, cut before a capital that follows a small letter."""
    start = 0
    for at in range(1, len(written) + 1):
        is_end = at == len(written)
        if is_end or (
            written[at].isalpha() != written[at - 1].isalpha()
            or (written[at].isupper() and written[at - 1].islower())
        ):
            run = written[start:at]
            if run.lower().endswith(_BIRTH):
                yield start, run[: -len(_BIRTH)]
            elif written[start].isalpha() and at - start < len(written):
                yield start, run
            start = at
