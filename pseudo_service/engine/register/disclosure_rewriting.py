"""Merges sealed disclosures under one fresh data key, and takes people out of them.

One that does not open is never touched.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from pseudo_service.core.arrow.arrays import BlindIndices
from pseudo_service.core.arrow.sorted_macs import read_prefixes
from pseudo_service.core.disclosures.disclosure import (
    NO_OPERATION,
    DisclosedPeople,
    Disclosure,
    merge_members,
)
from pseudo_service.core.disclosures.sealing import check_disclosure, open_disclosure
from pseudo_service.core.errors import RegisterCorrupt
from pseudo_service.core.ids import OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.register.segments import RegisterFault, RegisterFaultKind
from pseudo_service.engine.register.opening import OpenRegister
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from pseudo_service.engine.register.segment_rewriting import Describe
from pseudo_service.ports.disclosures import DisclosureStore


class CheckedDisclosures:
    """Opens disclosures; ``faults`` names those that do not, ``count`` counts all."""

    def __init__(
        self, *, opened: OpenRegister, store: DisclosureStore, service_root: Root
    ) -> None:
        self.count = 0
        self.faults: list[RegisterFault] = []
        self._opened = opened
        self._store = store
        self._mac_key = service_root.derive(KeyUse.DISCLOSURE_MAC)

    def read(
        self,
        project: ProjectId | None,
        *,
        leave_out: Callable[[Disclosure], bool] | None = None,
    ) -> Iterator[tuple[Disclosure, DisclosedPeople]]:
        """Yield the sound disclosures of a project, or of all."""
        for disclosure in self._store.read(project=project):
            if leave_out is not None and leave_out(disclosure):
                continue
            self.count += 1
            members = self._open(disclosure)
            if members is not None:
                yield disclosure, members

    def check_all(self) -> None:
        """Open every disclosure there is."""
        for _ in self.read(None):
            pass

    def _open(self, disclosure: Disclosure) -> DisclosedPeople | None:
        where = disclosure.disclosure_id
        try:
            check_disclosure(disclosure, self._mac_key)
        except RegisterCorrupt:
            self._add_fault(RegisterFaultKind.DISCLOSURE_MAC, where)
            return None
        key = self._opened.data_key(disclosure.data_key_id)
        try:
            if key is not None:
                return open_disclosure(disclosure, key)
        except RegisterCorrupt:
            pass
        self._add_fault(RegisterFaultKind.DISCLOSURE_DOES_NOT_OPEN, where)
        return None

    def _add_fault(self, fault: RegisterFaultKind, where: str) -> None:
        self.faults.append(RegisterFault(fault=fault, where=where))


class DisclosureRewriting:
    """Merges disclosures, and takes people out of them."""

    def __init__(
        self,
        *,
        reader: CheckedDisclosures,
        store: DisclosureStore,
        sealer: RewriteSealer,
        describe: Describe,
    ) -> None:
        self.written = 0
        self.removed = 0
        self._reader = reader
        self._store = store
        self._sealer = sealer
        self._describe = describe

    def merge(self, project: ProjectId) -> None:
        """Put one disclosure a kind, use and key version in the place of many.

        Raises:
            StateConflict: Another run rewrites them at this moment.
        """
        groups: dict[tuple[object, ...], list[tuple[Disclosure, DisclosedPeople]]]
        groups = defaultdict(list)
        for disclosure, members in self._reader.read(project, leave_out=self._is_own):
            place = (disclosure.kind, disclosure.use, disclosure.key_version)
            groups[place].append((disclosure, members))
        for group in groups.values():
            old = [disclosure for disclosure, _ in group]
            self._replace(old, _merge_operations(group), NO_OPERATION)

    def erase(self, blind: BlindIndices, *, kind: str) -> None:
        """Write the disclosures of a kind that name these people anew, without them."""
        prefixes = read_prefixes(blind)

        def is_other(disclosure: Disclosure) -> bool:
            return disclosure.kind != kind or self._is_own(disclosure)

        for disclosure, members in self._reader.read(None, leave_out=is_other):
            if members.find(prefixes)[0].any():
                rest = members.without(prefixes)
                self._replace([disclosure], rest, disclosure.operation)

    def _is_own(self, disclosure: Disclosure) -> bool:
        return self._sealer.owns(disclosure.data_key_id)

    def _replace(
        self,
        old: Sequence[Disclosure],
        members: DisclosedPeople,
        operation: OperationId,
    ) -> None:
        new = [
            self._sealer.seal_members(part, like=old[0], operation=operation)
            for part in members.cut()
        ]
        counted = {"memberships": len(old), "written": len(new)}
        self._store.replace(
            old=[disclosure.disclosure_id for disclosure in old],
            new=new,
            data_keys=self._sealer.rows if new else (),
            audit=[self._describe(counted)],
        )
        self.removed += len(old)
        self.written += len(new)


def _merge_operations(
    group: Sequence[tuple[Disclosure, DisclosedPeople]],
) -> DisclosedPeople:
    """Return everybody of a group; a long operation's several parts count once."""
    operations: dict[str, list[DisclosedPeople]] = defaultdict(list)
    for disclosure, members in group:
        operations[disclosure.operation].append(members)
    several = operations.pop(NO_OPERATION, [])
    once = [merge_members(parts, same_operation=True) for parts in operations.values()]
    return merge_members([*several, *once])
