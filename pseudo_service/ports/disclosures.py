"""Who was released where: sealed disclosures, written by ingestion, read by linkage."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.disclosures.disclosure import Disclosure
from pseudo_service.core.ids import ProjectId
from pseudo_service.core.register.segments import DataKeyRow


class DisclosureStore(Protocol):
    """Reads what ``Journal`` committed, and replaces it when the register is compacted."""

    def read(self, *, project: ProjectId | None) -> Iterator[Disclosure]:
        """Yield the disclosures of a project, or of all, in pages, in stored order."""
        ...

    def replace(
        self,
        *,
        old: Sequence[str],
        new: Sequence[Disclosure],
        data_keys: Sequence[DataKeyRow],
        audit: Sequence[AuditEvent],
    ) -> None:
        """Put new disclosures in the place of old ones, named by id.

        Raises:
            StateConflict: One of the old ones is gone; nothing was changed.
        """
        ...
