"""Names given away by the form of the page: fields, columns, salutations, signatures."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    FORENAMES,
    KIN,
    NAMES,
    ORDINARY,
    ROLES,
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
from nlp_redaction.recognisers.names.triggers import (
    DOUBTFUL_TITLES,
    TITLES,
    is_open,
    skip_signs,
)

_SURE_FIELDS: Final = frozenset(
    """surname|surnames|sur name|forename|forenames|first name|first names|last name|
family name|given name|given names|middle name|middle names|maiden name|previous name|
previous names|known as|be called|preferred name|full name|patient name|patient's name|
child name|child's name|client name|carer name|mother's name|father's name|staff name|
kin name|nok name|print name|printed name|name printed|of patient|of child|of carer|
of parent|legal name|birth name|also known as""".replace("\n", "").split("|")
)
_LIKELY_FIELDS: Final = (
    ROLES
    | KIN
    | frozenset(
        """name|names|patient|pt|client|resident|service user|child|baby|applicant|deceased|
next of kin|kin|nok|referrer|author|from|to|re|cc|bcc|caller|informant|present|attendees|
apologies|attended|attending|surgeons|assistants|named nurse|care coordinator|
witnessed|signed|signature|sign|sig|by|auth|parents|subject|about|contact|contacts|
visitor|staff|crew|team|on call|oncall|supervisee|responsible|responsible clinician|rc|
children|kids|siblings|household|with|emergency contact|escort|accompanied|initials|
init|inits|initial|performed|op|ward manager|owner|lead|who|attn|fao|copy|copies|
clinicians|nurses|doctors|registered|key holder|keyholder""".replace("\n", "").split(
            "|"
        )
    )
)
_FIELD_REACH: Final = 30
_CLOSING: Final = re.compile(
    r"^[ >\-]{0,4}(?:yours\b[ a-z]{0,14}|sincerely|(?:[a-z]{4,8} )?(?:kind |kindest |best "
    r"|warm |warmest |many |good )?(?:regards|wishes)|thank ?you[ a-z]{0,12}|many thanks|"
    r"thanks|thx|cheers|ta|signed|cofion[ a-z]{0,6}|yn gywir|diolch|love|with thanks|"
    r"[^\n]{0,40}not signed[^\n]{0,40}|electronically[^\n]{0,40}|"
    r"dictated[^\n]{0,60})[ ,.!:x-]{0,6}\r?\n\s*",
    re.MULTILINE,
)
_ROLE_LINE: Final = re.compile(
    r"(?:(?:locum|senior|junior|specialist|specialty|clinical|lead|associate|advanced|"
    r"honorary|hon\.?|community|foundation|st\d|ct\d|fy?\d|staff|acting|general|principal|"
    r"trainee|student|assistant|deputy|highly) ?)*"
)
_GREETING: Final = re.compile(
    r"(?:^|[\n>\]:.] ?)(dear|hi|hiya|hello|hey|annwyl|helo)\b,?"
)
_QUOTED: Final = re.compile(r"\"([^\W\d_]{2,12})\"")
_SURE_SCORE: Final = 0.9
_LIKELY_SCORE: Final = 0.75
_UNLISTED_SCORE: Final = 0.55
_HINT: Final = 0.4
_MOST_LISTED: Final = 12


def is_listed(document: Document, start: int, end: int) -> bool:
    """Tell whether one of the words is a name and nothing else."""
    return any(word in SURE_NAMES for word in document.folded[start:end])


class FormName(Recogniser):
    """Names in fields ("Name: ...", "cc: ..."), greetings and under closings."""

    labels = (Label.NAME,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield names at the places where forms and letters put them."""
        lower = document.lower
        if ":" in lower or "=" in lower:
            yield from self._find_fields(document)
        for greeting in _GREETING.finditer(lower):
            at = document.token_at(greeting.end(1)) + 1
            at = skip_signs(document, at, ",")
            if is_open(document, at) and self._may_be_greeted(document, at):
                yield from self._read_list(document, at, SURE)
        for closing in _CLOSING.finditer(lower):
            yield from self._read_signature(document, closing.end())

    def _may_be_greeted(self, document: Document, at: int) -> bool:
        folded = document.folded[at]
        return (
            folded in NAMES
            or folded in WORD_NAMES
            or folded in TITLES
            or not is_known_otherwise(folded)
        ) and folded not in DOUBTFUL_TITLES

    def _find_fields(self, document: Document) -> Iterator[Span]:
        for at, word in enumerate(document.words):
            if word in ":=" and (trust := self._read_field(document, at)) is not None:
                yield from self._read_list(document, at + 1, trust)

    def _read_field(self, document: Document, at: int) -> int | None:
        """Tell from the words before a colon whether a name follows it."""
        end = document.starts[at]
        tail = document.lower[max(0, end - _FIELD_REACH) : end].rsplit("\n", 1)[-1]
        words = tail.replace("(s)", "s").replace("(", " ").replace(")", " ").split()
        if not words:
            return None
        last = words[-1].strip("*_|-,.")
        pair = f"{words[-2]} {last}" if len(words) > 1 else last
        is_alone = len(words) == 1 and last in {"name", "names"}
        if is_alone or last in _SURE_FIELDS or pair in _SURE_FIELDS:
            return SURE
        return LIKELY if last in _LIKELY_FIELDS or pair in _LIKELY_FIELDS else None

    def _read_list(self, document: Document, at: int, trust: int) -> Iterator[Span]:
        """Read "A, B (son) and C" until something else begins."""
        first = True
        for _ in range(_MOST_LISTED):
            at = skip_signs(document, at, ",(\"'*_" if first else ',&/+;"')
            if not first and at < len(document.folded) and document.folded[at] == "and":
                at += 1
            while at < len(document.folded) and document.folded[at] in TITLES:
                at = skip_signs(document, at + 1, ".")
            if not is_open(document, at) or is_line_start(document, at):
                return
            end = read_name(document, at, trust if first else LIKELY)
            if end == at:
                return
            if end - at == 1 and len(document.words[at]) == 1:
                return
            end = self._read_forenames(document, end, trust)
            yield self._make(document, at, end, trust if first else LIKELY)
            at, first = end, False

    def _read_forenames(self, document: Document, end: int, trust: int) -> int:
        """Go on over the comma of "SURNAME, Forename"."""
        if (
            end + 1 < len(document.words)
            and document.words[end] == ","
            and is_adjacent(document, end + 1)
        ):
            behind = read_name(document, end + 1, trust)
            if behind > end + 1 and document.folded[end + 1] not in ROLES:
                return behind
        return end

    def _make(self, document: Document, start: int, end: int, trust: int) -> Span:
        listed = is_listed(document, start, end)
        if trust == SURE:
            score = _SURE_SCORE
        elif listed:
            score = _LIKELY_SCORE
        else:
            plain = is_titled(document.words[start]) and end - start > 1
            score = _UNLISTED_SCORE if plain else _HINT
        return self.span(
            document.starts[start],
            document.ends[end - 1],
            Label.NAME,
            score,
            "in a field or a letter's form",
        )

    def _read_signature(self, document: Document, offset: int) -> Iterator[Span]:
        """Read the first short line under a closing."""
        at = document.token_at(offset)
        if at < 0 or document.starts[at] < offset:
            at += 1
        at = skip_signs(document, at, '-*_("')
        while at < len(document.folded) and document.folded[at] in TITLES:
            at = skip_signs(document, at + 1, ".")
        if not is_open(document, at):
            return
        _, stop = document.line_at(document.starts[at])
        end = read_name(document, at, LIKELY)
        if end == at:
            return
        rest = document.plain[document.ends[end - 1] : stop].strip()
        score = _SURE_SCORE if not rest else _LIKELY_SCORE
        if rest and rest[0].isalpha() and not is_listed(document, at, end):
            score = _HINT
        yield self.span(
            document.starts[at],
            document.ends[end - 1],
            Label.NAME,
            score,
            "a signature",
        )


class InvertedName(Recogniser):
    """Inverted names, lines that are a name and a role, nicknames in quotes."""

    labels = (Label.NAME,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield inverted names and names that fill a line."""
        words = document.words
        for at, word in enumerate(words):
            if word == ",":
                yield from self._read_inverted(document, at)
        yield from self._find_lines(document)
        if '"' in document.plain:
            yield from self._find_quoted(document)

    def _read_inverted(self, document: Document, comma: int) -> Iterator[Span]:
        at = comma - 1
        if at < 0 or comma + 1 >= len(document.words):
            return
        if not is_adjacent(document, comma + 1):
            return
        folded = document.folded[comma + 1]
        if folded not in FORENAMES or not document.words[comma + 1][0].isupper():
            return
        start = at
        while (
            start > 1
            and document.words[start - 1] in "-'"
            and document.starts[start] == document.ends[start - 1]
        ):
            start -= 2
        if (
            not self._is_surname(document, start, at)
            or folded in KIN
            or folded in ROLES
        ):
            return
        end = max(read_name(document, comma + 1, LIKELY), comma + 2)
        sure = document.words[at].isupper() or folded in SURE_FORENAMES
        known = is_known_otherwise(folded) and folded not in WORD_NAMES
        score = _HINT if known or not sure else _LIKELY_SCORE
        yield self.span(
            document.starts[start],
            document.ends[end - 1],
            Label.NAME,
            score,
            "a surname, a comma and a forename",
        )

    def _is_surname(self, document: Document, start: int, at: int) -> bool:
        word, folded = document.words[start], document.folded[start]
        if len(word) < 2 or folded in ABBREVIATIONS or not word[0].isalpha():  # noqa: PLR2004
            return False
        if word.isupper() and document.words[at].isupper():
            return folded in SURNAMES or not is_known_otherwise(folded)
        return is_titled(word) and folded in SURE_NAMES

    def _find_lines(self, document: Document) -> Iterator[Span]:
        """Find "R. Le Brocq, Consultant ..." and a name alone above its role."""
        lines = document.lines
        for number, (start, stop) in enumerate(lines):
            at = document.token_at(start)
            if at < 0 or document.starts[at] < start:
                at += 1
            at = skip_signs(document, at, "-*")
            if (
                at >= len(document.words)
                or document.starts[at] >= stop
                or not document.words[at][0].isupper()
                or document.folded[at] in TITLES
            ):
                continue
            end = read_name(document, at, LIKELY)
            if end - at < 2:  # noqa: PLR2004 - a whole name
                continue
            rest = document.lower[document.ends[end - 1] : stop].strip(" ,.-()")
            if not rest and number + 1 < len(lines):
                rest = document.lower[slice(*lines[number + 1])].strip(" ,.-()")
            elif not rest:
                continue
            if self._begins_with_role(rest):
                yield self.span(
                    document.starts[at],
                    document.ends[end - 1],
                    Label.NAME,
                    _LIKELY_SCORE,
                    "a line with a name and a role",
                )

    def _begins_with_role(self, rest: str) -> bool:
        rest = rest[_ROLE_LINE.match(rest).end() :] if _ROLE_LINE.match(rest) else rest  # type: ignore[union-attr]
        first = re.split(r"[^\w-]", rest, maxsplit=1)[0]
        return first in ROLES

    def _find_quoted(self, document: Document) -> Iterator[Span]:
        """Find Abdirahman "Abdi" Warsame."""
        for quoted in _QUOTED.finditer(document.plain):
            at = document.token_at(quoted.start(1))
            word, folded = document.words[at], document.folded[at]
            beside = document.folded[at - 2] if at > 1 else ""
            behind = document.folded[at + 2] if at + 2 < len(document.words) else ""
            near = beside in SURE_NAMES or behind in SURE_NAMES
            if not word[0].isupper() and not near:
                continue
            if folded in SURE_NAMES or (near and folded not in ORDINARY):
                yield self.span(
                    *quoted.span(1), Label.NAME, _LIKELY_SCORE, "a nickname in quotes"
                )
            if near and is_open(document, at + 2) and is_titled(document.words[at + 2]):
                end = read_name(document, at + 2, LIKELY)
                yield from self._read_rest(document, at + 2, end)

    def _read_rest(self, document: Document, start: int, end: int) -> Iterator[Span]:
        """Yield the family name behind a nickname."""
        if end > start:
            yield self.span(
                document.starts[start],
                document.ends[end - 1],
                Label.NAME,
                _UNLISTED_SCORE,
                "behind a nickname",
            )
