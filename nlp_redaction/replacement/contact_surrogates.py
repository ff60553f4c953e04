"""E-mail addresses and web addresses that reach nobody (RFC 2606 domains)."""

import re
from typing import Final

from nlp_redaction.replacement.keyed_choice import Draws
from nlp_redaction.replacement.names import NameSurrogates
from nlp_redaction.replacement.numbers import NumberSurrogates

_DOMAINS: Final = ("example.com", "example.net", "example.org")
_SCHEME: Final = re.compile(r"(?:https?://)?(?:www\.)?", re.IGNORECASE)
_SIGNS_OF_PATHS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PATH_LENGTH: Final = 8


class ContactSurrogates:
    """The surrogates for e-mail and web addresses around one patient."""

    def __init__(
        self, key: bytes, names: NameSurrogates, numbers: NumberSurrogates
    ) -> None:
        self._key = key
        self._names = names
        self._numbers = numbers

    def replace_email(self, written: str) -> str:
        """Return an address at an example domain; names in it follow the names."""
        local, _, domain = written.rpartition("@")
        draws = Draws(self._key, "domain", domain.strip().casefold())
        return f"{self._replace_words(local.strip())}@{draws.choose(_DOMAINS)}"

    def replace_url(self, written: str) -> str:
        """Return an address at an example domain; a handle stays a handle."""
        if written.startswith("@"):
            return "@" + self._replace_words(written[1:])
        scheme = _SCHEME.match(written)
        head = scheme.group() if scheme else ""
        domain, slash, path = written[len(head) :].partition("/")
        draws = Draws(self._key, "domain", domain.strip().casefold())
        chosen = f"{head.lower()}{draws.choose(_DOMAINS)}"
        return f"{chosen}/{self._draw_path(path)}" if slash and path else chosen + slash

    def _replace_words(self, written: str) -> str:
        letters = self._names.replace(written.casefold())
        return re.sub(
            r"\d+", lambda match: self._numbers.replace_id(match.group()), letters
        )

    def _draw_path(self, path: str) -> str:
        draws = Draws(self._key, "path", path)
        return "".join(draws.choose(_SIGNS_OF_PATHS) for _ in range(_PATH_LENGTH))
