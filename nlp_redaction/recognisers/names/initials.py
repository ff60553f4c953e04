"""People given by their initials: typists in references, authors at the end of a line."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    KEPT_CAPITALS,
    KIN,
    ORDINARY,
    ROLES,
    split_words,
)
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.names.reading import is_line_start

_REFERENCE: Final = re.compile(
    r"\b(?:our ref(?:erence)?|your ref(?:erence)?|ref(?:erence)?|my ref)\b[ .]{0,2}[:=]?[ ]{0,4}"
    r"(?P<body>[^\s,;]{2,30})",
)
_PIECE: Final = re.compile(r"[^\W\d_]+")
_TYPIST: Final = re.compile(
    r"(?<![\w/.:-])([A-Z][A-Za-z]{1,3})[/:]([a-z]{2,4})(?=/[A-Z0-9]|[\s,;.)]|$)"
)
_BEHIND_CUE: Final = split_words(
    "by signed sign sig initials initial init locum typed checked dictated with w d/w "
    "author scribe reviewer checker nurse given witness witnessed op operator"
)
_UNITS: Final = split_words(
    "mg ml kg mmol min mins hr hrs day days week weeks month months year years cm mm "
    "mcg wk wks dl litre l g am pm nocte mane od bd tds qds prn stat po iv im sc pr"
)
_REFERENCE_SCORE: Final = 0.9
_TYPIST_SCORE: Final = 0.75
_CUE_SCORE: Final = 0.75
_SIGNED_SCORE: Final = 0.6
_HINT: Final = 0.35
_LONGEST: Final = 4
_CODE_WORDS: Final = split_words(
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
                and (score := self._judge(document, at))
            ):
                yield self.span(
                    document.starts[at],
                    document.ends[at],
                    Label.NAME,
                    score,
                    "initials where people sign",
                )

    def _judge(self, document: Document, at: int) -> float:
        """Weigh what stands around the initials."""
        words, folded = document.words, document.folded
        before = folded[at - 1] if at else ""
        ends_line = at + 1 == len(words) or is_line_start(document, at + 1)
        begins_line = is_line_start(document, at)
        after = "" if ends_line else folded[at + 1]
        if ends_line and begins_line:
            return _HINT
        glued = (
            at and document.starts[at] == document.ends[at - 1] and before not in "(-/:"
        ) or (
            not ends_line
            and document.starts[at + 1] == document.ends[at]
            and after[0] not in ").,;:/'"
        )
        if glued or after in {"+", "-", "%"} or after.isdigit():
            return 0.0
        is_word = folded[at] in ORDINARY
        if not begins_line and (
            before in _BEHIND_CUE
            or (before in ":(" and at > 1 and folded[at - 2] in _BEHIND_CUE)
        ):
            return _HINT if is_word or before in {"w", "with", "nurse"} else _CUE_SCORE
        if ends_line and before == "-" and document.starts[at] > document.ends[at - 1]:
            return _HINT if is_word else _SIGNED_SCORE
        if ends_line and before in {".", "/", ")", "x"}:
            return _HINT
        in_roles = after in ROLES or before in ROLES
        return _HINT if in_roles and not is_word else 0.0
