"""A finder for tests: it finds what a text marks, and misbehaves when told to.

Marks look like ``«NAME:Comfort»``; the span is what stands behind the colon. Words of
command make it sleep, die, fail or answer nonsense. It is imported by name in worker
processes, as any finder factory must be.
"""

import ctypes
import os
import re
import signal
import time
from collections.abc import Iterable, Sequence

from nlp_redaction.decision.protected_terms import find_protected
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing, Refusal, TextRefused
from nlp_redaction.search import Query, Searched, SearchedText
from nlp_redaction.settings import Settings

SLEEP = "please-sleep"
DIE = "please-die"
DIE_ONCE = "please-die-once:"
FAIL = "please-fail"
REFUSE = "please-refuse"
NONSENSE = "please-answer-nonsense"
FORGET = "please-forget"
_MARK = re.compile("«(\\w+):([^»]*)»")


def mark(label: Label, written: str) -> str:
    """Write a text so that the finder finds it."""
    return f"«{label}:{written}»"


class MarkedFinder:
    """Finds what is marked."""

    def try_all(self, texts: Iterable[Query]) -> list[Searched]:
        pairs = list(texts)
        if any(FORGET in str(text) for text, _ in pairs):
            return []
        return [self._find(str(text)) for text, _ in pairs]

    def _find(self, text: str) -> Searched:
        obey(text)
        if REFUSE in text:
            return TextRefused(Refusal.BROKEN_ENCODING, "as told")
        if NONSENSE in text:
            return make_searched(
                text, [Span(0, len(text) + 5, Label.NAME, 1.0, "fake")]
            )
        spans = [
            Span(match.start(2), match.end(2), Label(match.group(1)), 0.9, "fake")
            for match in _MARK.finditer(text)
            if match.group(2)
        ]
        return make_searched(text, spans)


def make_searched(text: str, spans: Sequence[Span]) -> SearchedText:
    """Return the answer of a search that protects as the real one does."""
    document = Document.read(text)
    return SearchedText(document, spans, find_protected(document))


def obey(text: str) -> None:
    """Do what a text commands."""
    if SLEEP in text:
        time.sleep(60)
    if DIE in text and DIE_ONCE not in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if DIE_ONCE in text:
        path = text.split(DIE_ONCE)[1].split(maxsplit=1)[0]
        if not os.path.exists(path):  # noqa: PTH110 - a flag, nothing more
            open(path, "w").close()  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGKILL)
    if FAIL in text:
        raise ValueError(text)


def make_marked_finder(mode: str, settings: Settings) -> MarkedFinder:
    """Be the factory of this finder; the mode ``missing`` has no model."""
    if mode == "missing":
        raise ModelMissing("The mode missing has no model; name another.")
    if mode == "tell-threads":
        # What a library reads when it is loaded, rather than what Python remembers.
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        raise ModelMissing((getenv(b"OMP_NUM_THREADS") or b"unset").decode())
    if mode == "broken":
        raise RuntimeError("something private")
    if mode == "fatal":
        os.kill(os.getpid(), signal.SIGKILL)
    return MarkedFinder()
