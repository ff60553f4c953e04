"""Linkage requests over SQL: what was asked, where each stands, sealed results."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import (
    linkage_requests,
    linkage_results,
    linkage_subjects,
)
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.stores.linkage_request_rows import (
    count_shared,
    describe_unknown,
    find_ended,
    insert_request,
    names_project,
    read_request,
    require_request,
    set_state,
)
from pseudo_service.adapters.sql.stores.sealed_rows import (
    delete_present,
    estimate_write_seconds,
)
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState
from pseudo_service.ports.linkage_requests import (
    KeptResult,
    OverlappingRequest,
    StoredRequest,
)


class SqlRequests:
    """``RequestStore`` over SQL."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def add(self, request: LinkageRequest, audit: Sequence[AuditEvent]) -> None:
        """Store a request; see ``RequestStore.add``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            insert_request(connection, request)
            return audit

        longer = estimate_write_seconds(rows=len(request.subjects), size=0)
        self._database.write(apply, extra_patience=longer).wait()

    def get(self, request_id: str) -> StoredRequest:
        """Return a request with its subjects; see ``RequestStore.get``."""
        query = select(linkage_requests).where(
            linkage_requests.c.request_id == request_id
        )
        subjects = select(linkage_subjects.c.subject).where(
            linkage_subjects.c.request_id == request_id
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise describe_unknown()
            # sorted here: databases order text by rules of their own
            return read_request(row, sorted(connection.scalars(subjects)))

    def list(
        self,
        project: str,
        *,
        states: Sequence[LinkageState],
        before: int | None,
        limit: int,
    ) -> Sequence[StoredRequest]:
        """Return requests newest first; see ``RequestStore.list``."""
        query = (
            select(linkage_requests)
            .where(names_project(project))
            .order_by(linkage_requests.c.position.desc())
            .limit(limit)
        )
        if states:
            query = query.where(linkage_requests.c.state.in_(list(states)))
        if before is not None:
            query = query.where(linkage_requests.c.position < before)
        with self._database.read() as connection:
            return [read_request(row) for row in connection.execute(query)]

    def find_overlaps(
        self, request: LinkageRequest, *, limit: int
    ) -> Sequence[OverlappingRequest]:
        """Return requests that share subjects; see ``RequestStore.find_overlaps``.

        Requests that share equally many come newest first, without their subjects. The
        request itself need not be stored.
        """
        with self._database.read() as connection:
            shared = count_shared(connection, request.subjects)
            query = (
                select(linkage_requests, shared.c.shared)
                .join(shared, shared.c.request_id == linkage_requests.c.request_id)
                .where(
                    names_project(request.terms.project),
                    linkage_requests.c.request_id != request.request_id,
                )
                .order_by(shared.c.shared.desc(), linkage_requests.c.position.desc())
                .limit(limit)
            )
            return [
                OverlappingRequest(stored=read_request(row), shared=row.shared)
                for row in connection.execute(query)
            ]

    def change_state(
        self,
        request_id: str,
        *,
        old: LinkageState,
        new: LinkageState,
        at: datetime,
        audit: Sequence[AuditEvent],
    ) -> None:
        """Compare and set the state; see ``RequestStore.change_state``.

        Raises:
            RequestUnknown: There is no such request.
        """

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            set_state(connection, request_id, old=old, new=new, at=at)
            return audit

        self._database.write(apply).wait()

    def keep_result(
        self, request_id: str, result: KeptResult, audit: Sequence[AuditEvent]
    ) -> None:
        """Store a sealed result; see ``RequestStore.keep_result``."""
        values = {
            "request_id": request_id,
            "sealed": result.sealed,
            "available_until": result.available_until,
        }

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            require_request(connection, request_id)
            if not insert_absent(connection, linkage_results, values):
                msg = "linkage request: its result is kept already; fetch that one"
                raise StateConflict(msg)
            return audit

        longer = estimate_write_seconds(rows=len(audit), size=len(result.sealed))
        self._database.write(apply, extra_patience=longer).wait()

    def read_result(self, request_id: str) -> KeptResult | None:
        """Return the kept result, or None."""
        query = select(linkage_results).where(
            linkage_results.c.request_id == request_id
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return KeptResult(sealed=row.sealed, available_until=row.available_until)

    def drop_results(self, *, before: datetime) -> int:
        """Delete results by their end; see ``RequestStore.drop_results``."""
        dropped = 0

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            nonlocal dropped
            ended = find_ended(connection, before)
            dropped = delete_present(connection, linkage_results.c.request_id, ended)
            return ()

        self._database.write(apply).wait()
        return dropped
