"""A new version of a project's pseudonym key. Dates keep their root for ever."""

from datetime import datetime, timedelta
from typing import Final

from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import InvalidArgument, KeyUnknown, StateConflict
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.projects import KeyRowStore, ProjectStore

LONGEST_OVERLAP: Final = 366
"""Days in which old and new pseudonyms may be answered side by side."""


class KeyRotation:
    """Makes the next version; streams that are open keep the one they pinned."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        rows: KeyRowStore,
        key_ring: KeyRing,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._projects = projects
        self._rows = rows
        self._key_ring = key_ring
        self._clock = clock
        self._access_control = access_control

    def rotate(
        self,
        project_id: ProjectId,
        *,
        current_version: KeyVersion,
        reason: str,
        actor: Actor,
        overlap_days: int = 0,
    ) -> KeyRow:
        """Make and return the row of version ``current_version + 1``.

        For ``overlap_days`` tables may ask for the pseudonyms of the version before,
        too. A window that is still open from an earlier rotation ends.

        Raises:
            InvalidArgument: The overlap is too long.
            StateConflict: The current version is another, or somebody rotated first.
        """
        self._access_control.require(actor, Permission.MANAGE_KEYS)
        check_project_id(project_id)
        note = parse_justification("reason", reason)
        overlap_until = self._find_overlap(overlap_days)
        self._projects.get(project_id).check_active()
        newest = self._rows.newest(project_id, RootPurpose.PSEUDONYMS)
        if newest is None:
            msg = f"project {project_id} has no pseudonym key"
            raise KeyUnknown(msg)
        if newest.version != current_version:
            msg = (
                f"the current key version of {project_id} is {newest.version}, "
                f"not {current_version}: look with `pseudo project show`"
            )
            raise StateConflict(msg)
        row = self._key_ring.make_row(
            project_id, RootPurpose.PSEUDONYMS, version=KeyVersion(current_version + 1)
        )
        event = AuditEvent(
            kind=AuditKind.KEY_ROTATED,
            at=self._clock.now(),
            actor=actor.subject,
            project=project_id,
            details={
                "version": row.version,
                "check_value": row.check_value.hex(),
                "wrapping_key_id": row.wrapping_key_id,
                "reason": note,
                "overlap_until": overlap_until.isoformat() if overlap_until else None,
            },
        )
        self._rows.rotate(row, overlap_until=overlap_until, audit=event)
        return row

    def _find_overlap(self, days: int) -> datetime | None:
        if not 0 <= days <= LONGEST_OVERLAP:
            msg = f"overlap days: give 0 to {LONGEST_OVERLAP}"
            raise InvalidArgument(msg)
        return self._clock.now() + timedelta(days=days) if days else None
