"""Web addresses and the handles of social media."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.base import Recogniser

_SCHEME: Final = re.compile(
    r"(?:https?|hxxps?|s?ftps?|file) ?: ?/{1,2} ?[^\s<>\"|]+", re.IGNORECASE
)
_WWW: Final = re.compile(r"www ?[.,] ?[^\s<>\"|]{3,}", re.IGNORECASE)
_ENDING: Final = re.compile(r"\.([A-Za-z]{2,9})(?![\w@])")
_BEFORE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*$")
_PATH: Final = re.compile(r"(?::\d{2,5})?[/?#][^\s<>\"|,;)\]]*")
_HANDLE: Final = re.compile(r"@([A-Za-z_]\w{1,29}(?:\.[a-z0-9_]\w{0,29}){0,4})")
_NAMED_HANDLE: Final = re.compile(
    r"(?:insta(?:gram)?|twitter|tiktok|snap(?:chat)?|grindr|facebook|telegram|handle)"
    r"(?: (?:handle|name|user(?:name)?|is|id))?[:=]? {0,2}"
    r"(?=[a-z0-9.]{0,29}[_0-9])([a-z][\w.]{2,29})"
)
_CUE: Final = re.compile(
    r"(?:web ?site|web|online|link|visit|book|see|at|url|go|to|on|or)[: ]+(?:at )?$"
)
_SOCIAL: Final = re.compile(
    r"insta|twitter|tik ?tok|snap|grindr|facebook|handle|social|posted|follow|tagged"
)
_SITES: Final = ("insta", "twitter", "tiktok", "snap", "grindr", "facebook", "telegram")
_CLOSING: Final = ".,;:!?)]}'\"*"
_LONGEST_HOST: Final = 120
_LOOK_BACK: Final = 30
# Country codes that are also words or abbreviations: the full stop before them may
# only want its space ("well.in", "pt.is").
_WORDS: Final = frozenset(
    (
        *("us", "de", "es", "ca", "co", "se", "ch", "pt", "cc", "ai", "im", "il", "sa"),
        *("je", "app", "test", "email", "cloud", "io", "tv", "int"),
    )
)
_LONE_HANDLE: Final = 6


class UrlRecogniser(Recogniser):
    """Finds whole addresses of pages: schemes, ``www``, bare domains, and handles."""

    labels = (Label.URL,)

    def __init__(self) -> None:
        super().__init__()
        self._endings = read_lexicon("top_level_domains")
        self._ordinary = read_lexicon("clinical_words")

    def find(self, document: Document) -> Iterator[Span]:
        """Yield addresses with their path and query, and handles with their ``@``."""
        plain, lower = document.plain, document.lower
        if ":/" in plain or ": /" in plain:
            yield from self._find_whole(document, _SCHEME)
        if "www" in lower:
            yield from self._find_whole(document, _WWW)
        for ending in _ENDING.finditer(plain):
            if ending.group(1).lower() in self._endings:
                yield from self._read_domain(document, ending)
        if "@" in plain:
            yield from self._find_handles(document)
        if any(site in lower for site in _SITES):
            for named in _NAMED_HANDLE.finditer(lower):
                yield self.span(*named.span(1), Label.URL, 0.6, "named site before")

    def _find_whole(
        self, document: Document, pattern: re.Pattern[str]
    ) -> Iterator[Span]:
        for found in pattern.finditer(document.plain):
            length = len(found.group().rstrip(_CLOSING))
            start = found.start()
            yield self.span(start, start + length, Label.URL, 0.95, "scheme or www")

    def _read_domain(self, document: Document, ending: re.Match[str]) -> Iterator[Span]:
        plain = document.plain
        low = max(0, ending.start() - _LONGEST_HOST)
        before = _BEFORE.search(plain[low : ending.start()])
        if not before or plain[low + before.start() - 1 : low + before.start()] == "@":
            return
        start, end = low + before.start(), ending.end()
        score = self._score_domain(document, start, ending)
        path = _PATH.match(plain, end)
        if path:
            end += len(path.group().rstrip(_CLOSING))
            score = max(score, 0.7)
        if score:
            yield self.span(start, end, Label.URL, score, "top-level domain")

    def _score_domain(
        self, document: Document, start: int, ending: re.Match[str]
    ) -> float:
        """Say how sure a bare domain is; sentences also run into one another."""
        name = document.plain[start : ending.end()]
        host, _, last = name.rpartition(".")
        if not (last.islower() or name.isupper()):
            return 0.0
        if host.rpartition(".")[2].isdigit() or len(host) == 1:
            return 0.0
        if last not in _WORDS or "." in host:
            return 0.9
        cued = _CUE.search(document.lower[max(0, start - _LOOK_BACK) : start])
        return 0.7 if cued else 0.3

    def _find_handles(self, document: Document) -> Iterator[Span]:
        plain = document.plain
        for found in _HANDLE.finditer(plain):
            start, name = found.start(), found.group(1).rstrip(".")
            if start and (plain[start - 1].isalnum() or plain[start - 1] in "._@"):
                continue
            score = self._score_handle(document, start, name)
            if score:
                end = found.start() + 1 + len(name)
                yield self.span(start, end, Label.URL, score, "handle")

    def _score_handle(self, document: Document, start: int, name: str) -> float:
        before = document.lower[max(0, start - _LOOK_BACK) : start]
        odd = any(sign.isdigit() or sign in "._" for sign in name)
        if odd or _SOCIAL.search(before):
            return 0.8
        if name.lower() in self._ordinary:
            return 0.0
        return 0.55 if len(name) >= _LONE_HANDLE else 0.3
