"""Numbers and codes of cases, accounts, specimens, devices and staff."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import CUES, Cue
from nlp_redaction.recognisers.numbers.codes import (
    Code,
    count_digits,
    extend_code,
    find_codes,
    find_prefix,
    is_followed_by_unit,
    make_shape,
)

_PRISON: Final = re.compile(r"[A-HJ-NP-Z]\d{4}[A-Z]{2}")
_COLLAR: Final = re.compile(r"(?:[A-Z]{1,3} ?)?\d{3,5}[A-Z]?")
_YEAR_FORM: Final = re.compile(
    r"[A-Z]{1,3}\d\d[-/.]\d{3,8}(?:[-/][A-Z0-9]{1,3})*|\d\d[A-Z]{1,2}[-/.]?\d{4,8}"
)
_LETTERS_FIRST: Final = re.compile(r"[A-Z]{1,4}\d{5,9}[A-Z]{0,2}|[a-z]{1,4}\d{6,9}")
_LONG_RUN: Final = re.compile(r"\d{4}")
_SPINE: Final = re.compile(r"(?:[CTLS]?\d{1,2}[-/]?)+", re.IGNORECASE)
# Public names that look like codes: trials, standards, morphology, gene variants.
_PUBLIC: Final = re.compile(
    r"(?:NCT|ISRCTN|PMID|PMC|ICD|RS|NM|ENST|ISO|BS|EN|DOI|COVID|CVE|IMG|DSC|NHS|CHI|HC|IMG|SARS|HHV|HPV|HSA|SCT|LOINC|MK|LY|AZD|GSK|BMS|ABT|AMG)[-_ ]?\d|S\d{1,3}\Z|M[89]\d{3}/?\d\Z|10\.\d{4}/",
    re.IGNORECASE,
)
_ASCENDING: Final = re.compile(r"(\d+)[-/](\d+)")
_GROUPS: Final = re.compile(r"\d{2,}(?:[-/.]\d{2,}){1,4}")
_INITIALS: Final = re.compile(r"^(?:[A-Za-z]{1,5}/)+")
_LOT_FOLLOWS: Final = re.compile(r"[ .;,|]{1,4}lot\b")
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-4])[0-5]\d")
_EMERGENCY: Final = frozenset({"101", "111", "112", "119", "911", "999"})
_SHORT: Final = frozenset({"badge", "collar", "locker", "exhibit"})
_COUNTY: Final = re.compile(r" [A-Z]{2}(?![^\W_])")
_YEAR_AND_NUMBER: Final = re.compile(r"\d\d[/-]\d{4,6}")
_PADDED: Final = re.compile(r"0\d{4,8}")
_MORE_DIGITS: Final = re.compile(r" \d")
_LONG: Final = 7
_ENOUGH_TO_REPEAT: Final = 3
_CLOCK_DIGITS: Final = 4
_COLUMN: Final = 3
_ANNOUNCED: Final = frozenset({Cue.STRONG, Cue.HOSPITAL, Cue.PROFESSIONAL, Cue.WEAK})


class CaseNumberRecogniser(Recogniser):
    """Finds codes by the words before them, by their form, and by their like."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield announced codes, unmistakable ones, and those shaped like them."""
        shapes: set[str] = set()
        left: list[Code] = []
        for code in find_codes(document):
            score, reason = _score(document, code)
            if not score:
                left.append(code)
                continue
            if code.cue in _ANNOUNCED or not code.cue:
                shapes.add(make_shape(code.text))
            end = _find_end(document, code)
            start = _find_start(document, code)
            yield self.span(start, end, Label.ID, score, reason)
        shapes |= _find_columns(document, left)
        for code in left:
            if (
                code.cue is not Cue.NEVER
                and _is_distinct(code)
                and make_shape(code.text) in shapes
            ):
                yield self.span(
                    code.start,
                    code.end,
                    Label.ID,
                    0.6,
                    "shaped like another code of the text",
                )


def _find_start(document: Document, code: Code) -> int:
    """Take in the letters of a site before a long number: "NLI 0088121"."""
    if code.cue or code.has_letter or len(code.text) > 9:  # noqa: PLR2004 - longer ones are phones
        return code.start
    prefix = find_prefix(document, code.start)
    return prefix if prefix >= 0 else code.start


def _find_end(document: Document, code: Code) -> int:
    if code.cue is Cue.OFFICER:
        county = _COUNTY.match(document.plain, code.end)
        return (
            county.end()
            if county and county.group().strip().lower() not in CUES
            else code.end
        )
    may_go_on = code.cue in {Cue.STRONG, Cue.WEAK, Cue.GENERIC}
    return extend_code(document, code) if may_go_on else code.end


def _score(document: Document, code: Code) -> tuple[float, str]:
    """Score a code; 0 when nothing speaks for it."""
    if _PRISON.fullmatch(code.text):
        return 0.9, "prison number"
    if code.cue is Cue.OFFICER:
        good = (
            _COLLAR.fullmatch(code.text)
            and code.text not in _EMERGENCY
            and not is_followed_by_unit(document, code.end)
        )
        return (0.8, "behind a police officer") if good else (0.0, "")
    if code.cue is Cue.NEVER or _is_other(document, code):
        return 0.0, ""
    if (
        (_PADDED.fullmatch(code.text) or _YEAR_AND_NUMBER.fullmatch(code.text))
        and _find_start(document, code) < code.start
        and not _MORE_DIGITS.match(document.plain, code.end)
    ):
        return 0.55, "letters of a site and a number with leading zeros"
    return _score_announced(document, code) or _score_form(code) or (0.0, "")


def _is_other(document: Document, code: Code) -> bool:
    """Tell whether it is a date, a measurement or the article number of an implant."""
    if _YEAR_FORM.fullmatch(code.text):
        return False
    if code.is_date or code.is_measure or _LOT_FOLLOWS.match(document.lower, code.end):
        return True
    if code.has_letter:
        return False
    # A clock time begins the next line of a log, whatever word ended the last.
    begins_line = code.start > 0 and document.plain[code.start - 1] == "\n"
    return is_followed_by_unit(document, code.end) or (
        begins_line and bool(_CLOCK.fullmatch(code.text))
    )


def _score_announced(document: Document, code: Code) -> tuple[float, str] | None:
    if code.cue is Cue.NONE:
        return None
    digits = count_digits(document.plain[code.start : extend_code(document, code)])
    if code.cue is Cue.STRONG:
        short = document.folded[code.cue_token] in _SHORT
        if digits >= (5 if code.far else 2 if short else 3) or (
            code.has_letter and not code.far
        ):
            return 0.85, "announced by the word before it"
    elif code.cue in {Cue.WEAK, Cue.GENERIC} and not code.far:
        if code.cue is Cue.WEAK and _CLOCK.fullmatch(code.text):
            return None
        if digits >= 4 or (code.has_letter and digits >= 3 and code.cue is Cue.WEAK):  # noqa: PLR2004 - shorter ones are counts
            return 0.7, "announced by the word before it"
    return None


def _score_form(code: Code) -> tuple[float, str] | None:
    text = _INITIALS.sub("", code.text)
    if text.isdigit() or not any(map(str.isalpha, text)):
        text = code.text
    if _PUBLIC.match(text) or (_SPINE.fullmatch(text) and code.has_letter):
        return None
    if _YEAR_FORM.fullmatch(text):
        return 0.75, "form of a specimen number"
    if _LETTERS_FIRST.fullmatch(text):
        return 0.65, "letters and a long number"
    if not code.has_letter:
        return _score_digits(text)
    if text.upper() == text and code.digits >= 5 and _LONG_RUN.search(text):  # noqa: PLR2004 - models are shorter
        return 0.6, "capitals and many digits"
    return None


def _score_digits(text: str) -> tuple[float, str] | None:
    if text.isdigit():
        return (0.6, "long number") if len(text) >= _LONG else None
    ascending = _ASCENDING.fullmatch(text)
    if (
        ascending
        and len(ascending.group(1)) <= len(ascending.group(2))
        and int(ascending.group(1)) < int(ascending.group(2))
    ):
        return None
    if _GROUPS.fullmatch(text) and sum(map(str.isdigit, text)) > _LONG:
        return 0.6, "long number in groups"
    return None


def _is_distinct(code: Code) -> bool:
    if code.is_date or code.is_measure or _PUBLIC.match(code.text):
        return False
    return code.digits > _CLOCK_DIGITS or (
        code.has_letter and code.digits >= _ENOUGH_TO_REPEAT and code.text[0].isupper()
    )


def _find_columns(document: Document, codes: list[Code]) -> set[str]:
    """Return the shapes of lists: three begin lines, or share their first letters."""
    at_start: Counter[str] = Counter()
    alike: dict[tuple[str, str], set[str]] = {}
    for code in filter(_is_distinct, codes):
        shape = make_shape(code.text)
        if not code.start or document.plain[code.start - 1] == "\n":
            at_start[shape] += 1
        if code.digits >= 4 and code.text[0].isupper():  # noqa: PLR2004 - models are shorter
            letters = code.text.rstrip("0123456789")
            alike.setdefault((shape, letters), set()).add(code.text)
    return {shape for shape, times in at_start.items() if times >= _COLUMN} | {
        shape for (shape, _), texts in alike.items() if len(texts) >= _COLUMN
    }
