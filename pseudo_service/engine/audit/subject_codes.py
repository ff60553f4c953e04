"""The keyed codes of one person: from an identifier to what the records hold of it.

The trail and the requests name nobody. They hold keyed codes, which only the service
root can compute from an identifier.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pseudo_service.core.errors import IdentifierRefused
from pseudo_service.core.identifiers.canonical import canonicalise_one
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import PinnedSupersededNumbers
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNumbers:
    """One person's canonical number, and the other numbers that the person has had."""

    kind: IdentifierKind
    number: str = field(repr=False)
    others: tuple[str, ...] = field(repr=False)


class SubjectCodes:
    """Reads a person's identifier and computes keyed codes of it."""

    def __init__(
        self,
        *,
        service_root: Root,
        rules: IdentifierRules,
        read_superseded: Callable[[], PinnedSupersededNumbers],
    ) -> None:
        self._service_root = service_root
        self._rules = rules
        self._read_superseded = read_superseded

    def read_numbers(self, identifier: str, kind: str) -> SubjectNumbers:
        """Return the canonical number and the person's other numbers.

        Args:
            identifier: As a record writes it.
            kind: Its kind, such as ``nhs_number``.

        Raises:
            IdentifierRefused: The kind is none, or the identifier is none of its kind.
        """
        parsed = IdentifierKind.parse(kind)
        canonical, refusal = canonicalise_one(identifier, parsed, self._rules)
        if canonical is None:
            msg = f"identifier: not accepted as {parsed.text} ({refusal})"
            raise IdentifierRefused(msg)
        others: list[str] = []
        if parsed == NHS_NUMBER:
            others += self._read_superseded().table.list_others(canonical)
        return SubjectNumbers(kind=parsed, number=canonical, others=tuple(others))

    def encode(self, kind: IdentifierKind, number: str) -> str:
        """Return the subject code of a canonical number: 32 hexadecimal digits."""
        return self._hash(KeyUse.SUBJECT_CODE, kind, number)

    def index(self, kind: IdentifierKind, number: str) -> str:
        """Return the blind index, as ``<kind>:<32 hexadecimal digits>``."""
        return f"{kind.text}:{self._hash(KeyUse.BLIND_INDEX, kind, number)}"

    def _hash(self, use: KeyUse, kind: IdentifierKind, number: str) -> str:
        key = self._service_root.derive(use, kind.text)
        return KeyedHash(key, kind).mac_one(number).hex()
