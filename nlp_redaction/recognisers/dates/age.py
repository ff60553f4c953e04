"""Ages of ninety and more, which so few people reach that they tell who somebody is."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon, word_set
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.dates.context import find_word_before
from nlp_redaction.recognisers.rules import Rule, always, score_by

_OLDEST: Final = 115
_FIGURES: Final = frozenset(str(age) for age in range(90, _OLDEST + 1)) | {"9"}
_HEADS: Final = _FIGURES | {"ninety", "ninty"}

_WORDED: Final = re.compile(
    r"nine?ty(?:[ -](?:one|two|three|four|five|six|seven|eight|nine|odd|something))?(?![a-z])"
)
_YEARS: Final = re.compile(
    r"[ -]?(?:years?|yrs?|y)(?![a-z])(?:[ -]?(?:old|o)(?![a-z])|/o(?![a-z]))?|[ -]?y/?o(?![a-z])"
    r"|-ish(?![a-z])"
)
_SEX: Final = re.compile(r" ?[mf](?![a-z0-9/])")
_SPAN_OF_TIME: Final = re.compile(r"[ ]?(?:pack|ago|history|survival|of |later|free|%)")
_MEASURED: Final = re.compile(
    r" ?(?:[%\u00b0]|(?:mg|mcg|ml|mls|kg|g|cm|mm|mmol|mmhg|units?|iu|bpm|beats|min|mins|minutes|"
    r"secs?|hrs?|hours|days?|weeks?|months|degrees|x|l|m|ms|on ra|on air|on o2|in air|ra|per|"
    r"o2|sats?|percent|am|pm)(?![a-z]))|[./:][0-9]|-[0-9]|,[0-9]| ?/| ?-> ?[0-9]| ?\u2192| ?> ?[0-9]"
)
_SURE_CUES: Final = word_set("aged age turned reached turning")
_PERSON_CUES: Final = word_set(
    "he she shes hes who been himself herself lady gentleman man woman mother "
    "father mum dad mam granny gran grandmother grandfather nan nana grandad husband "
    "husb wife hubby aunt uncle sister brother lived lives died "
    "widow widower nearly almost survivor veteran gent nain taid nonna @ just"
)
_MEASURES: Final = word_set(
    "sats sat spo2 o2 saturation saturations hr p pulse rate bp hb map wt weight k na "
    "urea creat creatinine egfr crp inr platelets plt wcc glucose bm bed bay room ward "
    "rm over on of from no x ratio score moca mmse ace iq temp systolic diastolic "
    "alb albumin alt alp gfr iron ferritin height ht waist bmi % peak pefr fev1 fvc pa "
    "po2 flexion extension rom abduction at fasting mcv platelet v version number chair "
    "scan page lot flat unit locker level centile percentile rr r qds tds od bd target "
    "tc technetium phq apgar cd4 scores scored by pulses b12 tsh ast ggt hct axis a1c hba1c tlc ldh"
)
_VERBS: Final = word_set("is was s at now so")
_BIRTH: Final = word_set("born dob b")
_CLAUSE: Final = 8
_NEAR: Final = 4
_SHORT: Final = 4
_READINGS: Final = word_set(
    "sats sat spo2 saturation saturations pulse pressure systolic diastolic weight "
    "glucose creatinine temperature bpm heart count usual"
)
_TITLES: Final = word_set("mr mrs ms miss dr sir lady dame rev mme master sister")
_BEHIND_NAME: Final = frozenset({"(", ",", "-", "|", "*", '"'})


class AgeRecogniser(Recogniser):
    """Finds ages from 90 to 115, in figures or words, with the unit they carry."""

    labels: ClassVar[tuple[Label, ...]] = (Label.AGE_90_PLUS,)

    @cached_property
    def _names(self) -> frozenset[str]:
        return self._all_names - read_lexicon("clinical_words")

    @cached_property
    def _all_names(self) -> frozenset[str]:
        return read_lexicon("forenames") | read_lexicon("surnames")

    def find(self, document: Document) -> Iterator[Span]:
        """Yield ages, bare figures only where a person stands before them."""
        folded = document.folded
        if _HEADS.isdisjoint(folded):
            return
        for index, word in enumerate(folded):
            if word in _HEADS:
                found = self._read(document, index)
                if found is not None:
                    yield found

    def _read(self, document: Document, index: int) -> Span | None:
        start, end = document.starts[index], document.ends[index]
        lower = document.lower
        if start and (lower[start - 1].isalnum() or _in_number(lower, start)):
            return None
        if document.words[index] == "9":
            if lower[end : end + 1] != "o":
                return None
            end += 1
        elif not document.words[index].isdigit():
            end = _end_of_words(lower, start, end)
        unit = _YEARS.match(lower, end)
        if unit is not None:
            if _SPAN_OF_TIME.match(lower, unit.end()):
                return None
            return self._make(start, unit.end(), 0.9, "with a unit")
        return self._read_bare(document, index, start, end)

    def _read_bare(
        self, document: Document, index: int, start: int, end: int
    ) -> Span | None:
        lower = document.lower
        before = find_word_before(document, index)
        sex = _SEX.match(lower, end)
        if before in _SURE_CUES:
            return self._make(start, end, 0.9, "behind a cue of age")
        if sex is not None and before not in _MEASURES:
            return self._make(start, sex.end(), 0.6, "with a sex")
        if (
            lower[end : end + 1].isalpha()
            or _MEASURED.match(lower, end)
            or (before in _MEASURES - {"to", "at"} or end - start < len("90"))
        ):
            return None
        near = _Clause(self, document, index, end)
        scored = score_by(_BARE_AGE, near)
        return self._make(start, end, *scored) if scored.score else None

    def has_person_before(self, document: Document, index: int) -> bool:
        """Tell whether a verb or preposition follows who, she or a name."""
        at = index - 1
        if document.folded[at] == "s" and at and document.folded[at - 1] == "'":
            at -= 1
        last, set_off = document.words[at - 1], False
        if last == "," and at > 1:
            last, set_off = document.words[at - 2], True
        if last.lower() in _PERSON_CUES or last.lower() in self._names:
            return True
        return set_off and last.istitle()

    def follows_name(self, document: Document, index: int) -> bool:
        """Tell whether a name ends right before, a bracket, comma or bar between."""
        at = index - 1
        while at > 0 and document.words[at] in _BEHIND_NAME and index - at < _NEAR:
            at -= 1
        gap = document.plain[document.ends[at] : document.starts[index]]
        if at < 0 or not document.words[at][0].isalpha() or "\n" in gap:
            return False
        first, last = document.words[at - 1] if at else "", document.words[at]
        if first.lower() in _TITLES:
            return True
        if first.lower() in self._all_names or last.lower() in self._all_names:
            whole = self._is_whole_name(first, last)
            if whole is not None:
                return whole
        if last.isupper() and len(last) <= _SHORT:
            return False
        return last.lower() in self._names and (last[0].isupper() or gap == " ")

    def _is_whole_name(self, first: str, last: str) -> bool | None:
        """Tell whether two words are forename and surname; None if one may stand alone."""
        is_last_name = last.lower() in self._all_names
        if first.lower() in self._all_names and (first.istitle() or last.istitle()):
            return is_last_name or not _is_clinical(last)
        return True if is_last_name and first.istitle() and last.istitle() else None

    def _make(self, start: int, end: int, score: float, reason: str) -> Span:
        return self.span(start, end, Label.AGE_90_PLUS, score, reason)


class _Clause:
    """A bare figure or number word, and the clause that it ends."""

    def __init__(
        self, recogniser: AgeRecogniser, document: Document, index: int, end: int
    ) -> None:
        self._recogniser = recogniser
        self._document = document
        self._index = index
        self.before = find_word_before(document, index)
        self.ends_cell = document.lower[end : end + 2] == " |"
        self.is_figure = document.words[index].isdigit()

    @cached_property
    def words(self) -> list[str]:
        """The words before, back to the end of the clause before."""
        return _list_clause(self._document, self._index)

    def has_person_before(self) -> bool:
        """Tell whether "she is" or a name and "is" stands before."""
        return self.before in _VERBS and self._recogniser.has_person_before(
            self._document, self._index
        )

    def follows_name(self) -> bool:
        """Tell whether a name ends right before."""
        return self._recogniser.follows_name(self._document, self._index)


_BARE_AGE: Final[tuple[Rule[_Clause], ...]] = (
    Rule(_Clause.has_person_before, 0.6, "what somebody is"),
    Rule(lambda c: not _READINGS.isdisjoint(c.words), 0.0, "a reading"),
    Rule(lambda c: c.before in _PERSON_CUES, 0.6, "behind a person"),
    Rule(lambda c: c.before == "to" and "lived" in c.words, 0.6, "lived to"),
    Rule(lambda c: not _BIRTH.isdisjoint(c.words), 0.6, "behind a birth"),
    Rule(_Clause.follows_name, 0.6, "behind a name"),
    Rule(
        lambda c: _PERSON_CUES.isdisjoint(c.words) and c.ends_cell,
        0.3,
        "fills a cell",
    ),
    Rule(lambda c: _PERSON_CUES.isdisjoint(c.words), 0.0, "no person near"),
    Rule(lambda c: c.is_figure, 0.3, "a figure in a clause with a person"),
    Rule(always, 0.6, "a number word in a clause with a person"),
)


def _in_number(lower: str, start: int) -> bool:
    """Tell whether the figures end a pressure, a decimal, a range or an amount."""
    sign = lower[start - 1]
    if sign in "\u00a3$#/<>~+":
        return True
    return sign in ".:,-" and start > 1 and lower[start - 2].isdigit()


def _end_of_words(lower: str, start: int, end: int) -> int:
    match = _WORDED.match(lower, start)
    return match.end() if match else end


def _is_clinical(word: str) -> bool:
    return word.lower() in read_lexicon("clinical_words")


def _list_clause(document: Document, index: int) -> list[str]:
    """Return the words before a token, back to the end of the clause before."""
    near: list[str] = []
    for at in range(index - 1, max(index - 1 - _CLAUSE, -1), -1):
        if document.folded[at] in {".", ";", "?", "!"}:
            break
        if "\n" in document.plain[document.ends[at] : document.starts[at + 1]]:
            break
        near.append(document.folded[at])
    return near
