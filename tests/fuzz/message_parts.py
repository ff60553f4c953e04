"""Where the parts of an encapsulated Arrow message lie (Message.fbs, Schema.fbs)."""

import struct
from dataclasses import dataclass

import flatbuffers.encode
import flatbuffers.number_types
import flatbuffers.packer
import flatbuffers.table

EXTREMES = (0, 1, -1, 12, 13, 2**31 - 1, -(2**31), 2**32, 2**63 - 1, -(2**63), 1000)
_PREFIX = 8  # the mark of a continuation, and the length of the metadata
_HEADER, _BODY_LENGTH = 8, 10
_LENGTH, _NODES, _BUFFERS = 4, 6, 8
_STRUCT = 16  # a FieldNode and a Buffer are two numbers of eight bytes each


@dataclass(frozen=True)
class MessageParts:
    """Places in the bytes of a message.

    ``body`` is where the metadata end; ``numbers`` are where these keep numbers of
    eight bytes; ``buffers`` are what the columns' buffers fill.
    """

    body: int
    numbers: list[int]
    buffers: list[range]


def find_rows(data: bytes) -> int:
    """Return the rows that a message states, which may be damaged."""
    _, batch, _ = _open_tables(data)
    slot = batch.Offset(_LENGTH)
    flags = flatbuffers.number_types.Int64Flags
    return int(batch.Get(flags, slot + batch.Pos)) if slot else 0


def find_parts(data: bytes) -> MessageParts:
    """Return the parts of a record batch's message that is sound."""
    envelope, batch, body = _open_tables(data)
    nodes, places = _list_structs(batch, _NODES), _list_structs(batch, _BUFFERS)
    buffers = []
    for place in places:
        offset, length = struct.unpack_from("<qq", data, _PREFIX + place)
        buffers.append(range(body + offset, body + offset + length))
    numbers = [_PREFIX + at + part for at in [*nodes, *places] for part in (0, 8)]
    for table, slot in ((batch, _LENGTH), (envelope, _BODY_LENGTH)):
        if table.Offset(slot):
            numbers.append(_PREFIX + table.Offset(slot) + table.Pos)
    return MessageParts(body=body, numbers=numbers, buffers=buffers)


def _open_tables(
    data: bytes,
) -> tuple[flatbuffers.table.Table, flatbuffers.table.Table, int]:
    """Return the message's table, its batch's, and where the body begins."""
    (size,) = struct.unpack_from("<i", data, 4)
    metadata = data[_PREFIX : _PREFIX + size]
    start = flatbuffers.encode.Get(flatbuffers.packer.uoffset, metadata, 0)
    envelope = flatbuffers.table.Table(metadata, start)
    batch = flatbuffers.table.Table(metadata, 0)
    envelope.Union(batch, envelope.Offset(_HEADER))
    return envelope, batch, _PREFIX + size


def _list_structs(table: flatbuffers.table.Table, slot: int) -> list[int]:
    offset = table.Offset(slot)
    if not offset:
        return []
    start = table.Vector(offset)
    return [start + _STRUCT * place for place in range(table.VectorLen(offset))]
