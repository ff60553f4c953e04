"""Hospitals, surgeries, named wards, homes, schools, prisons, churches, pubs."""

from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon, word_set
from nlp_redaction.lexicons.vocabulary import (
    NAMES,
    ORDINARY,
    SURE_NAMES,
    is_known_otherwise,
)
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.names.reading import is_line_start, is_titled
from nlp_redaction.recognisers.names.triggers import TITLES
from nlp_redaction.recognisers.places.gazetteer import (
    find_letters,
    find_names,
    index_letters,
    index_names,
)
from nlp_redaction.recognisers.places.place import SURE_PLACES

_INSTITUTIONS: Final = read_lexicon("institution_heads")
_ORGANISATIONS: Final = read_lexicon("organisation_heads")
_HEADS: Final = (
    _INSTITUTIONS | _ORGANISATIONS | frozenset({"medical", "health", "care", "nhs"})
)
_GENERIC: Final = read_lexicon("generic_modifiers") | _HEADS
_CLINICAL: Final = read_lexicon("clinical_words")
FIRM_HEADS: Final = word_set(
    "cabs coaches cleaning logistics joinery motors nurseries haulage roofing "
    "scaffolding recruitment fostering homecare taxis solicitors"
)
"""Heads that an unknown word in small letters before them belongs to."""
_LOWER_HEADS: Final = (
    word_set(
        "hospital hosp infirmary hospice surgery practice house court school primary academy "
        "ward lodge college chapel church unit high pharmacy chemist council ltd opticians "
        "llp plc homecare taxis solicitors hostel prison nursery mosque hub gardens"
    )
    | FIRM_HEADS
)
"""Heads that end a name even when written small."""
_HOSPITALS: Final = index_names("hospitals")
_LETTERS: Final = index_letters("hospital_abbreviations")
_NATURE: Final = word_set(
    "oak ash elm willow birch beech holly hazel maple rowan cedar pine poplar lime rose "
    "daisy ivy lily primrose bluebell heather lavender orchid jasmine daffodil meadow "
    "field fields hill river bridge mill station green castle market king queen prince "
    "princess royal victoria albert george st saint church abbey priory lake spring well "
    "wood woods forest valley vale moor cliff beach sea bay harbour garden orchard farm "
    "orchid tulip sunflower snowdrop robin swan kestrel falcon eagle owl dove lark "
    "kingfisher heron rainbow sunny sunrise phoenix horizon lion bear dolphin jubilee "
    "millennium alexandra elizabeth charlotte edward"
)
_CONNECTORS: Final = frozenset(
    {"of", "and", "&", "'", "s", "-", ".", "on", "upon", "le", "in", "under"}
)
_GLUE: Final = frozenset({"'", "s", "-"})
_NOT_LEADING: Final = word_set(
    "the at in from to under on and or for with by a an our seen re dear if when he she "
    "they we i it is was via lives attends attended discharged admitted referred"
)
_PREFIXES: Final = word_set(
    "hmp hmpyoi hmyoi yoi ysgol ysbyty meddygfa raf hms scoil clwb capel eglwys"
)
_MOST_WORDS: Final = 7
_SHORT: Final = 3
_NAMED: Final = 0.75
_LOWER: Final = 0.55
_HINT: Final = 0.35


class HeadedName(Recogniser):
    """Reads a name backwards from the word that it ends with."""

    heads: ClassVar[frozenset[str]]

    def find(self, document: Document) -> Iterator[Span]:
        """Yield what a head word and the capitalised words before it make up."""
        for at, word in enumerate(document.folded):
            if word in self.heads:
                yield from self._read_back(document, at)

    def _read_back(self, document: Document, at: int) -> Iterator[Span]:
        is_lower = document.words[at].islower()
        if is_line_start(document, at) or (
            is_lower and document.folded[at] not in _LOWER_HEADS
        ):
            return
        start = _find_start(document, at, lower=is_lower)
        if start == at:
            return
        weight = max(
            _score_word(document, index, lower=is_lower) for index in range(start, at)
        )
        if weight == 0:
            return
        score = (_LOWER if is_lower else _NAMED) if weight > 1 else _HINT
        yield self.span(
            document.starts[start],
            document.ends[_find_end(document, at) - 1],
            self.labels[0],
            score,
            "a name before its kind of place or firm",
        )


def _find_start(document: Document, at: int, *, lower: bool) -> int:
    """Return where the capitalised run before a head begins."""
    start = at
    while (
        start > 0
        and at - start < _MOST_WORDS
        and not is_line_start(document, start)
        and not _ends_run(document, start)
        and _may_name(document, start - 1, at, lower=lower)
    ):
        start -= 1
    while start < at and (
        document.folded[start] in _CONNECTORS or document.folded[start] in _NOT_LEADING
    ):
        start += 1
    return start


def _ends_run(document: Document, start: int) -> bool:
    """Tell whether a name cannot reach back over the gap or the word before a token."""
    if document.starts[start] > document.ends[start - 1] + 1:
        return True  # another column
    word, folded = document.words[start - 1], document.folded[start - 1]
    if folded in _NOT_LEADING and (
        word.islower() or start == 1 or not is_titled(document.words[start])
    ):
        return folded not in _CONNECTORS
    return folded in TITLES or word.isdigit()


def _may_name(document: Document, index: int, at: int, *, lower: bool) -> bool:
    """Tell whether a word may belong to a name that ends with the head at ``at``."""
    word, folded = document.words[index], document.folded[index]
    if folded in _CONNECTORS and (not lower or folded in _GLUE):
        return True
    if (
        word[0].isupper()
        and folded not in _NOT_LEADING
        and not _is_in_capitals(word, folded, lower=lower)
    ):
        return True
    if lower and (folded in SURE_NAMES or folded in SURE_PLACES):
        return True
    is_last = index + 1 == at
    return is_last and document.folded[at] in FIRM_HEADS and _is_unknown(folded)


def _is_unknown(folded: str) -> bool:
    return (
        folded.isalpha()
        and len(folded) > _SHORT
        and folded not in _GENERIC
        and folded not in _NOT_LEADING
        and not is_known_otherwise(folded)
    )


def _is_in_capitals(word: str, folded: str, *, lower: bool) -> bool:
    """Tell whether a word in capitals is no part of a name: a heading, a sentence."""
    if not word.isupper() or len(word) == 1:
        return False
    is_word = folded in ORDINARY and folded not in NAMES and folded not in _NATURE
    return lower or (is_word and folded not in _GENERIC)


def _score_word(document: Document, at: int, *, lower: bool) -> int:
    """0 for a generic word, 1 for a doubtful one, 2 for one that names."""
    word, folded = document.words[at], document.folded[at]
    if not word[0].isalpha() or len(word) < 2 or folded in _CONNECTORS:  # noqa: PLR2004
        return 0
    if folded in _NATURE:
        return 2
    if folded in _GENERIC:
        return 0
    if folded in NAMES or folded in SURE_PLACES:
        return 2 if folded not in _CLINICAL else 1
    is_doubtful = word.isupper() or folded in (ORDINARY if lower else _CLINICAL)
    return 1 if is_doubtful else 2


def _find_end(document: Document, at: int) -> int:
    """Take in the heads that follow: "Hospital NHS SharedServices Trust", "of Wales"."""
    end = at + 1
    words = document.words
    while (
        end < len(words)
        and words[end][0].isupper()
        and words[at][0].isupper()
        and (document.folded[end] in _HEADS and not is_line_start(document, end))
    ):
        end += 1
    if (
        end + 1 < len(words)
        and document.folded[end] in {"of", "for"}
        and is_titled(words[end + 1])
    ):
        end += 2
    elif (
        end + 2 < len(words)
        and document.folded[end : end + 2] == ["for", "the"]
        and is_titled(words[end + 2])
    ):
        end += 3
    return end


class InstitutionName(HeadedName):
    """Places of care, learning, worship and custody, by their last word or first."""

    labels = (Label.LOCATION,)
    heads = _INSTITUTIONS

    def find(self, document: Document) -> Iterator[Span]:
        """Yield institutions by head word, "St X's", "HMP X", "Ysgol X"."""
        yield from super().find(document)
        for at, word in enumerate(document.folded):
            if word in _PREFIXES:
                yield from self._read_on(document, at)
            elif word == "st" and document.words[at] != "ST":
                yield from self._read_saint(document, at)
        for listed in (
            find_names(document, _HOSPITALS),
            find_letters(document, _LETTERS),
        ):
            for start, end, score in listed:
                yield self.span(
                    document.starts[start],
                    document.ends[end - 1],
                    Label.LOCATION,
                    score,
                    "a hospital by its short name",
                )

    def _read_on(self, document: Document, at: int) -> Iterator[Span]:
        end = at + 1
        while (
            end < len(document.words)
            and end - at < _MOST_WORDS
            and not is_line_start(document, end)
            and (
                (
                    document.words[end][0].isupper()
                    and document.folded[end] not in _NOT_LEADING
                )
                or (document.words[end] == "-" and end > at + 1)
                or (end == at + 1 and document.folded[end] in SURE_NAMES | SURE_PLACES)
            )
        ):
            end += 1
        while end > at + 1 and len(document.words[end - 1]) == 1:
            end -= 1
        if end > at + 1 and document.folded[at + 1] not in _CLINICAL:
            yield self.span(
                document.starts[at],
                document.ends[end - 1],
                Label.LOCATION,
                _NAMED,
                "a kind of place before its name",
            )

    def _read_saint(self, document: Document, at: int) -> Iterator[Span]:
        start = at + 1
        if start < len(document.words) and document.words[start] == ".":
            start += 1
        if start >= len(document.words) or is_line_start(document, start):
            return
        folded = document.folded[start]
        named = is_titled(document.words[start]) and document.words[start].isalpha()
        if not named and folded not in SURE_NAMES:
            return
        end = start + 1
        if document.folded[end : end + 2] == ["'", "s"]:
            end += 2
        score = _NAMED if named and (folded in NAMES or end > start + 1) else _HINT
        yield self.span(
            document.starts[at],
            document.ends[end - 1],
            Label.LOCATION,
            score,
            "a saint's name",
        )
