"""Bytes that are no batch, over the wire: refused, never answered, never fatal."""

import random
import struct

import grpc
import pyarrow as pa
import pytest

from tests.lib.services.service import OpenService, RunningService
from tests.lib.services.wire import (
    Refusal,
    TableWire,
    make_end,
    make_header,
    make_message,
    refuse_table,
)
from tests.lib.values.cohort import SCHEMA, make_batch, make_batches, make_numbers

NUMBERS = make_numbers(2_000, 20)
BATCH = make_batch(NUMBERS)
ENCODED = BATCH.serialize().to_pybytes()
REFUSED = {"BATCH_MALFORMED", "SCHEMA_CHANGED", "BATCH_TOO_LARGE"}


def send_batch(
    service: RunningService, data: bytes | pa.RecordBatch, rows: int = 20
) -> Refusal:
    """Return how a stream with this one batch is refused; no answer may come."""
    stream = TableWire(service).send(make_header(), make_message(0, data, rows=rows))
    stream.open()
    refusal = stream.close().catch()
    assert not [number for number in NUMBERS if number in refusal.text]
    return refusal


def write_stream(batch: pa.RecordBatch, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def write_compressed(batch: pa.RecordBatch, codec: str) -> bytes:
    """Return a batch's message alone, with a compressed body."""
    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(write_stream(batch, codec)))
    messages = list(reader)
    assert messages[1].type == "record batch"
    return messages[1].serialize().to_pybytes()


def corrupt_offsets(column: str) -> bytes:
    """Return the batch with a text column whose offsets point far outside."""
    array = BATCH.column(column)
    _, offsets, data = array.buffers()
    broken = bytearray(offsets.to_pybytes())
    broken[4:8] = struct.pack("<i", 2**30)
    bad = pa.Array.from_buffers(
        pa.string(), len(array), [None, pa.py_buffer(bytes(broken)), data]
    )
    position = SCHEMA.get_field_index(column)
    return BATCH.set_column(position, column, bad).serialize().to_pybytes()


def break_text(column: str) -> bytes:
    """Return the batch with a text that is not UTF-8."""
    values = pa.array([b"\xff\xfe" + text.as_py().encode() for text in BATCH[column]])
    bad = pa.Array.from_buffers(pa.string(), len(values), values.buffers())
    position = SCHEMA.get_field_index(column)
    return BATCH.set_column(position, column, bad).serialize().to_pybytes()


BODIES = {
    "nothing": b"",
    "four zeros": bytes(4),
    "noise": "".join(NUMBERS).encode(),
    "half": ENCODED[: len(ENCODED) // 2],
    "its metadata alone": ENCODED[:400],
    "without its last bytes": ENCODED[:-64],
    "a schema": SCHEMA.serialize().to_pybytes(),
    "a whole stream": write_stream(BATCH),
    "a file": b"ARROW1\x00\x00" + ENCODED,
    "a tensor": b"\xff\xff\xff\xff\x10\x00\x00\x00" + bytes(16),
    "offsets outside": corrupt_offsets("nhs_number"),
    "text that is no UTF-8": break_text("surname"),
    "a length beyond the message": b"\xff\xff\xff\xff\xff\xff\xff\x7f" + ENCODED[8:],
    "a negative length": b"\xff\xff\xff\xff\xff\xff\xff\xff" + ENCODED[8:],
}


@pytest.mark.parametrize("name", BODIES)
def test_bytes_that_are_no_batch_are_refused(
    name: str, shared_service: RunningService
) -> None:
    refusal = send_batch(shared_service, BODIES[name])
    assert (refusal.code, refusal.status) == (
        "BATCH_MALFORMED",
        grpc.StatusCode.INVALID_ARGUMENT,
    )
    assert "batch" in refusal.message


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_decompression_bomb_is_not_lit(
    codec: str, shared_service: RunningService
) -> None:
    """8 MiB of zeros in a few kilobytes: refused before anything is expanded."""
    zeros = pa.record_batch({"score": pa.array([0] * 2**20, pa.int64())})
    bomb = write_compressed(zeros, codec)
    assert len(bomb) < zeros.nbytes / 200
    refusal = send_batch(shared_service, bomb, rows=2**20)
    assert refusal.code == "BATCH_MALFORMED"
    assert "compression" in refusal.message


def test_a_dictionary_batch_is_refused(shared_service: RunningService) -> None:
    coded = pa.record_batch({"nhs_number": pa.array(NUMBERS).dictionary_encode()})
    messages = list(pa.ipc.MessageReader.open_stream(pa.py_buffer(write_stream(coded))))
    assert [m.type for m in messages[1:3]] == ["dictionary", "record batch"]
    refusal = send_batch(shared_service, messages[1].serialize().to_pybytes())
    assert refusal.code == "BATCH_MALFORMED"


CHANGED = {
    "a column fewer": BATCH.drop_columns(["score"]),
    "a column more": BATCH.append_column("later", pa.array(NUMBERS)),
    "text where numbers were": BATCH.set_column(
        SCHEMA.get_field_index("score"), "score", pa.array(NUMBERS)
    ),
    "numbers where text was": BATCH.set_column(0, "nhs_number", pa.array(range(20))),
    "one column alone": BATCH.select(["nhs_number"]),
}


@pytest.mark.parametrize("name", CHANGED)
def test_another_schema_on_the_way_is_refused(
    name: str, shared_service: RunningService
) -> None:
    stream = TableWire(shared_service).send(
        make_header(), make_message(0, BATCH), make_message(1, CHANGED[name])
    )
    schema = stream.open()
    assert stream.receive_batch(schema).num_rows == len(NUMBERS)
    refusal = stream.close().catch()
    assert (refusal.code, refusal.status) == (
        "SCHEMA_CHANGED",
        grpc.StatusCode.INVALID_ARGUMENT,
    )
    assert not [number for number in NUMBERS if number in refusal.text]


def test_a_count_of_rows_that_lies_is_refused(shared_service: RunningService) -> None:
    refusal = send_batch(shared_service, BATCH, rows=19)
    assert refusal.code == "BATCH_MALFORMED"
    assert "row_count" in refusal.message
    assert "20" in refusal.message


def test_a_batch_of_too_many_rows_is_refused(open_service: OpenService) -> None:
    service = open_service(server={"limits": {"batch_rows": 19}})
    refusal = send_batch(service, BATCH)
    assert (refusal.code, refusal.status) == (
        "BATCH_TOO_LARGE",
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    )
    assert "19" in refusal.message


def test_a_message_of_too_many_bytes_is_refused(open_service: OpenService) -> None:
    service = open_service(server={"limits": {"message_bytes": 1 << 20}})
    over = send_batch(service, ENCODED + bytes(1 << 20))
    assert over.code == "BATCH_TOO_LARGE"
    # gRPC itself ends this one, perhaps before the header is answered.
    huge = make_message(0, ENCODED + bytes(3 << 20), rows=20)
    far_over = refuse_table(service, make_header(), huge)
    assert far_over.status is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_client_cuts_what_is_too_large(open_service: OpenService) -> None:
    service = open_service(server={"limits": {"batch_rows": 7}})
    (batch,) = make_batches(2_000, batches=1, rows=20)
    answer = service.deidentify(batch)
    assert answer.num_rows == 20
    assert answer.column("score").to_pylist() == batch.column("score").to_pylist()


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Change some bytes: anywhere, or in the metadata where they mean most."""
    changed = bytearray(data)
    reach = len(data) if draw.random() < 0.3 else 700
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        at = draw.randrange(8, min(reach, len(changed)))
        match draw.randrange(4):
            case 0:
                changed[at] = draw.randrange(256)
            case 1:
                changed[at] ^= 1 << draw.randrange(8)
            case 2:
                wide = draw.choice([0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 8])
                changed[at : at + 8] = struct.pack("<Q", wide)
            case _:
                del changed[at : at + draw.randrange(1, 9)]
    return bytes(changed)


@pytest.mark.parametrize("seed", range(6))
def test_bytes_changed_at_random_never_bring_it_down(
    seed: int, shared_service: RunningService
) -> None:
    """Each is refused with a code, or answered as a batch that happens to be whole."""
    draw = random.Random(seed)
    channel = shared_service.channel()
    codes = set()
    for _ in range(50):
        stream = TableWire(shared_service, channel=channel)
        data = mutate(ENCODED, draw)
        stream.send(make_header(), make_message(0, data, rows=20), make_end(1, 20))
        stream.close()
        try:
            answers = stream.drain()
        except grpc.RpcError as error:
            refusal = Refusal.read(error)
            codes.add(refusal.code)
            assert refusal.code in REFUSED, refusal
            assert not [number for number in NUMBERS if number in refusal.text]
        else:
            assert [a.WhichOneof("payload") for a in answers] == [
                "opened",
                "batch",
                "receipt",
            ]
    assert "BATCH_MALFORMED" in codes
    assert shared_service.deidentify(BATCH).num_rows == 20
