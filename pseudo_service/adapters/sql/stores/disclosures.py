"""Sealed disclosures over SQL, as the linkage identity reads and rewrites them."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.paging import find_page_end
from pseudo_service.adapters.sql.schema import disclosures
from pseudo_service.adapters.sql.stores.sealed_rows import (
    delete_all,
    estimate_write_seconds,
    insert_data_keys,
    insert_disclosure,
    read_count,
)
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.disclosures.disclosure import Disclosure, DisclosureUse
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.register.segments import DataKeyRow

LARGEST_PAGE = 2000
PAGE_BYTES = 16 << 20
"""A disclosure of a million people takes up to 8 MB, one of a unary call 40 bytes."""


class SqlDisclosures:
    """``DisclosureStore`` over SQL.

    New disclosures get higher positions than those that they replace, so a
    reader meanwhile sees each of them, old or new, at least once.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def read(self, *, project: ProjectId | None) -> Iterator[Disclosure]:
        """Yield disclosures in pages; see ``DisclosureStore.read``.

        No transaction is open while the caller works on what it was given.
        """
        after = 0
        while (found := self._read_page(project, after=after)) is not None:
            after, page = found
            yield from map(_read_disclosure, page)

    def replace(
        self,
        *,
        old: Sequence[str],
        new: Sequence[Disclosure],
        data_keys: Sequence[DataKeyRow],
        audit: Sequence[AuditEvent],
    ) -> None:
        """Put new disclosures in the place of old; see ``DisclosureStore.replace``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            made = insert_data_keys(connection, data_keys)
            delete_all(connection, disclosures.c.membership_id, old)
            for disclosure in new:
                insert_disclosure(connection, disclosure)
            return (*made, *audit)

        size = sum(len(one.sealed) for one in new)
        longer = estimate_write_seconds(rows=len(old) + len(new), size=size)
        self._database.write(apply, extra_patience=longer).wait()

    def _read_page(
        self, project: ProjectId | None, *, after: int
    ) -> tuple[int, Sequence[Row[Any]]] | None:
        """Return a page and its end, or None; it may be empty before the last.

        What is deleted while it is read was stored again behind it.
        """
        wanted = disclosures.c.position > after
        if project is not None:
            wanted &= disclosures.c.project == project
        query = select(disclosures).order_by(disclosures.c.position)
        with self._database.read() as connection:
            end = find_page_end(
                connection,
                disclosures,
                length=func.length(disclosures.c.sealed),
                condition=wanted,
                rows=LARGEST_PAGE,
                size=PAGE_BYTES,
            )
            if end is None:
                return None
            page = query.where(wanted, disclosures.c.position <= end)
            return end, connection.execute(page).all()


def _read_disclosure(row: Row[Any]) -> Disclosure:
    return Disclosure(
        disclosure_id=row.membership_id,
        project=ProjectId(row.project),
        kind=row.kind,
        use=DisclosureUse(row.use),
        key_version=KeyVersion(row.key_version),
        operation=OperationId(row.operation),
        recorded_at=row.recorded_at,
        count=read_count(row),
        data_key_id=row.data_key_id,
        nonce=row.nonce,
        sealed=row.sealed,
        mac=row.mac,
    )
