"""Streams whose messages do not fit together, and streams that die on the way."""

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from pseudo_service.api.v1 import deidentification_pb2 as pb
from tests.lib.services.service import RunningService
from tests.lib.services.wire import (
    Refusal,
    Request,
    TableWire,
    make_end,
    make_header,
    make_message,
    make_messages,
    refuse_table,
)
from tests.lib.values.cohort import make_batches
from tests.lib.values.trail import read_events

INVALID = grpc.StatusCode.INVALID_ARGUMENT
FIRST, SECOND = make_batches(3_000, batches=2, rows=5)
HEADER = make_header()
BATCHES = {
    "a batch is skipped": (
        [HEADER, make_message(0, FIRST), make_message(2, SECOND)],
        "BATCH_OUT_OF_ORDER",
        ("batch 1 was due",),
    ),
    "the first is not number 0": (
        [HEADER, make_message(1, FIRST)],
        "BATCH_OUT_OF_ORDER",
        ("batch 0 was due",),
    ),
    "a batch comes twice": (
        [HEADER, make_message(0, FIRST), make_message(0, FIRST)],
        "BATCH_OUT_OF_ORDER",
        ("batch 1 was due",),
    ),
    "a second header": (
        [HEADER, make_message(0, FIRST), HEADER],
        "BATCH_OUT_OF_ORDER",
        ("header",),
    ),
    "an empty message": (
        [HEADER, make_message(0, FIRST), Request()],
        "BATCH_OUT_OF_ORDER",
        ("header",),
    ),
    "no header": ([make_message(0, FIRST)], "INVALID_ARGUMENT", ("header",)),
    "an end alone": ([make_end(0, 0)], "INVALID_ARGUMENT", ("header",)),
    "nothing at all": ([], "INVALID_ARGUMENT", ("header",)),
    "no end": ([HEADER, make_message(0, FIRST)], "STREAM_INCOMPLETE", ("end message",)),
    "a header alone": ([HEADER], "STREAM_INCOMPLETE", ("end message",)),
    "an end that claims more rows": (
        [HEADER, *make_messages([FIRST]), make_end(1, 6)],
        "STREAM_INCOMPLETE",
        ("1 batches and 5 rows",),
    ),
    "an end that claims fewer batches": (
        [HEADER, *make_messages([FIRST, SECOND]), make_end(1, 10)],
        "STREAM_INCOMPLETE",
        ("2 batches and 10 rows",),
    ),
    "an end before its batches": (
        [HEADER, make_end(2, 10), *make_messages([FIRST, SECOND])],
        "STREAM_INCOMPLETE",
        ("0 batches and 0 rows",),
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_messages_out_of_order_end_the_stream(
    name: str, shared_service: RunningService
) -> None:
    requests, code, mentions = BATCHES[name]
    refusal = refuse_table(shared_service, *requests)
    assert (refusal.code, refusal.status) == (code, INVALID)
    assert [text for text in mentions if text not in refusal.message] == []


def test_what_comes_after_the_end_is_not_read(shared_service: RunningService) -> None:
    stream = TableWire(shared_service).send(
        HEADER, *make_messages([FIRST]), make_end(1, 5), make_message(1, SECOND)
    )
    kinds = [answer.WhichOneof("payload") for answer in stream.close().drain()]
    assert kinds == ["opened", "batch", "receipt"]


def test_an_empty_table_has_a_receipt(shared_service: RunningService) -> None:
    stream = TableWire(shared_service).send(HEADER, make_end(0, 0)).close()
    receipt = stream.drain()[-1].receipt
    assert (receipt.rows_in, receipt.rows_out) == (0, 0)
    assert receipt.receipt.signature


def test_an_empty_batch_keeps_its_place(shared_service: RunningService) -> None:
    batches = [FIRST.slice(0, 0), FIRST]
    stream = TableWire(shared_service).send(
        HEADER, *make_messages(batches), make_end(2, 5)
    )
    answers = stream.close().drain()
    assert [answer.batch.row_count for answer in answers[1:3]] == [0, 5]
    assert answers[-1].receipt.rows_out == 5


def test_answers_keep_the_order_of_their_batches(
    shared_service: RunningService,
) -> None:
    batches = make_batches(3_100, batches=12, rows=3)
    stream = TableWire(shared_service).send(
        HEADER, *make_messages(batches), make_end(12, 36)
    )
    schema = stream.open()
    for sequence, batch in enumerate(batches):
        answer = stream.receive()
        assert answer.batch.sequence == sequence
        assert len(answer.batch.data) > 0
        assert answer.batch.row_count == batch.num_rows
    assert "patient" in schema.names
    assert stream.receive().WhichOneof("payload") == "receipt"


def find_failure(service: RunningService, operation: str) -> dict[str, Any]:
    """Return how the trail says that an operation failed, once it does."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for event in read_events(service.auditor(), "table_failed"):
            if event["operation"] == operation:
                return event
        time.sleep(0.02)
    msg = "the failure is not on record"
    raise AssertionError(msg)


def cancel(stream: TableWire) -> None:
    stream.cancel()


def stop_sending(stream: TableWire) -> None:
    assert stream.close().catch().code == "STREAM_INCOMPLETE"


@pytest.mark.parametrize("leave", [cancel, stop_sending])
def test_a_stream_that_dies_leaves_an_unfinished_table(
    leave: Callable[[TableWire], None], any_service: RunningService
) -> None:
    """It is on record, it gave its patients back, and another may register them."""
    batches = make_batches(3_200, batches=3, rows=10)
    stream = TableWire(any_service).send(
        make_header(operation_id="the-one-that-dies"), *make_messages(batches)
    )
    schema = stream.open()
    answered = [stream.receive_batch(schema) for _ in batches[:2]]
    leave(stream)
    failed = find_failure(any_service, "the-one-that-dies")
    assert failed["details"]["batches"] >= 2
    events = read_events(any_service.auditor())
    kinds = [e["kind"] for e in events if e["operation"] == "the-one-that-dies"]
    assert kinds[0] == "table_opened"
    assert kinds.count("batch_intent") >= 2
    assert "table_finished" not in kinds
    again = any_service.deidentify(batches)
    assert again.num_rows == 30
    before = [name for batch in answered for name in batch["patient"].to_pylist()]
    assert again["patient"].to_pylist()[:20] == before


def test_a_client_that_leaves_without_a_word_blocks_nobody(
    shared_service: RunningService,
) -> None:
    """Its last batch was never settled; the same new patients are registered at once."""
    batches = make_batches(3_300, batches=1, rows=50)
    channel = grpc.secure_channel(
        shared_service.address,
        grpc.ssl_channel_credentials(shared_service.root_certificates),
    )
    stream = TableWire(shared_service, channel=channel)
    stream.send(
        make_header(operation_id="gone-without-a-word"), *make_messages(batches)
    )
    channel.close()
    stream.close()
    began = time.monotonic()
    assert shared_service.deidentify(batches).num_rows == 50
    assert time.monotonic() - began < 10


def test_a_refused_stream_says_why_in_the_trail(
    shared_service: RunningService,
) -> None:
    requests = [
        make_header(operation_id="with-a-gap"),
        make_message(0, FIRST),
        make_message(5, SECOND),
    ]
    assert refuse_table(shared_service, *requests).code == "BATCH_OUT_OF_ORDER"
    failed = find_failure(shared_service, "with-a-gap")
    assert failed["details"]["code"] == "BATCH_OUT_OF_ORDER"
    assert failed["project"] == "asthma"


def test_places_of_dead_streams_are_given_back(shared_service: RunningService) -> None:
    """Eight streams a caller may be open; those that died do not count."""
    token = shared_service.issue("pipeline:asthma", subject="restless")
    for _ in range(3):
        streams = [TableWire(shared_service, token=token) for _ in range(8)]
        for stream in streams:
            stream.send(HEADER).open()
        refusal = TableWire(shared_service, token=token).send(HEADER).catch()
        assert refusal.code == "TOO_MANY_STREAMS"
        assert refusal.status is grpc.StatusCode.RESOURCE_EXHAUSTED
        for stream in streams:
            stream.cancel()
        _await_open(shared_service, token)


def _await_open(service: RunningService, token: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        stream = TableWire(service, token=token).send(HEADER, make_end(0, 0)).close()
        try:
            answers: list[pb.DeidentifyTableResponse] = stream.drain()
        except grpc.RpcError as error:
            if Refusal.read(error).code != "TOO_MANY_STREAMS":
                raise
            time.sleep(0.02)
        else:
            assert answers[-1].WhichOneof("payload") == "receipt"
            return
    msg = "dead streams still count"
    raise AssertionError(msg)


def test_a_suspended_project_stops_its_open_streams(service: RunningService) -> None:
    stream = TableWire(service).send(HEADER, make_message(0, FIRST))
    stream.receive_batch(stream.open())
    service.custodian().suspend_project("asthma", reason="a question of consent")
    service.clock.advance(seconds=6)
    refusal = stream.send(make_message(1, SECOND)).catch()
    assert refusal.code == "PROJECT_NOT_ACTIVE"


def test_a_stream_that_says_nothing_is_given_up(
    shared_service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "pseudo_service.transport.servicers.deidentification"
    monkeypatch.setattr(f"{place}.FIRST_SECONDS", 0.4)
    refusal = TableWire(shared_service).catch()
    assert refusal.code == "STREAM_INCOMPLETE"
