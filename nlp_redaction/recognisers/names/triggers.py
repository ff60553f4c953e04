"""Names behind words that announce a person: titles, roles, kin, "seen by"."""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    KIN,
    ORDINARY,
    ROLES,
    SURE_NAMES,
    WORD_NAMES,
)
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.names.reading import (
    LIKELY,
    SURE,
    is_adjacent,
    is_line_start,
    is_titled,
    read_name,
)

TITLES: Final = word_set(
    "dr drs mr mrs messrs mx prof professor dame rev revd reverend cllr councillor mme "
    "mister missus imam rabbi mssrs"
)
"""Titles that are hardly ever anything else."""

DOUBTFUL_TITLES: Final = word_set(
    "miss ms sr sn rn fr br sir lady lord sister brother father mother uncle aunt aunty "
    "auntie nan nana nanna nanny nain taid granny gran grandma grandad granddad grandpa "
    "nurse matron midwife doctor doc judge pastor canon vicar fr officer constable "
    "sergeant sgt inspector insp pc dc ds di madam hca csw reg spr sho "
    "baby staff captain capt major maj cpl sqn mum dad chaplain sheikh"
)
"""Titles that are also kin, roles, abbreviations or verbs."""

_PLURAL: Final = frozenset({"drs", "messrs", "mssrs"})
_LINKS: Final = frozenset({"and", "&", "/", "+"})
_MARRIED: Final = frozenset({"mr", "mrs", "ms", "dr", "miss", "prof"})
_MAGNETIC: Final = word_set(
    "angiogram angiography venogram venography enterography enteroclysis spectroscopy "
    "imaging scan scans cholangiography cholangiogram arthrogram pelvis brain spine "
    "urography elastography proctogram jet severity mild moderate severe trivial"
)
_TITLE_SCORE: Final = 0.95
_DOUBTFUL_SCORE: Final = 0.88
_LOWER_SCORE: Final = 0.75
_MOST_TITLES: Final = 6


class TitledName(Recogniser):
    """Names behind a title: "Dr.Smith", "Mr. o'neill", "Sr Okafor", "Fr Michael"."""

    labels = (Label.NAME,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield the name without its title."""
        for at, word in enumerate(document.folded):
            if word in TITLES:
                yield from self._read(document, at, SURE)
            elif word in DOUBTFUL_TITLES:
                yield from self._read(document, at, LIKELY)

    def _read(self, document: Document, at: int, trust: int) -> Iterator[Span]:
        title = document.folded[at]
        if title == "mr" and not self._is_title(document, at):
            return
        start = skip_signs(document, at + 1, ".")
        start = self._skip_titles(document, start)
        if not is_open(document, start):
            return
        if (
            title == "miss"
            and is_titled(document.words[at])
            and is_titled(document.words[start])
        ):
            trust = SURE
        if title == "ms" and document.words[at].isupper():
            trust = LIKELY
        if trust == LIKELY and is_line_start(document, start):
            return
        if (
            trust == SURE
            and is_line_start(document, start)
            and not is_titled(document.words[start])
        ):
            return
        end = read_name(document, start, trust)
        if end == start:
            return
        yield self._make(document, start, end, trust)
        yield from self._read_linked(document, end, plural=title in _PLURAL)

    def _is_title(self, document: Document, at: int) -> bool:
        """Tell Mr from magnetic resonance and mitral regurgitation."""
        if at + 1 >= len(document.words):
            return False
        following = document.folded[at + 1]
        if following in _MAGNETIC:
            return False
        return document.words[at] != "MR" or (
            following in SURE_NAMES
            or following in WORD_NAMES
            or following == "."
            or (
                document.words[at + 1].isupper()
                and following not in ORDINARY
                and following not in ABBREVIATIONS
            )
        )

    def _skip_titles(self, document: Document, at: int) -> int:
        """Go over "Mr and Mrs", "Prof Dame", "Dr/Mrs"."""
        words = document.folded
        for _ in range(_MOST_TITLES):
            if at + 1 >= len(words):
                break
            if words[at] in _LINKS and words[at + 1] in _MARRIED:
                at = skip_signs(document, at + 2, ".")
            elif words[at] in TITLES and is_adjacent(document, at):
                at = skip_signs(document, at + 1, ".")
            else:
                break
        return at

    def _make(self, document: Document, start: int, end: int, trust: int) -> Span:
        score = _TITLE_SCORE if trust == SURE else _DOUBTFUL_SCORE
        if document.words[start].islower() and document.folded[start] in ORDINARY:
            score = _LOWER_SCORE
        return self.span(
            document.starts[start],
            document.ends[end - 1],
            Label.NAME,
            score,
            "behind a title",
        )

    def _read_linked(
        self, document: Document, at: int, *, plural: bool
    ) -> Iterator[Span]:
        """Read the second of "Drs Smith and Jones"."""
        links = "&,/" if plural else "&/"
        while at + 1 < len(document.words) and (
            document.words[at] in links or (plural and document.folded[at] == "and")
        ):
            start = at + 1
            if document.folded[start] == "and":
                start += 1
            if not is_open(document, start) or is_line_start(document, start):
                return
            end = read_name(document, start, SURE if plural else LIKELY)
            if end == start:
                return
            yield self._make(document, start, end, LIKELY)
            at = end


def skip_signs(document: Document, at: int, signs: str) -> int:
    """Return the index of the first token from ``at`` on that is none of the signs."""
    while at < len(document.words) and document.words[at] in signs:
        at += 1
    return at


def is_open(document: Document, at: int) -> bool:
    """Tell whether a token is there and begins with a letter."""
    return at < len(document.words) and document.words[at][0].isalpha()


_HUMAN_VERBS: Final = word_set(
    "called named née nee aka signed sig authorised verified reported typed "
    "dictated checked witnessed attended counselled"
)
_BY: Final = frozenset(
    {"by", "w", "cc", "attn", "c/o", "via", "ta", "thanks", "cheers"}
)
_CUES: Final = (
    (ROLES | KIN | _HUMAN_VERBS | _BY | {"with", "nok", "children", "kids", "daughters",
     "sons", "sisters", "brothers", "siblings", "twins", "parents", "pt", "patient", "client",
     "resident", "team", "crew", "hi", "hiya", "hello", "hey", "dear", "annwyl", "re",
     "ask", "tell", "told", "rang", "spoke", "colleague", "hv", "mw", "cc"})
    - DOUBTFUL_TITLES
    | {"nurse", "sister", "brother", "mother", "father", "mum", "dad", "nan", "midwife",
       "aunt", "uncle", "reg", "spr", "sho", "hca", "officer", "baby"}
)  # fmt: skip
_LISTS: Final = word_set(
    "children kids daughters sons sisters brothers siblings twins parents present "
    "team crew staff"
)
_TIGHT: Final = word_set("with w by via patient client resident ask told team")
_CUE_SIGNS: Final = ':("-,'
_AFTER_NAME: Final = frozenset({",", "(", "-"})
_POSSESSIVES: Final = word_set("his her their the my our pt's patient's")
_NAMED_SCORE: Final = 0.85
_SET_OFF_SCORE: Final = 0.75
_UNLISTED_SCORE: Final = 0.55
_HINT: Final = 0.4
_MOST_LISTED: Final = 8
_MOST_BEFORE: Final = 4
_MOST_SIGNS: Final = 2
_SHORT: Final = 2


class CuedName(Recogniser):
    """Names beside a role, a relation or "seen by": "wife Delyth", "Tariq (son)"."""

    labels = (Label.NAME,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield names behind cues, and in front of kin and roles."""
        for at, word in enumerate(document.folded):
            if word in _CUES:
                yield from self._read_behind(document, at, word)
                if word in KIN or word in ROLES:
                    yield from self._read_before(document, at)

    def _read_behind(self, document: Document, at: int, cue: str) -> Iterator[Span]:
        start = at + 1
        signs = 0
        while (
            start < len(document.words)
            and signs < _MOST_SIGNS
            and document.words[start] in _CUE_SIGNS
            and cue not in _TIGHT
        ):
            start += 1
            signs += 1
        if not is_open(document, start) or is_line_start(document, start):
            return
        if (
            document.folded[start] in DOUBTFUL_TITLES
            or document.folded[start] in TITLES
        ):
            return
        end = read_name(document, start, LIKELY)
        if end == start:
            return
        yield self._make(document, start, end, signs)
        if cue in _LISTS:
            yield from self._read_list(document, end)

    def _make(self, document: Document, start: int, end: int, signs: int) -> Span:
        words = document.folded[start:end]
        if any(word in SURE_NAMES for word in words):
            score = _NAMED_SCORE if not signs else _SET_OFF_SCORE
        elif signs or document.words[start].isupper():
            # An unlisted word behind a comma is as often a place or a remark.
            score = _HINT
        elif words[0] in ORDINARY:
            is_kin = document.folded[start - 1] in KIN and words[0] in WORD_NAMES
            score = _UNLISTED_SCORE if is_kin else _HINT
        else:
            is_tight = document.folded[start - 1] in _TIGHT
            score = _HINT if is_tight else _UNLISTED_SCORE
        return self.span(
            document.starts[start],
            document.ends[end - 1],
            Label.NAME,
            score,
            "behind a role, a relation or a cue",
        )

    def _read_list(self, document: Document, at: int) -> Iterator[Span]:
        """Read on in "children Amir (7), Sara (4) and Bo"."""
        for _ in range(_MOST_LISTED):
            while at < len(document.words) and (
                document.words[at] in "(),&/+"
                or document.words[at].isdigit()
                or document.folded[at] in {"and", "y", "yrs", "aged", "m", "f", "years"}
            ):
                at += 1
            if not is_open(document, at) or is_line_start(document, at):
                return
            end = read_name(document, at, LIKELY)
            if end == at:
                return
            yield self._make(document, at, end, 0)
            at = end

    def _read_before(self, document: Document, at: int) -> Iterator[Span]:
        """Read the name in "Tariq (son)", "Ivy her daughter", "R. Le Brocq, Consultant"."""
        words = document.folded
        last = at - 1
        if last >= 0 and words[last] in _POSSESSIVES:
            last -= 1
        if last < 0 or is_line_start(document, at):
            return
        if words[last] in _AFTER_NAME:
            last -= 1
        elif last == at - 1:
            return
        start = self._find_start(document, last)
        if start > last or not any(
            w in SURE_NAMES and len(w) > _SHORT for w in words[start : last + 1]
        ):
            return
        if document.words[start].islower() and last == at - 1:
            return
        yield self.span(
            document.starts[start],
            document.ends[last],
            Label.NAME,
            0.8 if is_titled(document.words[last]) else 0.6,
            "before a role or a relation",
        )

    def _find_start(self, document: Document, last: int) -> int:
        """Go back over listed names and initials, on one line."""
        start = last + 1
        while start > 0 and last - start < _MOST_BEFORE - 1:
            word, folded = document.words[start - 1], document.folded[start - 1]
            is_initial = len(word) == 1 and word.isupper()
            if not (
                folded in SURE_NAMES or is_initial or (word in ".-'" and start <= last)
            ):
                break
            start -= 1
            if is_line_start(document, start):
                break
        return skip_signs(document, start, ".-'")
