"""People given by their initials: typists in references, authors at the end of a line."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    KEPT_CAPITALS,
    KIN,
    ORDINARY,
    ROLES,
)
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.names.reading import is_line_start
from nlp_redaction.recognisers.rules import Rule, score_by

_REFERENCE: Final = re.compile(
    r"\b(?:our ref(?:erence)?|your ref(?:erence)?|ref(?:erence)?|my ref)\b[ .]{0,2}[:=]?[ ]{0,4}"
    r"(?P<body>[^\s,;]{2,30})",
)
_PIECE: Final = re.compile(r"[^\W\d_]+")
_TYPIST: Final = re.compile(
    r"(?<![\w/.:-])([A-Z][A-Za-z]{1,3})[/:]([a-z]{2,4})(?=/[A-Z0-9]|[\s,;.)]|$)"
)
_BEHIND_CUE: Final = word_set(
    "by signed sign sig initials initial init locum typed checked dictated with w d/w "
    "author scribe reviewer checker nurse given witness witnessed op operator"
)
_WEAK_CUES: Final = frozenset({"w", "with", "nurse"})
_UNITS: Final = word_set(
    "mg ml kg mmol min mins hr hrs day days week weeks month months year years cm mm "
    "mcg wk wks dl litre l g am pm nocte mane od bd tds qds prn stat po iv im sc pr"
)
_REFERENCE_SCORE: Final = 0.9
_TYPIST_SCORE: Final = 0.75
_CUE_SCORE: Final = 0.75
_SIGNED_SCORE: Final = 0.6
_HINT: Final = 0.35
_LONGEST: Final = 4
_CODE_WORDS: Final = word_set(
    "ref nhs mrn gp id dob hosp case no lab ubrn letter fax tel com www http https"
)


class InitialsRecogniser(Recogniser):
    """Initials in references ("PKM/jt"), beside roles, after dashes, at line ends."""

    labels = (Label.NAME,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield initials where people sign with them."""
        if "/" in document.plain or ":" in document.plain:
            yield from self._find_references(document)
        yield from self._find_signed(document)

    def _find_references(self, document: Document) -> Iterator[Span]:
        if "ref" in document.lower:
            for reference in _REFERENCE.finditer(document.lower):
                yield from self._read_body(document, *reference.span("body"))
        for typed in _TYPIST.finditer(document.plain):
            author, typist = typed.group(1), typed.group(2)
            if (
                author.lower() in ABBREVIATIONS
                or typist in _UNITS
                or typist in ORDINARY
                or typist in ABBREVIATIONS
            ):
                continue
            for group in (1, 2):
                yield self.span(
                    *typed.span(group), Label.NAME, _TYPIST_SCORE, "author and typist"
                )

    def _read_body(self, document: Document, start: int, end: int) -> Iterator[Span]:
        """Mark the groups of letters of "BJH/mw/44120"."""
        body = document.plain[start:end]
        if "/" not in body and ":" not in body and "-" not in body:
            return
        for piece in _PIECE.finditer(body):
            word = piece.group()
            if not 2 <= len(word) <= _LONGEST or word.lower() in _CODE_WORDS:  # noqa: PLR2004
                continue
            glued = body[piece.end() : piece.end() + 1].isdigit()
            score = _HINT if glued or "/" not in body else _REFERENCE_SCORE
            yield self.span(
                start + piece.start(),
                start + piece.end(),
                Label.NAME,
                score,
                "initials in a reference",
            )

    def _find_signed(self, document: Document) -> Iterator[Span]:
        for at, word in enumerate(document.words):
            if (
                2 <= len(word) <= _LONGEST  # noqa: PLR2004
                and word[0].isupper()
                and (word.isupper() or (word[1:2].isupper() and word[0].isalpha()))
                and document.folded[at] not in ABBREVIATIONS
                and document.folded[at] not in KEPT_CAPITALS
                and document.folded[at] not in ROLES
                and document.folded[at] not in KIN
            ):
                score, reason = score_by(_SIGNED, _Place(document, at))
                if score:
                    yield self.span(
                        document.starts[at],
                        document.ends[at],
                        Label.NAME,
                        score,
                        reason,
                    )


class _Place:
    """Where initials stand.

    Attributes:
        before: The token before, folded; empty at the text's start.
        after: The token behind on the same line, folded; empty at the line's end.
        begins_line: Whether they begin a line.
        ends_line: Whether they end a line.
        is_word: Whether they are an ordinary word too.
    """

    def __init__(self, document: Document, at: int) -> None:
        folded = document.folded
        self._document = document
        self._at = at
        self.before = folded[at - 1] if at else ""
        self.begins_line = is_line_start(document, at)
        self.ends_line = at + 1 == len(folded) or is_line_start(document, at + 1)
        self.after = "" if self.ends_line else folded[at + 1]
        self.is_word = folded[at] in ORDINARY

    def is_part_of_code(self) -> bool:
        """Tell whether another token is glued to them, or a figure follows."""
        starts, ends, at = self._document.starts, self._document.ends, self._at
        is_glued_before = (
            at and starts[at] == ends[at - 1] and self.before not in "(-/:"
        )
        is_glued_behind = (
            not self.ends_line
            and starts[at + 1] == ends[at]
            and self.after[0] not in ").,;:/'"
        )
        return (
            bool(is_glued_before)
            or is_glued_behind
            or self.after in {"+", "-", "%"}
            or self.after.isdigit()
        )

    def follows_cue(self) -> bool:
        """Tell whether "signed", "checked by (" or the like stands before."""
        if self.begins_line:
            return False
        folded, at = self._document.folded, self._at
        return self.before in _BEHIND_CUE or (
            self.before in ":(" and at > 1 and folded[at - 2] in _BEHIND_CUE
        )

    def follows_dash(self) -> bool:
        """Tell whether they end a line behind a dash and a space."""
        starts, ends, at = self._document.starts, self._document.ends, self._at
        return self.ends_line and self.before == "-" and starts[at] > ends[at - 1]

    def is_beside_role(self) -> bool:
        """Tell whether a role stands next to them: "SHO JT"."""
        return self.after in ROLES or self.before in ROLES


_SIGNED: Final[tuple[Rule[_Place], ...]] = (
    Rule(lambda p: p.ends_line and p.begins_line, _HINT, "initials fill a line"),
    Rule(_Place.is_part_of_code, 0.0, "part of a code or a reading"),
    Rule(
        lambda p: p.follows_cue() and (p.is_word or p.before in _WEAK_CUES),
        _HINT,
        "initials or a word behind a cue of signing",
    ),
    Rule(_Place.follows_cue, _CUE_SCORE, "initials behind a cue of signing"),
    Rule(
        lambda p: p.follows_dash() and p.is_word,
        _HINT,
        "initials or a word behind a dash at a line's end",
    ),
    Rule(_Place.follows_dash, _SIGNED_SCORE, "initials behind a dash at a line's end"),
    Rule(
        lambda p: p.ends_line and p.before in {".", "/", ")", "x"},
        _HINT,
        "initials at a line's end",
    ),
    Rule(
        lambda p: p.is_beside_role() and not p.is_word, _HINT, "initials beside a role"
    ),
)
