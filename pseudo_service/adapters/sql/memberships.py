"""Sealed memberships over SQL, as the linkage identity reads and rewrites them."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.sealed_rows import (
    allow_seconds,
    delete_all,
    insert_data_keys,
    insert_membership,
    read_count,
)
from pseudo_service.adapters.sql.tables import memberships
from pseudo_service.core.audit import AuditEvent
from pseudo_service.core.membership import Membership, MembershipUse
from pseudo_service.core.register import DataKeyRow

FIRST_PAGE = 4
LARGEST_PAGE = 2000
PAGE_BYTES = 16 << 20
"""A membership of a million people takes up to 8 MB, one of a unary call 40 bytes."""


class SqlMemberships:
    """``MembershipStore`` over SQL.

    New memberships get higher positions than those that they replace, so whoever
    reads meanwhile sees each of them, old or new, at least once.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def read(self, *, project: str | None) -> Iterator[Membership]:
        """Yield memberships in pages; see ``MembershipStore.read``.

        No transaction is open while the caller works on what it was given.
        """
        after, page_rows = 0, FIRST_PAGE
        while True:
            rows = self._read_page(project, after=after, rows=page_rows)
            page = [_read_membership(row) for row in rows]
            yield from page
            if len(page) < page_rows:
                return
            after = rows[-1].position
            page_rows = _size_page(page)

    def replace(
        self,
        *,
        old: Sequence[str],
        new: Sequence[Membership],
        data_keys: Sequence[DataKeyRow],
        audit: Sequence[AuditEvent],
    ) -> None:
        """Put new memberships in the place of old; see ``MembershipStore.replace``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            made = insert_data_keys(connection, data_keys)
            delete_all(connection, memberships.c.membership_id, old)
            for membership in new:
                insert_membership(connection, membership)
            return (*made, *audit)

        size = sum(len(one.sealed) for one in new)
        longer = allow_seconds(rows=len(old) + len(new), size=size)
        self._database.write(apply, extra_patience=longer).wait()

    def _read_page(
        self, project: str | None, *, after: int, rows: int
    ) -> Sequence[Row[Any]]:
        query = (
            select(memberships)
            .where(memberships.c.position > after)
            .order_by(memberships.c.position)
            .limit(rows)
        )
        if project is not None:
            query = query.where(memberships.c.project == project)
        with self._database.read() as connection:
            return connection.execute(query).all()


def _size_page(page: Sequence[Membership]) -> int:
    """Return how many rows like these make a page of about ``PAGE_BYTES``."""
    size = sum(len(found.sealed) for found in page)
    fitting = PAGE_BYTES * len(page) // max(1, size)
    # no more than four times as many: large ones may follow small ones
    return min(LARGEST_PAGE, max(1, min(fitting, 4 * len(page))))


def _read_membership(row: Row[Any]) -> Membership:
    return Membership(
        membership_id=row.membership_id,
        project=row.project,
        kind=row.kind,
        use=MembershipUse(row.use),
        key_version=row.key_version,
        operation=row.operation,
        recorded_at=row.recorded_at,
        count=read_count(row),
        data_key_id=row.data_key_id,
        nonce=row.nonce,
        sealed=row.sealed,
        mac=row.mac,
    )
