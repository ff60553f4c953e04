"""Which passages of a text the fast model need not read: those where nothing can hide.

A passage is a sentence or a line. It is left out where each of its words is ordinary
or clinical and written as such words are, so that no name, place or firm can be among
them; figures are for the rules. Measured on the corpus and on transcripts without
identifiers: see docs/text-quality.md.
"""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    BRANDS,
    EPONYMS,
    KIN,
    NAMES,
    ORDINARY,
    ROLES,
    SURE_NAMES,
)
from nlp_redaction.recognisers.names.triggers import TITLES

_ENDS: Final = frozenset(".;!?")
_INITIALS: Final = 3
_SAFE, _ONLY_FIRST, _SUSPICIOUS = range(3)
_KEPT: Final = ABBREVIATIONS | BRANDS | (EPONYMS - NAMES)
_BEFORE_NAMES: Final = KIN | ROLES | TITLES


def _classify_word(word: str) -> int:
    """Safe anywhere, safe as the first word of a passage, or suspicious."""
    lower = word.lower()
    if lower in _BEFORE_NAMES:
        return _SUSPICIOUS
    if lower in _KEPT:
        return _SAFE
    if lower not in ORDINARY or lower in SURE_NAMES:
        return _SUSPICIOUS
    if word.islower():
        return _SAFE
    if word.isupper():
        return _SAFE if len(word) > _INITIALS else _SUSPICIOUS
    return _ONLY_FIRST


def find_passages(document: Document) -> list[range]:
    """Return the tokens of the passages that have to be read, neighbours as one."""
    joined: list[range] = []
    for passage in _find_suspicious(document):
        if joined and joined[-1].stop == passage.start:
            joined[-1] = range(joined[-1].start, passage.stop)
        else:
            joined.append(passage)
    return joined


def _find_suspicious(document: Document) -> Iterator[range]:
    words, starts, ends = document.words, document.starts, document.ends
    first, suspicious, last = 0, False, len(words) - 1
    for token, word in enumerate(words):
        if not suspicious and word[0].isalpha():
            judged = _classify_word(word)
            suspicious = judged == _SUSPICIOUS or (
                judged == _ONLY_FIRST and token > first
            )
        gap = document.plain[ends[token] : starts[token + 1]] if token < last else "\n"
        is_end = "\n" in gap or "\r" in gap
        if not is_end and word in _ENDS and gap:
            # The full stop of an initial ends nothing.
            is_end = not (token and len(words[token - 1]) == 1)
        if is_end:
            if suspicious:
                yield range(first, token + 1)
            first, suspicious = token + 1, False
