"""The sealed register over SQL, as ingestion reads it."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.identity import identify_database
from pseudo_service.adapters.sql.paging import find_page_end
from pseudo_service.adapters.sql.schema import data_keys, segments
from pseudo_service.core.register.segments import DataKeyRow, Segment
from pseudo_service.ports.register import StoredSegment

LARGEST_PAGE = 2000
PAGE_BYTES = 8 << 20
GAPS_KEPT = 512
_LENGTH = func.length(segments.c.sealed) + func.length(segments.c.blind_index)


class SqlRegister:
    """``RegisterStore`` over SQL.

    On PostgreSQL a position is given before its transaction commits, so a lower
    one may appear after a higher one was read. This class remembers the positions
    that it found missing (the newest ``GAPS_KEPT``) and asks for them again with
    each read, so that a late segment is yielded to the next reader, out of order
    but once. What a reader still misses it registers again, which is harmless.
    On SQLite one writer holds the lock until it commits, and there are no gaps.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database
        self._gate = threading.Lock()
        self._gaps: list[int] = []

    def database_id(self) -> str:
        """Return the identity of the database; see ``RegisterStore.database_id``."""
        with self._database.read() as connection:
            return identify_database(connection)

    def read_segments(self, *, after: int) -> Iterator[StoredSegment]:
        """Yield segments in pages; see ``RegisterStore.read_segments``.

        No transaction is open while the caller works on what it was given.
        """
        yield from self._read_late(after)
        while (found := self._read_page(after)) is not None:
            end, page = found
            self._note_gaps(after, page, end)
            yield from page
            after = end

    def read_data_keys(self) -> Iterator[DataKeyRow]:
        """Yield every data key row, in pages."""
        after = ""
        while True:
            query = (
                select(data_keys)
                .where(data_keys.c.data_key_id > after)
                .order_by(data_keys.c.data_key_id)
                .limit(LARGEST_PAGE)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from map(_read_data_key, rows)
            if len(rows) < LARGEST_PAGE:
                return
            after = rows[-1].data_key_id

    def _read_page(self, after: int) -> tuple[int, list[StoredSegment]] | None:
        """Return a page and its end, or None; it may be empty before the last.

        What is deleted while it is read was stored again behind it.
        """
        wanted = segments.c.position > after
        query = select(segments).order_by(segments.c.position)
        with self._database.read() as connection:
            end = find_page_end(
                connection,
                segments,
                length=_LENGTH,
                condition=wanted,
                rows=LARGEST_PAGE,
                size=PAGE_BYTES,
            )
            if end is None:
                return None
            page = query.where(wanted, segments.c.position <= end)
            return end, [_read_segment(row) for row in connection.execute(page)]

    def _read_late(self, after: int) -> list[StoredSegment]:
        with self._gate:
            wanted = [position for position in self._gaps if position <= after]
        if not wanted:
            return []
        query = select(segments).where(segments.c.position.in_(wanted))
        with self._database.read() as connection:
            found = [_read_segment(row) for row in connection.execute(query)]
        filled = {late.position for late in found}
        with self._gate:
            self._gaps = [gap for gap in self._gaps if gap not in filled]
        return sorted(found, key=lambda late: late.position)

    def _note_gaps(self, after: int, page: Sequence[StoredSegment], end: int) -> None:
        gaps: list[int] = []
        for position in (*(found.position for found in page), end + 1):
            first = max(after + 1, position - GAPS_KEPT)
            gaps.extend(range(first, position))
            after = position
        if gaps:
            with self._gate:
                self._gaps = sorted({*self._gaps, *gaps})[-GAPS_KEPT:]


def _read_segment(row: Row[Any]) -> StoredSegment:
    segment = Segment(
        segment_id=row.segment_id,
        kind=row.kind,
        # "count" is also a method of rows
        count=row._mapping["count"],  # noqa: SLF001 - SQLAlchemy's public accessor
        data_key_id=row.data_key_id,
        nonce=row.nonce,
        sealed=row.sealed,
        blind_index=row.blind_index,
        mac=row.mac,
    )
    return StoredSegment(position=row.position, segment=segment)


def _read_data_key(row: Row[Any]) -> DataKeyRow:
    return DataKeyRow(
        data_key_id=row.data_key_id,
        wrapping_key_id=row.wrapping_key_id,
        wrapped=row.wrapped,
        created_at=row.created_at,
    )
