"""Pages of rows whose size differs a thousandfold, so that memory stays bounded."""

from sqlalchemy import ColumnElement, Connection, Table, select


def find_page_end(
    connection: Connection,
    table: Table,
    *,
    length: ColumnElement[int],
    condition: ColumnElement[bool],
    rows: int,
    size: int,
) -> int | None:
    """Return the last position of the next page, or None if no row is left.

    Both databases tell the length of a stored value without reading it.

    Args:
        connection: Where to look.
        table: A table whose rows have a ``position``.
        length: How many bytes a row has.
        condition: Which rows are left.
        rows: How many rows at most.
        size: How many bytes at most, unless a single row has more.
    """
    query = (
        select(table.c.position, length.label("bytes"))
        .where(condition)
        .order_by(table.c.position)
        .limit(rows)
    )
    end: int | None = None
    for row in connection.execute(query):
        size -= row.bytes
        if size < 0 and end is not None:
            return end
        end = row.position
    return end
