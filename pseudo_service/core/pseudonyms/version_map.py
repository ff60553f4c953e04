"""The map from a project's old pseudonyms to its new ones, and its statement."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.statements import encode_statement

KEY_MAP_FORMAT: Final = "pseudo/key-version-map/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersionPairs:
    """Some pairs: ``old[i]`` and ``new[i]`` are one person's."""

    old: Sequence[str] = field(repr=False)
    new: Sequence[str] = field(repr=False)


class PairsDigest:
    """SHA-256 over the lines ``old,new`` in their order, each ended by a line feed."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.pairs = 0

    def add(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Add pairs to the digest."""
        lines = (f"{a},{b}\n" for a, b in zip(old, new, strict=True))
        self._hash.update("".join(lines).encode())
        self.pairs += len(old)

    def hex(self) -> str:
        """Return the digest of all pairs so far."""
        return self._hash.hexdigest()


def check_versions(old: KeyVersion, new: KeyVersion, newest: KeyVersion) -> None:
    """Raise unless a map from one version to another can be made.

    Raises:
        InvalidArgument: They are not two versions of the project, the older first.
    """
    if not 1 <= old < new <= newest:
        msg = (
            "key versions: give an old one and a newer one that the project has, at "
            f"most {newest}"
        )
        raise InvalidArgument(msg)


def build_key_map_statement(
    *,
    project: ProjectId,
    old_version: KeyVersion,
    new_version: KeyVersion,
    digest: PairsDigest,
    unaccounted: Sequence[str],
    actor: str,
    purpose: str,
    operation: OperationId,
    issued_at: datetime,
) -> bytes:
    """Return the statement of a finished map, ready to be signed."""
    return encode_statement(
        {
            "format": KEY_MAP_FORMAT,
            "project": project,
            "old_version": old_version,
            "new_version": new_version,
            "pairs": digest.pairs,
            "sha256": digest.hex(),
            "unaccounted_operations": list(unaccounted),
            "actor": actor,
            "purpose": purpose,
            "operation": operation,
            "issued_at": issued_at.isoformat(),
        }
    )
