"""Names that stand alone: on the lists of names, or on no list at all.

A capitalised word that clinical writing never writes small is a name more often than
not; one that a list of names holds and no other list is one nearly always. In capitals
and in small letters only longer names are sure, for short ones are abbreviations.
"""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.phrases import Phrases
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    FORENAMES,
    NAMES,
    ORDINARY,
    SURE_FORENAMES,
    SURE_NAMES,
    SURNAMES,
    WORD_NAMES,
    is_known_otherwise,
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
from nlp_redaction.recognisers.rules import Rule, always, score_by
from nlp_redaction.settings import Settings

_EXTRA: Final = 0.9
_FORENAME: Final = 0.7
_SURNAME: Final = 0.6
_CAPITALS: Final = 0.55
_LOWER: Final = 0.55
_HINT: Final = 0.4
_WEAK_HINT: Final = 0.25
_SURE_LOWER_LENGTH: Final = 5
_SURE_CAPITAL_LENGTH: Final = 5
_SHORTEST: Final = 3
_MOST_BEFORE: Final = 4
_CODES: Final = frozenset("AIPSOLRVTX")
"""Capitals that stand for something else at the start of a line, as S and O do."""
_STOPS: Final = frozenset(".!?:;*|>-\"'()[]/•+=#")
_NOT_LOWER: Final = word_set(
    "santa brady nadir aldo bibi hafiz henna homer sahib septi milia theres tommy marie "
    "pascal marian rosie jammy willy randy roman gaily shira amiel alesse astra arian "
    "elan avail enola mitra serena angela"
)
"""Listed names that are also slang, abbreviations or foreign words in small letters."""


class NameByAbsence(Recogniser):
    """Words that the lists know as names, or that no list knows."""

    labels = (Label.NAME,)

    def __init__(self, settings: Settings | None = None) -> None:
        """Learn the deployment's own names and the words that it keeps."""
        super().__init__()
        settings = settings or Settings()
        self._extra = Phrases(settings.extra_names)
        self._kept = frozenset(word.lower() for word in settings.keep_words)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield sure names with their neighbours, and hints for doubtful words."""
        for start, end in self._extra.find(document):
            yield self.span(start, end, Label.NAME, _EXTRA, "a name set here")
        behind = 0
        for at, folded in enumerate(document.folded):
            if at < behind or not folded[0].isalpha() or folded in self._kept:
                continue
            span, after = self._read(document, at, folded)
            behind = max(behind, after)
            if span:
                yield span

    def _read(
        self, document: Document, at: int, folded: str
    ) -> tuple[Span | None, int]:
        """Return what one word says, and the index from which to go on."""
        if folded in SURE_NAMES:
            return self._read_sure(document, at, folded)
        if document.words[at] == folded:
            return None, 0
        if len(folded) == 1:
            return self._read_initial(document, at)
        if len(folded) < _SHORTEST:
            return None, 0
        return self._score_other(document, at, folded), 0

    def _read_initial(self, document: Document, at: int) -> tuple[Span | None, int]:
        """Read "K. Okeefe" and, at the start of a line, "V Adair"."""
        words = document.words
        dotted = at + 1 < len(words) and words[at + 1] == "."
        last = at + 1 + dotted
        if (
            last >= len(words)
            or not words[last][0].isalpha()
            or not is_titled(words[last])
            or document.starts[last] != document.ends[last - 1] + 1
        ):
            return None, 0
        folded = document.folded[last]
        is_name = folded in SURNAMES or not is_known_otherwise(folded)
        if not is_name or folded in ORDINARY or len(folded) < _SHORTEST:
            return None, 0
        end = max(read_name(document, at, SURE), last + 1)
        is_sure = dotted or (is_line_start(document, at) and words[at] not in _CODES)
        score = _SURNAME if is_sure else _HINT
        return self._make(document, at, end, score, "an initial and a name"), end

    def _read_sure(
        self, document: Document, at: int, folded: str
    ) -> tuple[Span | None, int]:
        word = document.words[at]
        if word == folded:
            return self._read_lower(document, at, folded)
        if word.isupper():
            return self._read_capitals(document, at, folded)
        start = _find_start(document, at)
        end = max(read_name(document, at, LIKELY), at + 1)
        whole = end - start > 1
        score = _FORENAME if whole or folded in SURE_FORENAMES else _SURNAME
        return self._make(document, start, end, score, "a listed name"), end

    def _read_lower(
        self, document: Document, at: int, folded: str
    ) -> tuple[Span | None, int]:
        is_sure = (
            len(folded) >= _SURE_LOWER_LENGTH
            and folded in SURE_FORENAMES
            and folded not in _NOT_LOWER
        )
        end = max(read_name(document, at, LIKELY), at + 1) if is_sure else at + 1
        score = _LOWER if is_sure else _HINT
        return self._make(document, at, end, score, "a listed name, uncapitalised"), end

    def _read_capitals(
        self, document: Document, at: int, folded: str
    ) -> tuple[Span | None, int]:
        if folded in ABBREVIATIONS:
            return None, at + 1
        if len(folded) < _SURE_CAPITAL_LENGTH:
            return self._make(
                document, at, at + 1, _HINT, "a listed name or an abbreviation"
            ), at + 1
        start = _find_start(document, at)
        end = max(read_name(document, at, LIKELY), at + 1)
        return self._make(document, start, end, _CAPITALS, "a listed name"), end

    def _score_other(self, document: Document, at: int, folded: str) -> Span | None:
        """Hint at words with a capital that are on no list, or on two."""
        if document.words[at].isupper():
            is_doubtful = folded in NAMES and folded not in ABBREVIATIONS
            score, reason = (_WEAK_HINT if is_doubtful else 0, "capitals, maybe a name")
        else:
            score, reason = score_by(_CAPITALISED, _Word(document, at, folded))
        return self._make(document, at, at + 1, score, reason) if score else None

    def _make(
        self, document: Document, start: int, end: int, score: float, reason: str
    ) -> Span:
        return self.span(
            document.starts[start], document.ends[end - 1], Label.NAME, score, reason
        )


class _Word:
    """A word with a capital that is no sure name, and its place.

    Attributes:
        folded: The word in small letters.
        is_known: Whether a list knows it as something else than a name.
        begins: Whether it begins a sentence, and has its capital from there.
    """

    def __init__(self, document: Document, at: int, folded: str) -> None:
        self.folded = folded
        self.is_known = is_known_otherwise(folded)
        self.begins = is_line_start(document, at) or document.words[at - 1] in _STOPS


_CAPITALISED: Final[tuple[Rule[_Word], ...]] = (
    Rule(lambda w: w.is_known and w.begins, 0.0, "a word that begins a sentence"),
    Rule(
        lambda w: w.is_known and (w.folded in WORD_NAMES or w.folded in FORENAMES),
        _WEAK_HINT,
        "a word and a name",
    ),
    Rule(lambda w: w.is_known, 0.0, "a word"),
    Rule(lambda w: w.begins, _WEAK_HINT, "on no list of words, begins a sentence"),
    Rule(always, _HINT, "on no list of words"),
)


def _find_start(document: Document, at: int) -> int:
    """Take in the initials and the first name before a sure name."""
    start = at
    while (
        start > 0
        and at - start < _MOST_BEFORE
        and is_adjacent(document, start)
        and _may_stand_before_name(document, start - 1)
    ):
        start -= 1
    while start < at and not document.words[start][0].isalpha():
        start += 1
    return start


def _may_stand_before_name(document: Document, at: int) -> bool:
    """Tell whether a token is an initial, its full stop, or a first name."""
    word = document.words[at]
    if word == ".":
        initial = document.words[at - 1] if at else ""
        return len(initial) == 1 and initial.isupper()
    if len(word) == 1:
        return word.isupper() and word != "I"
    return word[0].isalpha() and is_titled(word) and _may_be_first_name(document, at)


def _may_be_first_name(document: Document, at: int) -> bool:
    """Tell whether a capitalised word may be the first name of the sure name behind it.

    An ordinary word, such as "Mark" or "Rose", may be when it is a name as well: the
    surname behind it decides. On our marked notes this finds three names more among the
    rules, and takes nothing needlessly.
    """
    folded = document.folded[at]
    if folded in ABBREVIATIONS or (folded in ORDINARY and folded not in WORD_NAMES):
        return False
    return folded in NAMES or not is_known_otherwise(folded)
