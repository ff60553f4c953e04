"""Registered policies over SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import policies
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.stores.projects import require_project
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import PolicyExists, PolicyUnknown
from pseudo_service.ports.policies import StoredPolicy


class SqlPolicies:
    """``PolicyStore`` over SQL."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def add(self, policy: StoredPolicy, audit: AuditEvent) -> None:
        """Store a policy; see ``PolicyStore.add``.

        Raises:
            ProjectUnknown: The policy's project does not exist.
            PolicyExists: Another digest stands under this release and number.
        """

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            return (audit,) if _insert_policy(connection, policy) else ()

        self._database.write(apply).wait()

    def get(self, project: str, release: str, number: int) -> StoredPolicy:
        """Return a policy; see ``PolicyStore.get``."""
        query = select(policies).where(_is_at(project, release, number))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            msg = (
                f"policy {project}/{release}@{number} is not registered: "
                "`pseudo policy list` names all"
            )
            raise PolicyUnknown(msg)
        return _read_policy(row)

    def list(self, project: str) -> Sequence[StoredPolicy]:
        """Return a project's policies by release and number."""
        query = select(policies).where(policies.c.project == project)
        with self._database.read() as connection:
            found = [_read_policy(row) for row in connection.execute(query)]
        return sorted(found, key=lambda policy: (policy.release, policy.number))


def _insert_policy(connection: Connection, policy: StoredPolicy) -> bool:
    require_project(connection, policy.project)
    values = {
        "project": policy.project,
        "release": policy.release,
        "number": policy.number,
        "text": policy.text,
        "digest": policy.digest,
        "registered_at": policy.registered_at,
        "registered_by": policy.registered_by,
    }
    if insert_absent(connection, policies, values):
        return True
    place = _is_at(policy.project, policy.release, policy.number)
    if connection.scalar(select(policies.c.digest).where(place)) != policy.digest:
        msg = (
            f"policy {policy.project}/{policy.release}@{policy.number} is registered "
            "with another text: give the new text the next number"
        )
        raise PolicyExists(msg)
    return False


def _is_at(project: str, release: str, number: int) -> ColumnElement[bool]:
    return and_(
        policies.c.project == project,
        policies.c.release == release,
        policies.c.number == number,
    )


def _read_policy(row: Row[Any]) -> StoredPolicy:
    return StoredPolicy(
        project=row.project,
        release=row.release,
        number=row.number,
        text=row.text,
        digest=row.digest,
        registered_at=row.registered_at,
        registered_by=row.registered_by,
    )
