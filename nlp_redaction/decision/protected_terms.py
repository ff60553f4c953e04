"""Keeps eponyms, instruments, brands and abbreviations from being taken for people.

"Paget's disease" is no person, "Dr Paget" is. A protected word is removed only where a
rule that knows better says so (a title, a signature, a known identifier).
"""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.decision.animal_names import PET_KINDS, find_pets
from nlp_redaction.document.spans import ProtectedTerm
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon, word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    BRANDS,
    EPONYMS,
    FORENAMES,
    NAMES,
    ORDINARY,
    SURE_FORENAMES,
    WORD_NAMES,
)
from nlp_redaction.recognisers.names.reading import is_adjacent, is_titled
from nlp_redaction.recognisers.names.triggers import DOUBTFUL_TITLES, TITLES
from nlp_redaction.recognisers.rules import Rule, always, score_by

_HEADS: Final = read_lexicon("eponym_heads")
_PLACES: Final = read_lexicon("places") | read_lexicon("places_more")
_PURE_EPONYMS: Final = (
    read_lexicon("eponyms_pure")
    | {word for word in EPONYMS if word not in NAMES and word not in _PLACES}
    | {word + "s" for word in read_lexicon("eponyms_pure")}
)
NEVER_NAMES: Final = _PURE_EPONYMS | (
    BRANDS
    - NAMES
    - _PLACES
    - WORD_NAMES
    - read_lexicon("everyday_words")
    - read_lexicon("place_beginnings")
    - word_set("atlas bravo legacy parkland medway stella")
)
"""Eponyms and brands that are on no list of names or places."""
_STRONG_HEADS: Final = word_set(
    "syndrome sign palsy phenomenon manoeuvre maneuver classification osteotomy "
    "fracture tumour tumor sarcoma lymphoma reflex forceps retractor clamp catheter "
    "algorithm criteria stain agar bodies nodules contracture thyroiditis operation "
    "score scale index staging grading triad law repair procedure incision ligament "
    "fascia space pouch canal formula equation"
)
"""Heads that make an eponym of any capitalised word before them."""

_REACH: Final = 3
_MOST_TOKENS: Final = 12
_SHORTEST_ABBREVIATION: Final = 2
_CLAUSE_WORDS: Final = frozenset({"and", "has", "is", "was", "said"})


def _index_phrases() -> dict[str, list[list[str]]]:
    phrases: dict[str, list[list[str]]] = {}
    for phrase in sorted(read_lexicon("kept_phrases"), key=len, reverse=True):
        words = Document.read(phrase).folded
        phrases.setdefault(words[0], []).append(words)
    return phrases


_PHRASES: Final = _index_phrases()
_MENTION_HEADS: Final = PET_KINDS | _PHRASES.keys()


def find_protected(document: Document) -> tuple[ProtectedTerm, ...]:
    """Return the stretches that hold medicine, not people; ordered.

    A word behind a title is never among them, nor one beside a sure forename.
    """
    found: list[ProtectedTerm] = []
    words, find_rules = document.words, _RULES_BY_WORD.get
    for at, word in enumerate(document.folded):
        rules = find_rules(word)
        # Most abbreviations are words too, in small letters.
        if rules is not None and (rules is not _ABBREVIATION or words[at].isupper()):
            kept, reason = score_by(rules, _Word(document, at))
            if kept:
                found.append(_make_term(document, at, reason))
        elif word in _STRONG_HEADS and at:
            found.extend(_protect_before(document, at))
        if word in _MENTION_HEADS:
            found.extend(_find_mentions(document, at))
    return tuple(sorted(found))


def _make_term(document: Document, at: int, reason: str) -> ProtectedTerm:
    return ProtectedTerm(document.starts[at], document.ends[at], reason)


def _find_mentions(document: Document, at: int) -> Iterator[ProtectedTerm]:
    """Yield the kept phrase, and the names of animals, that begin at a word."""
    word = document.folded[at]
    if word in _PHRASES and not _is_titled_person(document, at):
        end = _match_phrase(document.folded, at)
        if end:
            yield ProtectedTerm(
                document.starts[at], document.ends[end - 1], "a kept phrase"
            )
    if word in PET_KINDS:
        for start, end in find_pets(document, at):
            yield ProtectedTerm(start, end, "an animal's name")


def _match_phrase(folded: list[str], at: int) -> int:
    for phrase in _PHRASES[folded[at]]:
        stretch = folded[at : at + len(phrase)]
        if len(stretch) == len(phrase) and all(
            word == met or (word == "#" and met.isdigit())
            for word, met in zip(phrase, stretch, strict=True)
        ):
            return at + len(phrase)
    return 0


def _is_titled_person(document: Document, at: int) -> bool:
    """Tell whether a title, an initial or a sure forename stands before a word."""
    before = at - 1
    if before >= 0 and document.words[before] == ".":
        before -= 1
    if before < 0:
        return False
    word = document.folded[before]
    if word in TITLES or (word in DOUBTFUL_TITLES and is_titled(document.words[at])):
        return document.words[before] != "MR" or document.words[at].isupper()
    return (
        is_adjacent(document, at)
        and before == at - 1
        and word in SURE_FORENAMES
        and document.words[before][0].isupper()
    )


class _Word:
    """A word of the lists, and the words around it."""

    def __init__(self, document: Document, at: int) -> None:
        self.document = document
        self.at = at
        self.folded = document.folded[at]

    def is_person(self) -> bool:
        """Tell whether a title, an initial or a sure forename stands before."""
        return _is_titled_person(self.document, self.at)

    def is_pure(self) -> bool:
        """Tell whether it is no name at all, or an ordinary word written small."""
        is_small = self.document.words[self.at] == self.folded
        return self.folded in _PURE_EPONYMS or (self.folded in ORDINARY and is_small)

    @property
    def is_possessive(self) -> bool:
        """Whether "'s" follows."""
        return self.document.folded[self.at + 1 : self.at + 3] == ["'", "s"]

    @property
    def after(self) -> int:
        """The token behind the word and its "'" or "'s"."""
        if self.is_possessive:
            return self.at + 3
        return self.at + 1 + (self.document.folded[self.at + 1 : self.at + 2] == ["'"])

    def has_grade(self) -> bool:
        """Tell whether a figure or a code follows: "Abbey 4", "Gleason A2"."""
        after, words = self.after, self.document.words
        return after < len(words) and (
            words[after].isdigit() or _is_code(self.document, after)
        )

    def has_head(self) -> bool:
        """Tell whether a head noun follows within a few words: "disease", "score"."""
        words, folded = self.document.words, self.document.folded
        passed = 0
        for at in range(self.after, min(len(folded), self.after + _MOST_TOKENS)):
            word = folded[at]
            if word in _HEADS:
                return True
            if words[at] in ".,;:()" or word in _CLAUSE_WORDS:
                return False
            passed += word != "-" and word not in EPONYMS
            if passed == _REACH:
                return False
        return False

    def is_hyphened(self) -> bool:
        """Tell whether a hyphen joins it to another eponym: "Guillain-Barre"."""
        document, at, folded = self.document, self.at, self.document.folded
        if at > 0 and folded[at - 1] == "-" and folded[at - 2] in EPONYMS:
            return True
        return (
            at + 2 < len(folded)
            and folded[at + 1] == "-"
            and folded[at + 2] in EPONYMS
            and document.starts[at + 2] == document.ends[at + 1]
        )


_KEPT: Final = 1.0
_EPONYM: Final[tuple[Rule[_Word], ...]] = (
    Rule(_Word.is_person, 0.0, "a person"),
    Rule(_Word.is_pure, _KEPT, "an eponym that is no name"),
    Rule(_Word.has_grade, _KEPT, "an eponym with a figure or a grade"),
    Rule(_Word.has_head, _KEPT, "an eponym before its head noun"),
    Rule(_Word.is_hyphened, _KEPT, "two eponyms with a hyphen"),
    Rule(
        lambda w: w.is_possessive and w.folded not in FORENAMES,
        _KEPT,
        "an eponym in the possessive",
    ),
)
_BRAND: Final[tuple[Rule[_Word], ...]] = (
    Rule(_Word.is_person, 0.0, "a person"),
    Rule(always, _KEPT, "a brand"),
)
_ABBREVIATION: Final[tuple[Rule[_Word], ...]] = (
    Rule(_Word.is_person, 0.0, "a person"),
    Rule(always, _KEPT, "an abbreviation"),
)


_RULES_BY_WORD: Final[dict[str, tuple[Rule[_Word], ...]]] = {
    **{
        word: _ABBREVIATION
        for word in ABBREVIATIONS
        if len(word) >= _SHORTEST_ABBREVIATION
    },
    **dict.fromkeys(BRANDS, _BRAND),
    **dict.fromkeys(EPONYMS, _EPONYM),
}
"""The table of each listed word: that of an eponym first, then of a brand."""


def _is_code(document: Document, at: int) -> bool:
    """Tell whether a grade like "A2" or "C4M6" stands at a token."""
    word = document.words[at]
    return (
        len(word) == 1
        and word.isupper()
        and at + 1 < len(document.words)
        and document.words[at + 1].isdigit()
        and document.starts[at + 1] == document.ends[at]
    )


def _protect_before(document: Document, head: int) -> Iterator[ProtectedTerm]:
    """Yield the capitalised words right before a head that makes an eponym of them."""
    at = head - 1
    if at > 0 and document.folded[at] == "s" and document.words[at - 1] == "'":
        at -= 2
    elif document.words[at] == "'":
        at -= 1
    while at >= 0 and is_titled(document.words[at]) and document.words[at][0].isalpha():
        if _is_titled_person(document, at) or document.folded[at] in SURE_FORENAMES:
            return
        yield _make_term(document, at, "a name before a head noun of eponyms")
        if at <= 1 or document.words[at - 1] != "-":
            return
        at -= 2


_CERTAIN_HEADS: Final = word_set(
    "palsy disease syndrome sign phenomenon fracture contracture tumour tumor lymphoma "
    "sarcoma oesophagus esophagus manoeuvre maneuver criteria classification thyroiditis "
    "gangrene chorea ataxia arthropathy dementia hernia cyst nodes node abscess"
)


def is_certain_eponym(document: Document, at: int) -> bool:
    """Tell whether a protected word stands right before a head that no person has.

    "Bell's palsy", "Colles' fracture", "Baker cyst": whatever a model says of them. The
    word has been found protected, so no title stands before it.
    """
    folded, after = document.folded, at + 1
    if after < len(folded) and folded[after] == "'":
        after += 1
        if after < len(folded) and folded[after] == "s":
            after += 1
    return after < len(folded) and folded[after] in _CERTAIN_HEADS
