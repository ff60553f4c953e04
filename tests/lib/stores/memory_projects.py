"""Projects and their key rows in memory, and the trail that every store writes."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import ProjectExists, ProjectUnknown, StateConflict
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.project import Closing, Project, ProjectState


@dataclass
class Trail:
    """What every store records, in order."""

    events: list[AuditEvent] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events]


class MemoryKeyRows:
    """``KeyRowStore``; ``rows`` may be tampered with."""

    def __init__(self, trail: Trail) -> None:
        self.rows: dict[tuple[str, RootPurpose, int], KeyRow] = {}
        self.overlaps: dict[str, datetime | None] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def rotate(
        self, row: KeyRow, *, overlap_until: datetime | None, audit: AuditEvent
    ) -> None:
        self.add(row, audit)
        self.overlaps[row.owner] = overlap_until

    def add(self, row: KeyRow, audit: AuditEvent) -> None:
        with self._lock:
            place = (row.owner, row.purpose, row.version)
            if place in self.rows:
                msg = "the row exists"
                raise StateConflict(msg)
            self.rows[place] = row
            self._trail.events.append(audit)

    def newest(self, owner: str, purpose: RootPurpose) -> KeyRow | None:
        return max(self.versions(owner, purpose), key=_read_version, default=None)

    def get(self, owner: str, purpose: RootPurpose, version: int) -> KeyRow | None:
        return self.rows.get((owner, purpose, version))

    def versions(self, owner: str, purpose: RootPurpose) -> Sequence[KeyRow]:
        with self._lock:
            found = [
                row for place, row in self.rows.items() if place[:2] == (owner, purpose)
            ]
        return sorted(found, key=_read_version)


def _read_version(row: KeyRow) -> int:
    return row.version


class MemoryProjects:
    """``ProjectStore``; ``taken`` are tags that other projects have."""

    def __init__(self, rows: MemoryKeyRows, trail: Trail) -> None:
        self.projects: dict[str, Project] = {}
        self.certificates: dict[str, SignedStatement] = {}
        self.refuse_tags = 0
        self._rows = rows
        self._trail = trail

    def create(
        self, project: Project, keys: Sequence[KeyRow], audit: AuditEvent
    ) -> None:
        if project.project_id in self.projects:
            msg = "it exists"
            raise ProjectExists(msg)
        if self.refuse_tags:
            self.refuse_tags -= 1
            msg = "the tag is taken"
            raise StateConflict(msg)
        self.projects[project.project_id] = project
        for row in keys:
            self._rows.rows[row.owner, row.purpose, row.version] = row
        self._trail.events.append(audit)

    def get(self, project_id: str) -> Project:
        if project_id not in self.projects:
            msg = f"no project {project_id}"
            raise ProjectUnknown(msg)
        overlap_until = self._rows.overlaps.get(project_id)
        return replace(self.projects[project_id], overlap_until=overlap_until)

    def list(self) -> Sequence[Project]:
        return [self.projects[name] for name in sorted(self.projects)]

    def change_state(
        self,
        project_id: str,
        *,
        old: ProjectState,
        new: ProjectState,
        audit: AuditEvent,
    ) -> None:
        project = self.get(project_id)
        if project.state is not old:
            msg = "it moved"
            raise StateConflict(msg)
        self.projects[project_id] = replace(project, state=new)
        self._trail.events.append(audit)

    def begin_closing(
        self,
        project_id: str,
        *,
        old: ProjectState,
        closing: Closing,
        audit: AuditEvent,
    ) -> None:
        self.change_state(project_id, old=old, new=ProjectState.CLOSING, audit=audit)
        self._keep(project_id, closing=closing)

    def agree_to_closing(
        self, project_id: str, *, closing: Closing, audit: AuditEvent
    ) -> None:
        expected = replace(closing, agreed_by=None, agreed_at=None)
        if self.get(project_id).closing != expected:
            msg = "it moved"
            raise StateConflict(msg)
        self._keep(project_id, closing=closing)
        self._trail.events.append(audit)

    def cancel_closing(
        self, project_id: str, *, closing: Closing, audit: AuditEvent
    ) -> None:
        old, new = ProjectState.CLOSING, ProjectState.SUSPENDED
        assert self.get(project_id).closing == closing
        self.change_state(project_id, old=old, new=new, audit=audit)
        self._keep(project_id, closing=None)

    def destroy(
        self, project_id: str, *, certificate: SignedStatement, audit: AuditEvent
    ) -> None:
        old, new = ProjectState.CLOSING, ProjectState.DESTROYED
        self.change_state(project_id, old=old, new=new, audit=audit)
        for place in [key for key in self._rows.rows if key[0] == project_id]:
            del self._rows.rows[place]
        self.certificates[project_id] = certificate

    def find_certificate(self, project_id: str) -> SignedStatement | None:
        return self.certificates.get(project_id)

    def _keep(self, project_id: str, *, closing: Closing | None) -> None:
        self.projects[project_id] = replace(self.projects[project_id], closing=closing)
