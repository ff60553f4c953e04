"""Projects and their key rows."""

from collections.abc import Sequence
from typing import Protocol

from pseudo_service.core.audit import AuditEvent
from pseudo_service.core.keys import KeyRow, RootPurpose
from pseudo_service.core.projects import Project, ProjectState


class ProjectStore(Protocol):
    """Keeps projects. Tags are unique for ever, closed projects included."""

    def create(
        self, project: Project, keys: Sequence[KeyRow], audit: AuditEvent
    ) -> None:
        """Store a project and its first key rows in one transaction.

        Raises:
            ProjectExists: The id was used before.
            StateConflict: The tag was used before; draw another.
        """
        ...

    def get(self, project_id: str) -> Project:
        """Return a project.

        Raises:
            ProjectUnknown: No project has this id.
        """
        ...

    def list(self) -> Sequence[Project]:
        """Return all projects by id."""
        ...

    def change_state(
        self,
        project_id: str,
        *,
        old: ProjectState,
        new: ProjectState,
        audit: AuditEvent,
    ) -> None:
        """Compare and set the state.

        Raises:
            StateConflict: The state is not ``old`` any more.
        """
        ...


class KeyRowStore(Protocol):
    """Keeps wrapped, signed roots; a row is never changed once written."""

    def add(self, row: KeyRow, audit: AuditEvent) -> None:
        """Store a row.

        Raises:
            StateConflict: The owner has a row of this purpose and version; read it.
        """
        ...

    def newest(self, owner: str, purpose: RootPurpose) -> KeyRow | None:
        """Return the row with the highest version, or None."""
        ...

    def get(self, owner: str, purpose: RootPurpose, version: int) -> KeyRow | None:
        """Return one row, or None."""
        ...

    def versions(self, owner: str, purpose: RootPurpose) -> Sequence[KeyRow]:
        """Return every row by version."""
        ...
