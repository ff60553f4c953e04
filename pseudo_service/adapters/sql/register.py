"""The sealed register over SQL, as ingestion reads it."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.identity import identify_database
from pseudo_service.adapters.sql.tables import data_keys, segments
from pseudo_service.core.register import DataKeyRow, Segment
from pseudo_service.ports.register import StoredSegment

FIRST_PAGE = 64
LARGEST_PAGE = 2000
PAGE_BYTES = 8 << 20
GAPS_KEPT = 512


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
        page_rows = FIRST_PAGE
        while True:
            page = self._read_page(after, page_rows)
            self._note_gaps(after, page)
            yield from page
            if len(page) < page_rows:
                return
            after = page[-1].position
            page_rows = _size_page(page)

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

    def _read_page(self, after: int, rows: int) -> list[StoredSegment]:
        query = (
            select(segments)
            .where(segments.c.position > after)
            .order_by(segments.c.position)
            .limit(rows)
        )
        with self._database.read() as connection:
            return [_read_segment(row) for row in connection.execute(query)]

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

    def _note_gaps(self, after: int, page: Sequence[StoredSegment]) -> None:
        gaps: list[int] = []
        for found in page:
            first = max(after + 1, found.position - GAPS_KEPT)
            gaps.extend(range(first, found.position))
            after = found.position
        if gaps:
            with self._gate:
                self._gaps = sorted({*self._gaps, *gaps})[-GAPS_KEPT:]


def _size_page(page: Sequence[StoredSegment]) -> int:
    """Return how many rows like these make a page of about ``PAGE_BYTES``."""
    size = sum(
        len(found.segment.sealed) + len(found.segment.blind_index) for found in page
    )
    return min(LARGEST_PAGE, max(8, PAGE_BYTES * len(page) // max(1, size)))


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
