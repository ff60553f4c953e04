"""Reads sealed disclosures with an open register, and finds what they leave out."""

from collections.abc import Iterator, Sequence

from pseudo_service.core.disclosures.disclosure import (
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.disclosures.sealing import check_disclosure, open_disclosure
from pseudo_service.core.disclosures.unrecorded import Unaccounted, find_unaccounted
from pseudo_service.core.errors import RegisterCorrupt
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.engine.register.opening import OpenRegister
from pseudo_service.ports.audit_log import AuditLog
from pseudo_service.ports.disclosures import DisclosureStore


class DisclosureReader:
    """Opens disclosures; an edited one ends the reading."""

    def __init__(self, *, disclosures: DisclosureStore, service_root: Root) -> None:
        self._disclosures = disclosures
        self._mac_key = service_root.derive(KeyUse.DISCLOSURE_MAC)

    def read(
        self,
        opened: OpenRegister,
        *,
        project: ProjectId | None,
        kind: str,
        use: DisclosureUse | None = None,
    ) -> Iterator[tuple[Disclosure, DisclosedPeople]]:
        """Yield the disclosures of a kind and use, opened.

        Args:
            opened: The register, for its data keys.
            project: The project; None for all.
            kind: The identifier kind, as text.
            use: The use; None for both.

        Raises:
            RegisterCorrupt: One was edited, or does not open.
        """
        for disclosure in self._disclosures.read(project=project):
            if disclosure.kind != kind or use not in (None, disclosure.use):
                continue
            check_disclosure(disclosure, self._mac_key)
            yield disclosure, self._open(disclosure, opened)

    def list_kinds(
        self, *, project: ProjectId, use: DisclosureUse, key_version: KeyVersion
    ) -> list[str]:
        """Return the kinds, as text and sorted, that a project released so.

        Nothing is opened or checked: the disclosures state their kinds in the clear.
        """
        kinds = {
            disclosure.kind
            for disclosure in self._disclosures.read(project=project)
            if (disclosure.use, disclosure.key_version) == (use, key_version)
        }
        return sorted(kinds)

    def _open(self, disclosure: Disclosure, opened: OpenRegister) -> DisclosedPeople:
        key = opened.data_key(disclosure.data_key_id)
        if key is None:
            msg = (
                f"disclosure {disclosure.disclosure_id} is sealed under data key "
                f"{disclosure.data_key_id}, which does not open: look with "
                "`pseudo register verify`"
            )
            raise RegisterCorrupt(msg)
        return open_disclosure(disclosure, key)


class UnaccountedOperations:
    """Finds in the audit trail the operations whose people are not on record."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    def find(self, project: ProjectId | None) -> Sequence[Unaccounted]:
        """Return what a project's disclosures, or all, cannot answer for."""
        chains = (self._log.read(chain) for chain in self._log.chains())
        return find_unaccounted(chains, project=project)
