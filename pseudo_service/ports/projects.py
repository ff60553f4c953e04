"""Projects and their key rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.project import Closing, Project, ProjectState


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

    def begin_closing(
        self,
        project_id: str,
        *,
        old: ProjectState,
        closing: Closing,
        audit: AuditEvent,
    ) -> None:
        """Compare the state, set it to closing, and keep how it closes.

        Raises:
            StateConflict: The state is not ``old`` any more.
        """
        ...

    def agree_to_closing(
        self, project_id: str, *, closing: Closing, audit: AuditEvent
    ) -> None:
        """Keep the second custodian's word in the closing that they were shown.

        Raises:
            StateConflict: It is another closing, none, or one that was agreed to.
        """
        ...

    def cancel_closing(
        self, project_id: str, *, closing: Closing, audit: AuditEvent
    ) -> None:
        """Suspend a closing project and forget its closing.

        Raises:
            StateConflict: It is another closing, or none.
        """
        ...

    def destroy(
        self, project_id: str, *, certificate: SignedStatement, audit: AuditEvent
    ) -> None:
        """Delete all key rows of a closing project, for ever, and keep its certificate.

        Raises:
            StateConflict: It is not closing any more.
        """
        ...

    def find_certificate(self, project_id: str) -> SignedStatement | None:
        """Return a destroyed project's certificate, or None."""
        ...


class KeyRowStore(Protocol):
    """Keeps wrapped, signed roots; a row is never changed once written."""

    def add(self, row: KeyRow, audit: AuditEvent) -> None:
        """Store a row.

        Raises:
            StateConflict: The owner has a row of this purpose and version; read it.
        """
        ...

    def rotate(
        self, row: KeyRow, *, overlap_until: datetime | None, audit: AuditEvent
    ) -> None:
        """Store a project's next row and its window of overlap in one transaction.

        Raises:
            StateConflict: The project has a row of this version, or is not active.
        """
        ...

    def newest(self, owner: str, purpose: RootPurpose) -> KeyRow | None:
        """Return the row with the highest version, or None."""
        ...

    def get(
        self, owner: str, purpose: RootPurpose, version: KeyVersion
    ) -> KeyRow | None:
        """Return one row, or None."""
        ...

    def versions(self, owner: str, purpose: RootPurpose) -> Sequence[KeyRow]:
        """Return every row by version."""
        ...
