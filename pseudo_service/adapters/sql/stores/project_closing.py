"""The end of a project in SQL, statement by statement, in its caller's transaction."""

from sqlalchemy import Connection, Update, delete, insert, select, update

from pseudo_service.adapters.sql.schema import closure_certificates, key_rows, projects
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.project import Closing, ProjectState


def keep_closing(connection: Connection, project_id: str, closing: Closing) -> None:
    """Store how a project closes; its state was set before."""
    connection.execute(
        update(projects)
        .where(projects.c.project_id == project_id)
        .values(_write_closing(closing))
    )


def keep_agreement(connection: Connection, project_id: str, closing: Closing) -> None:
    """Store who agreed, if nobody has and it is still the same closing."""
    agreed = _choose_same(project_id, closing).where(
        projects.c.closing_agreed_by.is_(None)
    )
    _require(connection, agreed.values(_write_closing(closing)), project_id)


def forget_closing(connection: Connection, project_id: str, closing: Closing) -> None:
    """Suspend a project that closes in this way, and forget that it was closing."""
    blank = dict.fromkeys(_write_closing(closing))
    cancelled = _choose_same(project_id, closing).values(
        state=ProjectState.SUSPENDED.value, **blank
    )
    _require(connection, cancelled, project_id)


def delete_keys(connection: Connection, project_id: str) -> None:
    """Delete every key row of a project, whatever its purpose."""
    connection.execute(delete(key_rows).where(key_rows.c.owner == project_id))


def keep_certificate(
    connection: Connection, project_id: str, signed: SignedStatement
) -> None:
    """Store the certificate of a project's end."""
    connection.execute(
        insert(closure_certificates).values(
            project=project_id,
            statement=signed.statement,
            signature=signed.signature,
            certificate=signed.certificate,
            certificate_signature=signed.certificate_signature,
            certificate_key_id=signed.certificate_key_id,
        )
    )


def read_certificate(connection: Connection, project_id: str) -> SignedStatement | None:
    """Return the certificate of a project's end, or None."""
    query = select(closure_certificates).where(
        closure_certificates.c.project == project_id
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return SignedStatement(
        statement=row.statement,
        signature=row.signature,
        certificate=row.certificate,
        certificate_signature=row.certificate_signature,
        certificate_key_id=row.certificate_key_id,
    )


def _choose_same(project_id: str, closing: Closing) -> Update:
    """Return an update of the project while it closes as it was read."""
    return update(projects).where(
        projects.c.project_id == project_id,
        projects.c.state == ProjectState.CLOSING.value,
        projects.c.closing_requested_by == closing.requested_by,
        projects.c.closing_requested_at == closing.requested_at,
    )


def _require(connection: Connection, change: Update, project_id: str) -> None:
    if connection.execute(change).rowcount == 0:
        msg = f"project {project_id}: its closing changed meanwhile: look at it again"
        raise StateConflict(msg)


def _write_closing(closing: Closing) -> dict[str, object]:
    return {
        "closing_requested_by": closing.requested_by,
        "closing_requested_at": closing.requested_at,
        "closing_reason": closing.reason,
        "closing_agreed_by": closing.agreed_by,
        "closing_agreed_at": closing.agreed_at,
        "closing_not_before": closing.not_before,
    }
