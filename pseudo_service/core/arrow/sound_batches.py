"""Batches from outside, made safe for every kernel of Arrow that reads them.

Arrow leaves undefined what lies in the slot of a null, so its validation does not look
there. Its casts of views do: they add up the lengths under nulls, too, reserve so many
bytes and then write what is not null without a check. A negative length under a null
has them write past the end of what they reserved. So a view under a null is emptied
here, and a column of views reaches no kernel unless each of its slots states bytes
that it has.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.errors import BatchMalformed, BatchTooLarge, name_field

_VIEW_BYTES = 16
_CORRUPT = "batch: its buffers are corrupt; write the batch again and resend"


def make_sound(batch: pa.RecordBatch, *, most_text_bytes: int) -> pa.RecordBatch:
    """Return a batch of the same values of which every slot may be read.

    Args:
        batch: As Arrow read it; nothing of it is trusted.
        most_text_bytes: How many bytes the text views of all columns may state. All
            views may point at the same few bytes.

    Raises:
        BatchMalformed: A buffer is missing, too short or says what cannot be, or
            views are inside of another type.
        BatchTooLarge: Its views state more bytes than they may.
    """
    try:
        batch.validate()
    except (pa.ArrowException, ValueError):
        raise BatchMalformed(_CORRUPT) from None
    for position, field in enumerate(batch.schema):
        if _nests_views(field.type):
            shown = name_field(field.name, position)
            msg = f"batch: column {shown} nests text views; send plain text"
            raise BatchMalformed(msg)
    columns = [_empty_nulls(column) for column in batch.columns]
    _check_stated_bytes(columns, most_text_bytes)
    sound = pa.RecordBatch.from_arrays(columns, schema=batch.schema)
    try:
        sound.validate(full=True)
    except (pa.ArrowException, ValueError):
        raise BatchMalformed(_CORRUPT) from None
    return sound


def _empty_nulls(column: pa.Array) -> pa.Array:
    """Return a column of which no view under a null states any bytes."""
    if not _is_view(column.type) or not column.null_count:
        return column
    validity, _, *data = column.buffers()
    views = _read_views(column).copy()
    views[column.is_null().to_numpy(zero_copy_only=False)] = 0
    rows = np.zeros((column.offset + len(column), 4), np.int32)
    rows[column.offset :] = views  # where the bits of the validity have them, too
    return pa.Array.from_buffers(
        column.type,
        len(column),
        [validity, pa.py_buffer(rows), *data],
        column.null_count,
        column.offset,
    )


def _check_stated_bytes(columns: list[pa.Array], most: int) -> None:
    """Refuse views that say much of a few bytes, before their text is looked at.

    To look at it is what would take minutes.
    """
    stated = 0
    for column in columns:
        if _is_view(column.type):
            lengths = _read_views(column)[:, 0]
            if lengths.size and int(lengths.min()) < 0:
                raise BatchMalformed(_CORRUPT)
            stated += int(lengths.sum(dtype=np.int64))
    if stated > most:
        msg = (
            f"batch: its text views state more than {most} bytes; "
            "send plain text, or cut the batch smaller"
        )
        raise BatchTooLarge(msg)


def _read_views(column: pa.Array) -> npt.NDArray[np.int32]:
    """Return the views (n, 4): of each the length, then bytes or where they are."""
    views = column.buffers()[1]
    needed = (column.offset + len(column)) * _VIEW_BYTES
    if views is None or views.size < needed:
        if not len(column):
            return np.empty((0, 4), np.int32)
        raise BatchMalformed(_CORRUPT)
    rows = np.frombuffer(views, np.int32, needed // 4).reshape(-1, 4)
    return rows[column.offset :]


def _nests_views(kind: pa.DataType) -> bool:
    """Say whether views are inside a type, which is not one of views itself."""
    inner = [kind.field(place).type for place in range(kind.num_fields)]
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        inner = [kind.value_type]
    if isinstance(kind, pa.BaseExtensionType):
        inner = [kind.storage_type]
    return any(_is_view(each) or _nests_views(each) for each in inner)


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))
