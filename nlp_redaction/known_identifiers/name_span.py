"""Makes spans of chosen names: neighbours in one, with their initials and particles."""

from collections.abc import Iterator, Sequence
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.known_identifiers.compiled import Patient
from nlp_redaction.known_identifiers.name_choice import JOINING_GAPS, Mention
from nlp_redaction.known_identifiers.names import PARTICLES
from nlp_redaction.known_identifiers.number_search import NAME
from nlp_redaction.known_identifiers.ordinary import (
    EPONYM_NOUNS,
    PATIENT_CUES,
    PREDICATES,
    TITLES,
    list_ordinary,
)
from nlp_redaction.known_identifiers.sentence_position import (
    is_in_capitals,
    starts_sentence,
)
from nlp_redaction.known_identifiers.spelling import Words

_EXACT: Final = 0.97
_INEXACT: Final = 0.92
_INITIALS: Final = 0.9
_LEFT_TO_GUARD: Final = 0.6
_INITIAL_GAPS: Final = frozenset({" ", ". ", ".", "-", "", " . ", " ."})
_MOST_INITIALS: Final = 4
_MOST_PARTICLES: Final = 3


def make_spans(
    words: Words, patient: Patient, chosen: Sequence[Mention]
) -> Iterator[Span]:
    """Yield a span a name, and one for each place of the patient's initials."""
    groups: list[list[Mention]] = []
    reached = 0
    for mention in chosen:
        if groups and _touches(words, reached, mention):
            groups[-1].append(mention)
        else:
            groups.append([mention])
        reached = max(reached, mention.end)
    taken: set[int] = set()
    for group in groups:
        span, covered = _cover(words, patient, group)
        taken.update(covered)
        yield span
    for at, ocr_form in enumerate(words.ocr_forms):
        if ocr_form in patient.initial_ocr_forms and at not in taken:
            yield from _find_initials(words, patient, at, taken)


def _touches(words: Words, reached: int, mention: Mention) -> bool:
    gap = words.document.plain[reached : mention.start]
    return mention.start < reached or gap in JOINING_GAPS


def _cover(
    words: Words, patient: Patient, group: Sequence[Mention]
) -> tuple[Span, range]:
    first = min(mention.first for mention in group)
    last = max(mention.last for mention in group)
    left = _grow_left(words, patient, first)
    right = _grow_right(words, patient, last)
    start = min(mention.start for mention in group)
    end = max(mention.end for mention in group)
    start = words.starts[left] if left < first else start
    end = words.ends[right] if right > last else end
    odd = next((mention.how for mention in group if mention.how), "")
    score = _INEXACT if odd else _EXACT
    variants = dict.fromkeys(mention.target.variant for mention in group)
    reason = ", ".join([*variants, odd] if odd else variants)
    if left == first == last == right and _is_eponym(words, last):
        score, reason = _LEFT_TO_GUARD, f"{reason}, perhaps an eponym"
    return Span(start, end, Label.NAME, score, NAME, reason), range(left, right + 1)


def _is_eponym(words: Words, last: int) -> bool:
    following = last + 1
    if words.gap(last) == "'" and words.plain(following) == "s":
        last, following = following, following + 1
    return words.gap(last) == " " and words.plain(following) in EPONYM_NOUNS


def _grow_left(words: Words, patient: Patient, first: int) -> int:
    at = _read_initials(words, patient, first)
    for _ in range(_MOST_PARTICLES):
        particle = words.plain(at - 1)
        if particle not in PARTICLES or words.gap(at - 1) not in (" ", "-", "'"):
            break
        at -= 1
    return at if at == first else _read_initials(words, patient, at)


def _read_initials(words: Words, patient: Patient, first: int) -> int:
    at = first
    while at > max(0, first - _MOST_INITIALS):
        gap = words.gap(at - 1)
        if gap not in _INITIAL_GAPS or not _is_initial(words, patient, at - 1, gap):
            break
        at -= 1
    return at


def _is_initial(words: Words, patient: Patient, at: int, gap: str) -> bool:
    written, plain = words.written(at), words.plain(at)
    if not written.isalpha():
        return False
    if len(written) == 1:
        before = words.gap(at - 1)[-1:] if at else ""
        if before in ("'", "/", "&"):
            return False
        if written.isupper():
            return True
        is_led = gap in (". ", ".") or words.plain(at - 1) in TITLES
        if before == ".":
            return False
        return is_led and plain in patient.first_letters
    return (
        written.isupper()
        and len(written) < _MOST_INITIALS
        and plain not in list_ordinary()
        and patient.first_letters.issuperset(plain)
    )


def _grow_right(words: Words, patient: Patient, last: int) -> int:
    at, is_small = last, words.written(last).islower()
    while at < last + _MOST_INITIALS:
        gaps = (" ", ", ", ",", "-") if at == last else (" ", ". ", ".", "-")
        following = words.plain(at + 1)
        if words.gap(at) not in gaps or following not in patient.first_letters:
            break
        if words.written(at + 1).islower() != is_small:
            break
        if words.gap(at + 1)[:1] in ("&", "/", "'"):
            break
        at += 1
    return at


def _find_initials(
    words: Words, patient: Patient, at: int, taken: set[int]
) -> Iterator[Span]:
    """Find the patient's initials where a patient is likely to be named by them."""
    written = words.written(at)
    if not patient.initials or not written.isupper() or not written.isalpha():
        return
    last, letters = at, written
    if len(written) == 1:
        last, letters = _read_dotted(words, at)
    if last in taken or letters.lower() not in patient.initials:
        return
    if last > at or _is_patient_place(words, at, letters.lower()):
        taken.update(range(at, last + 1))
        start, end = words.starts[at], words.ends[last]
        yield Span(start, end, Label.NAME, _INITIALS, NAME, "initials of the patient")


def _read_dotted(words: Words, at: int) -> tuple[int, str]:
    """Read letters with full stops between them: J.S., J. P. S."""
    last, letters = at, words.written(at)
    while words.gap(last) in (".", ". ") and len(letters) < _MOST_INITIALS:
        following = words.written(last + 1)
        if len(following) != 1 or not following.isupper():
            break
        last += 1
        letters += following
    return last, letters


def _is_patient_place(words: Words, at: int, letters: str) -> bool:
    before = words.plain(at - 1)
    if before in PATIENT_CUES and words.gap(at - 1) in (" ", ": ", ":", " ("):
        return letters not in list_ordinary() or before in ("initials", "initial")
    if letters in list_ordinary() or is_in_capitals(words, at):
        return False
    if words.gap(at) == " " and words.plain(at + 1) in PREDICATES:
        return True
    return starts_sentence(words, at) and words.gap(at) in (": ", " - ", ", ", "'")
