"""Reads one person's name from a token on, in any writing.

Shared by all recognisers of names. A name is a run of parts on one line: words,
initials, particles ("de", "van der"), hyphened and apostrophe forms.
"""

from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    KEPT_CAPITALS,
    KIN,
    NAMES,
    ROLES,
    SURE_NAMES,
    TITLES_IN_ROLES,
    WORD_NAMES,
    is_known_otherwise,
)

SURE: Final = 0
"""The cue allows nothing but a name: a title, "Surname:"."""
LIKELY: Final = 1
"""The cue is mostly followed by a name when one is written: "wife", "seen by"."""

MOST_PARTS: Final = 5
_LONGEST_GAP: Final = 2
_SHORTEST_LOWER: Final = 3
_INITIALS: Final = 3
_BORN: Final = ("d.o.b", "d o b", "d.o b", "n.h.s", "n h s", "g.p", "o.p", "m.d")
_PARTICLES: Final = word_set(
    "de van von der den ter la le du da dos das del di al el bin ibn binti bint abu ap "
    "ab ferch mac ul ur ud ní nic ó st san"
)
_PREFIXES: Final = frozenset({"o", "d", "n", "m", "l", "t"})
_SUFFIXES: Final = frozenset({"s", "t", "ll", "d", "m", "re", "ve"})
_NEVER: Final = (ROLES | KIN) - TITLES_IN_ROLES | word_set(
    "who whom i the and or on in at to for from with by of as is was has had will would "
    "can could may should must be been are were he she they we you it his her their my "
    "our your this that these those there here if but not no yes nil none unknown n na "
    "tbc tba see seen said says told rang called call asked advised reviewed review "
    "list team clinic room ward office letter visit dear re cc dob nhs id mrn tel date "
    "time address consultants doctors nurses surgeons registrars appointment via about "
    "after before when while since until then than also please thanks due did does do "
    "done am pm bleep ext contact email phone aware happy concerned informed unable "
    "agreed wants wanted thinks feels later again today tomorrow yesterday tonight "
    "up out off over under away back so because sir madam all everyone colleague "
    "hospital surgery practice centre unit department gp's self other others"
)


def is_adjacent(document: Document, at: int) -> bool:
    """Tell whether a token follows the one before it on the line, one space away."""
    start, end = document.ends[at - 1], document.starts[at]
    return end == start or (
        end - start <= _LONGEST_GAP and "\n" not in document.plain[start:end]
    )


def is_line_start(document: Document, at: int) -> bool:
    """Tell whether a token is the first of its line."""
    if at == 0:
        return True
    gap = document.plain[document.ends[at - 1] : document.starts[at]]
    return "\n" in gap or "\r" in gap


def is_titled(word: str) -> bool:
    """Tell whether a word has a capital and small letters."""
    return word[0].isupper() and not word.isupper()


def read_name(
    document: Document, at: int, trust: int = LIKELY, most: int = MOST_PARTS
) -> int:
    """Return the index behind the last token of the name at ``at``; ``at`` if none.

    Args:
        document: The text.
        at: The first token that may belong to the name.
        trust: What stands before it: ``SURE`` or ``LIKELY``.
        most: The most parts that a name has.
    """
    end = at
    parts = 0
    while parts < most and end < len(document.words):
        if end > at and not is_adjacent(document, end):
            break
        behind = _read_part(document, end, at, trust)
        if behind == end:
            break
        end = behind
        parts += 1
    return _drop_tail(document, at, end)


def _drop_tail(document: Document, at: int, end: int) -> int:
    """Give back particles and signs that no name followed."""
    while end > at and (
        document.words[end - 1] in "'-,"
        or (
            document.folded[end - 1] in _PARTICLES and document.words[end - 1].islower()
        )
    ):
        end -= 1
    return end


def _read_part(document: Document, at: int, first: int, trust: int) -> int:
    word = document.words[at]
    if not word[0].isalpha():
        return at
    folded = document.folded[at]
    if folded in _PREFIXES and _has_apostrophe(document, at):
        return _join_pieces(document, at + 3)
    if len(word) == 1:
        return _read_initial(document, at, first, trust)
    if folded in _PARTICLES and _leads_on(document, at):
        return at + 1
    fits = _may_begin(document, at, trust) if at == first else _may_follow(document, at)
    return _join_pieces(document, at + 1) if fits else at


def _has_apostrophe(document: Document, at: int) -> bool:
    """Tell whether letters follow in the manner of O'Neill."""
    return (
        at + 2 < len(document.words)
        and document.words[at + 1] == "'"
        and document.starts[at + 2] == document.ends[at] + 1
        and len(document.words[at + 2]) > 2  # noqa: PLR2004 - "s", "ll"
        and document.words[at + 2].isalpha()
    )


def _join_pieces(document: Document, end: int) -> int:
    """Go on over hyphens and inner apostrophes: Anne-Marie, Sa'ad."""
    words, starts, ends = document.words, document.starts, document.ends
    while (
        end + 1 < len(words)
        and words[end] in "-'"
        and starts[end] == ends[end - 1]
        and starts[end + 1] == ends[end]
        and words[end + 1][0].isalpha()
        and (words[end] == "-" or document.folded[end + 1] not in _SUFFIXES)
        and (words[end + 1] not in ROLES)
    ):
        end += 2
    return end


def _read_initial(document: Document, at: int, first: int, trust: int) -> int:
    words = document.words
    if not _is_initial(document, at, first, trust):
        return at
    dotted = (
        at + 1 < len(words)
        and words[at + 1] == "."
        and document.starts[at + 1] == document.ends[at]
    )
    behind = at + 1 + dotted
    if behind == len(words):
        return behind if at > first or trust == SURE else at
    leads = is_adjacent(document, behind)
    is_glued = (
        document.starts[behind] == document.ends[behind - 1]
        and words[behind] in "/-'+&="
    )
    if is_glued or (leads and words[behind].isdigit() and not dotted):
        return at
    is_followed = dotted and leads and words[behind][0].isupper()
    return behind if at > first or trust == SURE or is_followed else at


def _is_initial(document: Document, at: int, first: int, trust: int) -> bool:
    word = document.words[at]
    if not word.isupper() or (word == "I" and trust != SURE):
        return False
    if at > first and document.starts[at] > document.ends[at - 1] + 1:
        return False  # a column of its own, as a rule the sex
    return not document.lower.startswith(_BORN, document.starts[at])


def _leads_on(document: Document, at: int) -> bool:
    """Tell whether a name can go on behind a particle."""
    after = at + 1
    if after < len(document.words) and document.words[after] == "-":
        after += 1
    if after >= len(document.words) or not is_adjacent(document, after):
        return False
    word, folded = document.words[after], document.folded[after]
    return (
        (is_titled(word) and folded not in _NEVER)
        or folded in SURE_NAMES
        or (folded in _PARTICLES and word.islower() and document.words[at].islower())
    )


def _may_begin(document: Document, at: int, trust: int) -> bool:
    word, folded = document.words[at], document.folded[at]
    if folded in _NEVER:
        return folded in WORD_NAMES and is_titled(word)
    if folded in SURE_NAMES:
        return len(word) >= _SHORTEST_LOWER and (
            not word.isupper() or _is_capital_name(word, folded, trust)
        )
    if is_titled(word) and trust == SURE:
        return folded not in KEPT_CAPITALS or folded in NAMES
    if word.isupper():
        return _is_capital_name(word, folded, trust)
    if word.islower() and (trust != SURE or len(word) < _SHORTEST_LOWER):
        return False
    return folded in WORD_NAMES or not is_known_otherwise(folded)


def _is_capital_name(word: str, folded: str, trust: int) -> bool:
    if folded in ABBREVIATIONS:
        return False
    if folded in SURE_NAMES:
        return len(word) > _INITIALS or trust == SURE
    if trust == SURE:
        return folded in WORD_NAMES or folded in NAMES or not is_known_otherwise(folded)
    return len(word) > _INITIALS and not is_known_otherwise(folded)


def _may_follow(document: Document, at: int) -> bool:
    word, folded = document.words[at], document.folded[at]
    if folded in _NEVER or folded in KEPT_CAPITALS:
        return folded in WORD_NAMES and is_titled(word) and folded not in ROLES
    if is_titled(word):
        return (
            folded in SURE_NAMES
            or folded in WORD_NAMES
            or folded in NAMES
            or (not is_known_otherwise(folded))
        )
    if word.isupper():
        return folded not in ABBREVIATIONS and (
            folded in SURE_NAMES
            or (
                document.words[at - 1].isupper()
                and (folded in WORD_NAMES or not is_known_otherwise(folded))
            )
        )
    return (
        folded in SURE_NAMES
        and len(word) > _SHORTEST_LOWER
        and document.words[at - 1].islower()
    )
