"""Statements on the tables of linkage requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Row,
    Subquery,
    TableValuedAlias,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from pseudo_service.adapters.sql.schema import (
    linkage_requests,
    linkage_results,
    linkage_subjects,
)
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.stores.sealed_rows import cut
from pseudo_service.core.errors import RequestUnknown, StateConflict
from pseudo_service.core.linkage.request import (
    LinkageRequest,
    LinkageState,
    terms_from_fields,
    terms_to_fields,
)
from pseudo_service.ports.linkage_requests import StoredRequest

SUBJECTS_A_STATEMENT = 20_000
_RELEASES = {LinkageState.RELEASED, LinkageState.AWAITING_SECOND_REVIEW}


def describe_unknown() -> RequestUnknown:
    """Return the error of a request that is not stored, without repeating its id."""
    msg = "linkage request: there is none of this id; `pseudo linkage list` names all"
    return RequestUnknown(msg)


def require_request(connection: Connection, request_id: str) -> None:
    """Raise unless the request is stored."""
    query = select(linkage_requests.c.position).where(
        linkage_requests.c.request_id == request_id
    )
    if connection.scalar(query) is None:
        raise describe_unknown()


def insert_request(connection: Connection, request: LinkageRequest) -> None:
    """Insert a request and its subjects.

    Raises:
        StateConflict: A request has this id.
    """
    if not insert_absent(connection, linkage_requests, _write_request(request)):
        msg = "linkage request: one of this id is stored; draw another id"
        raise StateConflict(msg)
    for part in cut(request.subjects, SUBJECTS_A_STATEMENT):
        listed = _list_texts(connection, part)
        rows = select(literal(request.request_id), listed.c.value)
        connection.execute(
            insert(linkage_subjects).from_select(["request_id", "subject"], rows)
        )


def set_state(
    connection: Connection,
    request_id: str,
    *,
    old: LinkageState,
    new: LinkageState,
    at: datetime,
) -> None:
    """Compare and set the state; of two calls that race, the second finds it changed.

    Raises:
        RequestUnknown: There is no such request.
        StateConflict: The state is not ``old``.
    """
    values: dict[str, object] = {"state": new.value}
    if old is LinkageState.APPROVED and new in _RELEASES:
        values["released_at"] = at
    changed = connection.execute(
        update(linkage_requests)
        .where(
            linkage_requests.c.request_id == request_id,
            linkage_requests.c.state == old.value,
        )
        .values(values)
    )
    if changed.rowcount == 0:
        require_request(connection, request_id)
        msg = f"linkage request: it is not {old} any more; read its state again"
        raise StateConflict(msg)


def find_ended(connection: Connection, before: datetime) -> list[str]:
    """Return the requests whose results were available until earlier.

    Times are compared here, because the database stores them as texts, which have no
    order across zones.
    """
    query = select(linkage_results.c.request_id, linkage_results.c.available_until)
    return [
        row.request_id
        for row in connection.execute(query)
        if row.available_until < before
    ]


def count_shared(connection: Connection, subjects: Sequence[str]) -> Subquery:
    """Return how many of the subjects each request lists."""
    wanted = _list_texts(connection, subjects)
    return (
        select(linkage_subjects.c.request_id, func.count().label("shared"))
        .join(wanted, wanted.c.value == linkage_subjects.c.subject)
        .group_by(linkage_subjects.c.request_id)
        .subquery()
    )


def names_project(project: str) -> ColumnElement[bool]:
    """Return the condition that a request has the project as its own or its target."""
    return or_(
        linkage_requests.c.project == project,
        linkage_requests.c.target_project == project,
    )


def read_request(row: Row[Any], subjects: Sequence[str] = ()) -> StoredRequest:
    """Return a row as a request."""
    request = LinkageRequest(
        request_id=row.request_id,
        requester=row.requester,
        submitted_at=row.submitted_at,
        terms=terms_from_fields(terms_to_fields(row)),
        subjects=tuple(subjects),
    )
    return StoredRequest(
        position=row.position,
        request=request,
        digest=row.digest,
        state=LinkageState(row.state),
        released_at=row.released_at,
    )


def _list_texts(connection: Connection, texts: Sequence[str]) -> TableValuedAlias:
    """Return texts as rows with a ``value``.

    They go to the database as one JSON value: a request may list 100,000, and a
    statement takes far fewer variables.
    """
    listed = literal(list(texts), JSON)
    if connection.dialect.name == "sqlite":
        return func.json_each(listed).table_valued("value")
    return func.json_array_elements_text(listed).table_valued("value")


def _write_request(request: LinkageRequest) -> dict[str, object]:
    return {
        **terms_to_fields(request.terms),
        "recipient_key": request.terms.recipient_key,
        "expires_at": request.terms.expires_at,
        "request_id": request.request_id,
        "requester": request.requester,
        "submitted_at": request.submitted_at,
        "digest": request.digest(),
        "state": LinkageState.SUBMITTED.value,
    }
