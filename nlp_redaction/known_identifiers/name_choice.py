"""Decides which words that could be a known name are meant as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nlp_redaction.known_identifiers.names import Target
from nlp_redaction.known_identifiers.ordinary import (
    CALLINGS,
    MODALS,
    NAME_CUES,
    PREDICATES,
    THANKS,
    list_forenames,
    list_ordinary,
)
from nlp_redaction.known_identifiers.sentence_position import (
    is_in_capitals,
    starts_sentence,
)
from nlp_redaction.known_identifiers.spelling import Words

JOINING_GAPS: Final = frozenset(
    {
        "",
        " ",
        "-",
        "'",
        ", ",
        ",",
        ". ",
        ".",
        "_",
        "  ",
        "\n",
        "\r\n",
        " - ",
        ",\n",
        " (",
    }
)
_CUE_GAPS: Final = frozenset(
    {" ", ". ", ".", ": ", ":", "  ", ", ", "\n", " - ", ":\n"}
)
_SOURCES: Final = frozenset({"by", "from", "thanks", "per", "officer", "told"})
_OPENING: Final = frozenset("(\"'[")
_CLOSING: Final = frozenset(")\"'],.")
_INITIALS: Final = frozenset("BCDEFGHJKLMNOPRSTUVWXYZ")
_SHORTEST_SURE: Final = 3
_CAPITALS_SURE: Final = 4


@dataclass(frozen=True, slots=True, repr=False)
class Mention:
    """One or more words of a text that may be a known name.

    Attributes:
        first: The first word.
        last: The last word.
        start: Where it begins in the text.
        end: Where it ends.
        target: The name.
        how: How it differs from the name; empty if it does not.
    """

    first: int
    last: int
    start: int
    end: int
    target: Target
    how: str


def choose_mentions(words: Words, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions that are meant as names, in the order of the text."""
    ordered = sorted(mentions, key=lambda mention: (mention.first, -mention.last))
    chosen = [_stands_alone(words, mention) for mention in ordered]
    for order in (range(len(ordered)), reversed(range(len(ordered)))):
        for at in order:
            if not chosen[at]:
                chosen[at] = _has_neighbour(words, ordered, chosen, at)
    return [
        mention for mention, is_name in zip(ordered, chosen, strict=True) if is_name
    ]


def _stands_alone(words: Words, mention: Mention) -> bool:
    written = words.document.plain[mention.start : mention.end]
    if _follows_cue(words, mention, written):
        return True
    if not mention.target.is_ordinary:
        return _is_plainly_a_name(words, mention, written)
    is_name = False
    if written[0].isupper() and not written.isupper():
        is_name = not starts_sentence(words, mention.first)
    elif written.isupper() and len(written) >= _CAPITALS_SURE:
        is_name = not is_in_capitals(words, mention.first)
    return is_name or _is_a_subject(words, mention, written)


def _is_plainly_a_name(words: Words, mention: Mention, written: str) -> bool:
    length = len(mention.target.plain)
    if length > _SHORTEST_SURE:
        return True
    if length == _SHORTEST_SURE:
        # Three capitals among small letters are more often an abbreviation.
        if mention.how:
            return False
        return not written.isupper() or is_in_capitals(words, mention.first)
    return written[0].isupper() and not written.isupper() and not mention.how


def _follows_cue(words: Words, mention: Mention, written: str) -> bool:
    at = mention.first
    if at == 0 or words.gap(at - 1) not in _CUE_GAPS:
        return False
    cue = words.plain(at - 1)
    if cue not in NAME_CUES:
        return False
    is_modal = mention.target.plain in MODALS and written.islower()
    return not (is_modal and cue in CALLINGS | THANKS) and (
        len(mention.target.plain) > 1 or written.isupper()
    )


def _is_a_subject(words: Words, mention: Mention, written: str) -> bool:
    """Tell whether an ordinary word is used as somebody who does or has something."""
    plain = mention.target.plain
    if len(plain) < _SHORTEST_SURE or plain not in list_forenames():
        return False
    gap, following = words.gap(mention.last), words.plain(mention.last + 1)
    if gap == " " and (following in PREDICATES or _is_past(following)):
        return True
    if not written[0].isupper():
        return _stands_apart(words, mention)
    before = words.plain(mention.first - 1)
    return (
        (gap == "'" and following == "s")
        or (before in _SOURCES and words.gap(mention.first - 1) == " ")
        or _stands_apart(words, mention)
        or _has_initial_behind(words, mention.last)
    )


def _is_past(word: str) -> bool:
    return word.endswith("ed") and not word.endswith("eed") and len(word) > 4  # noqa: PLR2004


def _stands_apart(words: Words, mention: Mention) -> bool:
    """Tell whether a word is a line, a greeting, a speaker or in brackets by itself."""
    start, end = words.document.line_at(mention.start)
    plain = words.document.plain
    before = plain[start : mention.start].rstrip()
    after = plain[mention.end : end].strip()
    if not before:
        return not after or after in _CLOSING or after[0] == ":"
    is_enclosed = before[-1] in _OPENING and after[:1] in _CLOSING
    return is_enclosed or (after[:1] == ":" and starts_sentence(words, mention.first))


def _has_initial_behind(words: Words, at: int) -> bool:
    following = words.written(at + 1) if at + 1 < len(words) else ""
    return words.gap(at) == " " and len(following) == 1 and following in _INITIALS


def _has_neighbour(
    words: Words, mentions: Sequence[Mention], chosen: Sequence[bool], at: int
) -> bool:
    """Tell whether another part of a name stands directly before or behind."""
    mention = mentions[at]
    for other in (at - 1, at + 1):
        if not 0 <= other < len(mentions):
            continue
        near = mentions[other]
        first, second = (near, mention) if other < at else (mention, near)
        gap = words.document.plain[first.end : second.start]
        if gap not in JOINING_GAPS or near.target.plain == mention.target.plain:
            continue
        if chosen[other] and (mention is first or _may_join(words, mention, gap)):
            return True
        if not chosen[other] and _are_both_names(words, first, second, gap):
            return True
    return False


def _may_join(words: Words, mention: Mention, gap: str) -> bool:
    """Tell whether an ordinary word beside a name belongs to it: "Comfort will"."""
    written = words.document.plain[mention.start : mention.end]
    if mention.target.plain in MODALS and written.islower():
        return False
    return not (gap.startswith(".") and written.islower())


def _are_both_names(words: Words, first: Mention, second: Mention, gap: str) -> bool:
    if gap not in (" ", "-", ", ", "  "):
        return False
    plain = words.document.plain
    if first.target.plain in list_ordinary() and second.target.plain in MODALS:
        return plain[second.start].isupper()
    return plain[first.start].isupper() or not plain[second.start].isupper()
