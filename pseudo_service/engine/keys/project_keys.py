"""Everything keyed that a stream needs, derived once from the roots it pins."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.keyed_hash import (
    HashesColumns,
    KeyedHash,
    UnaryKeyedHash,
)
from pseudo_service.core.pseudonyms.kind_keys import KindKeys, PreviousKeys
from pseudo_service.core.pseudonyms.mac_cache import CachedKeyedHash, RecentIdentifiers
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.engine.keys.key_ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRoots:
    """A project's roots, pinned for a stream or call.

    ``previous`` is the root before the newest, where old pseudonyms are answered too.
    """

    pseudonyms: Root
    stable: Root
    previous: Root | None = None

    def check_values(self) -> bytes:
        """Return what tells these roots from all others, end to end."""
        roots = (self.pseudonyms, self.stable, self.previous)
        return b"".join(root.check_value() for root in roots if root is not None)


class ProjectKeys:
    """Derives a project's keys; the service root is shared by all projects."""

    def __init__(self, *, key_ring: KeyRing, service_root: Root) -> None:
        self._key_ring = key_ring
        self._service_root = service_root

    def pin(self, project: Project) -> PinnedRoots:
        """Return the newest pseudonym root and the stable root.

        Raises:
            KeyVaultUnavailable: A root is not held and the vault does not answer.
            KeyRowRefused: A stored row fails its checks.
        """
        owner = project.project_id
        return PinnedRoots(
            pseudonyms=self._key_ring.newest(owner, RootPurpose.PSEUDONYMS),
            stable=self._key_ring.newest(owner, RootPurpose.STABLE),
        )

    def pin_previous(
        self, project: Project, roots: PinnedRoots, now: datetime
    ) -> PinnedRoots:
        """Return the roots with the one before, if the window of overlap is open.

        Raises:
            KeyVaultUnavailable, KeyRowRefused: As ``pin`` does.
        """
        newest = roots.pseudonyms.version
        is_open = project.overlap_until is not None and now < project.overlap_until
        if not is_open or newest == 1:
            return roots
        previous = self._key_ring.get(
            project.project_id, RootPurpose.PSEUDONYMS, KeyVersion(newest - 1)
        )
        return replace(roots, previous=previous)

    def derive(
        self,
        project: Project,
        roots: PinnedRoots,
        kinds: Iterable[IdentifierKind],
        *,
        is_stream: bool = True,
    ) -> dict[str, KindKeys]:
        """Return the keyed functions of each identifier kind, by its text.

        Args:
            project: The project.
            roots: Its pinned roots.
            kinds: The kinds of identifier.
            is_stream: Whether people recur in many batches, so that the functions keep
                the MACs of the identifiers that they meet: derive anew for each stream.
        """
        return {
            kind.text: self._derive_kind(project, roots, kind, is_stream=is_stream)
            for kind in kinds
        }

    def hash_blindly(self, kind: IdentifierKind) -> KeyedHash:
        """Return the blind index of a kind, which remembers nothing of a stream."""
        key = self._service_root.derive(KeyUse.BLIND_INDEX, kind.text)
        return KeyedHash(key, kind)

    def _derive_kind(
        self,
        project: Project,
        roots: PinnedRoots,
        kind: IdentifierKind,
        *,
        is_stream: bool,
    ) -> KindKeys:
        recent = RecentIdentifiers() if is_stream else None

        def make_hash(root: Root, use: KeyUse) -> HashesColumns:
            key = root.derive(use, kind.text)
            if recent is None:
                return UnaryKeyedHash(key, kind)
            return CachedKeyedHash(KeyedHash(key, kind), recent)

        def make_form(root: Root) -> PseudonymFormat:
            return PseudonymFormat(tag=project.tag, kind=kind, version=root.version)

        return KindKeys(
            pseudonym=make_hash(roots.pseudonyms, KeyUse.PSEUDONYM),
            form=make_form(roots.pseudonyms),
            date=make_hash(roots.stable, KeyUse.DATE_SHIFT),
            surrogate=make_hash(roots.stable, KeyUse.SURROGATE),
            blind=make_hash(self._service_root, KeyUse.BLIND_INDEX),
            previous=PreviousKeys(
                pseudonym=make_hash(roots.previous, KeyUse.PSEUDONYM),
                form=make_form(roots.previous),
            )
            if roots.previous is not None
            else None,
        )
