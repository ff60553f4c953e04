"""An open stream: its order, its totals, its receipt, and how it ends when it fails."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from pseudo_service.core.access.enumeration import EnumerationSettings
from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.errors import (
    BatchMalformed,
    BatchOutOfOrder,
    OracleSuspected,
    PatientTableRefused,
    ProjectNotActive,
    QuotaExceeded,
    StreamIncomplete,
)
from pseudo_service.core.keys.statements import verify_statement
from pseudo_service.core.projects.project import OptOutApplication
from pseudo_service.core.redaction import KnownKind
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT
from pseudo_service.engine.tables.patient_intake import AnnouncedPatients
from pseudo_service.engine.tables.stream_messages import (
    SentBatch,
    SentEnd,
    SentPatients,
    StreamMessage,
)
from pseudo_service.engine.tables.table_stream import PROJECT_CHECK_INTERVAL
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.key_vault import Signature
from tests.lib.harnesses.table_streams import (
    Answer,
    StreamHarness,
    decode,
    encode,
    make_visits,
    send,
)
from tests.lib.stores.memory import HeldCommit
from tests.lib.values.cohort import make_numbers
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
BATCHES = [make_visits(ADA, BOB), make_visits(), make_visits(EVE, None, ADA, first=2)]
NOTES_POLICY = """
policy: asthma/visits@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  note: {treatment: redact_text, known_from: patients}
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {names: [name]}
"""
NOTES = pa.record_batch({"nhs": [ADA, BOB], "note": ["Ada Lovelace", "Ada came too"]})
PATIENTS = pa.record_batch({"number": [ADA, BOB], "name": ["Ada Lovelace", "Bob"]})


def read_receipt(harness: StreamHarness, answer: Answer) -> dict[str, Any]:
    def check(message: bytes, signature: bytes, key_id: str) -> None:
        harness.vault.verify(message, Signature(key_id=key_id, value=signature))

    return verify_statement(answer.finished.receipt, check, RECEIPT_FORMAT)


def announce(*parts: pa.RecordBatch) -> AnnouncedPatients:
    data = b"".join(encode(part) for part in parts)
    return AnnouncedPatients(
        schema=PATIENTS.schema,
        schema_bytes=PATIENTS.schema.serialize().to_pybytes(),
        rows=sum(part.num_rows for part in parts),
        digest=hashlib.sha256(data).digest(),
    )


def send_patients(*parts: pa.RecordBatch) -> list[StreamMessage]:
    return [
        SentPatients(sequence=at, row_count=part.num_rows, data=encode(part))
        for at, part in enumerate(parts)
    ]


def test_batches_are_answered_in_order_and_the_totals_add_up() -> None:
    harness = StreamHarness(opt_outs=OptOutApplication.APPLIED)
    harness.load_opt_outs(BOB)
    answer = harness.run(send(*BATCHES))
    assert [one.sequence for one in answer.batches] == [0, 1, 2]
    assert [row["place"] for row in answer.rows()] == [0, 2, 4]
    assert [one.rows_in for one in answer.batches] == [2, 0, 3]
    removed = [dict(one.removed) for one in answer.batches]
    assert removed == [{"opt_out": 1}, {}, {"uncheckable": 1}]
    finished = answer.finished
    assert (finished.rows_in, finished.rows_out) == (5, 3)
    assert finished.removed == {"opt_out": 1, "uncheckable": 1}
    assert finished.columns["place"] == {"ok": 3}


def test_the_receipt_says_what_the_answers_are() -> None:
    harness = StreamHarness()
    answer = harness.run(send(*BATCHES), part=4)
    stated = read_receipt(harness, answer)
    output = LogicalDigest(answer.batches[0].batch.schema)
    for one in answer.batches:
        output.update(one.batch)
    assert stated["output_digest"] == output.digest().hex()
    assert (stated["batches"], stated["rows_in"], stated["part"]) == (3, 5, 4)
    assert stated["columns"] == answer.finished.columns
    finished = harness.trail.events[-1]
    digest = hashlib.sha256(answer.finished.receipt.statement).hexdigest()
    assert (finished.kind.value, finished.details["receipt"]) == (
        "table_finished",
        digest,
    )
    for number in (ADA, BOB, EVE):
        assert number not in json.dumps(stated)


def test_a_table_without_batches_has_a_receipt() -> None:
    harness = StreamHarness()
    answer = harness.run(send())
    assert (answer.batches, answer.finished.rows_in) == ([], 0)
    assert read_receipt(harness, answer)["batches"] == 0
    assert harness.trail.kinds() == ["table_opened", "table_finished"]


def test_each_intent_is_durable_before_its_answer_leaves() -> None:
    harness = StreamHarness()
    with harness.open() as stream:
        answers = stream.run(iter(send(*BATCHES)), decode)
        for place, _ in enumerate(BATCHES):
            next(answers)
            assert harness.trail.kinds().count("batch_intent") >= place + 1
        list(answers)
    told = [e for e in harness.trail.events if e.kind.value == "batch_intent"]
    assert [event.details["batch"] for event in told] == [0, 1, 2]
    assert len({event.details["input"] for event in told}) == 3


def test_the_same_part_again_is_answered_alike_and_registers_nobody_anew() -> None:
    harness = StreamHarness()
    first = harness.run(send(*BATCHES))
    segments = len(harness.journal.segments)
    again = harness.run(send(*BATCHES))
    assert again.rows() == first.rows()
    stated = [read_receipt(harness, one) for one in (first, again)]
    assert stated[0]["output_digest"] == stated[1]["output_digest"]
    assert stated[0]["input_digest"] == stated[1]["input_digest"]
    assert len(harness.journal.segments) == segments
    assert harness.trail.kinds().count("table_finished") == 2


def test_what_comes_after_the_end_is_not_read() -> None:
    def tell() -> Iterator[StreamMessage]:
        yield from send(BATCHES[0])
        raise AssertionError("read on")

    harness = StreamHarness()
    with harness.open() as stream:
        *_, finished = stream.run(tell(), decode)
    assert finished.rows_in == 2


def skip(messages: list[StreamMessage]) -> list[StreamMessage]:
    return messages[1:]


def repeat(messages: list[StreamMessage]) -> list[StreamMessage]:
    return [messages[0], *messages]


def send_patients_unasked(messages: list[StreamMessage]) -> list[StreamMessage]:
    return [*send_patients(PATIENTS), *messages]


def leave_without_end(messages: list[StreamMessage]) -> list[StreamMessage]:
    return messages[:-1]


def overstate_rows(messages: list[StreamMessage]) -> list[StreamMessage]:
    return [*messages[:-1], SentEnd(batches=3, rows=6)]


def understate_batches(messages: list[StreamMessage]) -> list[StreamMessage]:
    return [*messages[:-1], SentEnd(batches=2, rows=5)]


WRONG = [
    (skip, BatchOutOfOrder, "where batch 0 was due"),
    (repeat, BatchOutOfOrder, "where batch 1 was due"),
    (send_patients_unasked, BatchOutOfOrder, "none was announced"),
    (leave_without_end, StreamIncomplete, "without its end message"),
    (overstate_rows, StreamIncomplete, "3 batches and 5 rows"),
    (understate_batches, StreamIncomplete, "3 batches and 5 rows"),
]


@pytest.mark.parametrize(("change", "error", "match"), WRONG)
def test_a_stream_out_of_order_or_unfinished_has_no_receipt(
    change: Callable[[list[StreamMessage]], list[StreamMessage]],
    error: type[Exception],
    match: str,
) -> None:
    harness = StreamHarness()
    with pytest.raises(error, match=match) as told:
        harness.run(change(send(*BATCHES)))
    assert "table_finished" not in harness.trail.kinds()
    last = harness.trail.events[-1]
    assert last.kind.value == "table_failed"
    assert last.details["code"] == told.value.code  # type: ignore[attr-defined]


def test_a_batch_that_cannot_be_decoded_ends_the_stream() -> None:
    def refuse(data: bytes, schema: pa.Schema, rows: int) -> pa.RecordBatch:
        del data, schema, rows
        msg = "batch: not an Arrow message"
        raise BatchMalformed(msg)

    harness = StreamHarness()
    with pytest.raises(BatchMalformed), harness.open() as stream:
        list(stream.run(iter(send(BATCHES[0])), refuse))
    assert harness.trail.events[-1].details["code"] == "BATCH_MALFORMED"


def test_a_client_that_goes_away_leaves_its_people_on_record() -> None:
    harness = StreamHarness()
    with harness.open() as stream:
        answers = stream.run(iter(send(*BATCHES)), decode)
        next(answers)
        answers.close()
    last = harness.trail.events[-1]
    assert (last.kind.value, last.details["code"]) == ("table_failed", "CANCELLED")
    assert last.details["membership"] == "recorded"
    disclosures = [
        each.count
        for commit in harness.journal.commits
        if commit.change is not None
        for each in commit.change.disclosures
    ]
    assert disclosures == [2]  # of the batch that left, not of the one that follows


def test_an_unexpected_error_is_recorded_as_internal() -> None:
    harness = StreamHarness()
    with pytest.raises(ZeroDivisionError), harness.open():
        _ = 1 / 0
    assert harness.trail.events[-1].details["code"] == "INTERNAL"


def test_an_answer_that_is_not_durable_does_not_leave() -> None:
    harness = StreamHarness()
    submit = harness.journal.submit

    def refuse_second(change: BatchChange) -> HeldCommit:
        if change.event.details.get("batch") != 2:
            return submit(change)
        commit = HeldCommit(change)
        commit.fail(QuotaExceeded("over the daily quota; ask the custodian"))
        return commit

    harness.journal.submit = refuse_second  # type: ignore[method-assign]
    left = []
    with pytest.raises(QuotaExceeded), harness.open() as stream:
        left += [one.sequence for one in stream.run(iter(send(*BATCHES)), decode)]  # type: ignore[union-attr]
    harness.journal.submit = submit  # type: ignore[method-assign]
    assert harness.trail.events[-1].details["code"] == "QUOTA_EXCEEDED"
    # Whom the failed commit claimed can be registered by the next stream.
    before = len(harness.journal.segments)
    harness.run(send(*BATCHES))
    counts = [one.segment.count for one in harness.journal.segments[before:]]
    assert counts == [1]


def test_whom_a_left_stream_claimed_the_next_stream_registers() -> None:
    harness = StreamHarness()
    submit, was_submitted = harness.journal.submit, threading.Event()

    def refuse_second(change: BatchChange) -> HeldCommit:
        if change.event.details.get("batch") != 1:
            return submit(change)
        commit = HeldCommit(change)
        commit.fail(QuotaExceeded("over the daily quota; ask the custodian"))
        was_submitted.set()
        return commit

    harness.journal.submit = refuse_second  # type: ignore[method-assign]
    visits = send(make_visits(ADA), make_visits(EVE))
    with harness.open() as stream:
        answers = stream.run(iter(visits), decode)
        next(answers)
        assert was_submitted.wait(10)
        answers.close()
    harness.journal.submit = submit  # type: ignore[method-assign]
    harness.run(visits)
    assert [one.segment.count for one in harness.journal.segments] == [1, 1]


def test_a_project_that_is_suspended_meanwhile_stops_its_streams() -> None:
    harness = StreamHarness()

    def tell() -> Iterator[StreamMessage]:
        first, *others = send(*BATCHES)
        yield first
        harness.suspend()
        harness.clock.advance(seconds=PROJECT_CHECK_INTERVAL.total_seconds())
        yield from others

    with pytest.raises(ProjectNotActive), harness.open() as stream:
        list(stream.run(tell(), decode))
    assert harness.trail.events[-1].details["code"] == "PROJECT_NOT_ACTIVE"
    assert timedelta(0) < PROJECT_CHECK_INTERVAL <= timedelta(seconds=5)


def test_numbers_tried_out_are_refused_before_anybody_is_registered() -> None:
    settings = EnumerationSettings(block=True, sequential_run=3, sequential_share=0.02)
    harness = StreamHarness(enumeration=settings)
    with pytest.raises(OracleSuspected):
        harness.run(send(make_visits(*[make_nhs_number(at) for at in range(40)])))
    assert harness.journal.segments == []
    assert "batch_intent" not in harness.trail.kinds()


def test_the_patient_table_is_known_to_the_first_note() -> None:
    harness = StreamHarness(policy=NOTES_POLICY)
    parts = (PATIENTS.slice(0, 1), PATIENTS.slice(1))
    answer = harness.run(
        [*send_patients(*parts), *send(NOTES)],
        schema=NOTES.schema,
        patients=announce(*parts),
    )
    assert [row["note"] for row in answer.rows()] == ["[NAMES]", "Ada came too"]
    known = [row.known[KnownKind.NAMES] for row, _ in harness.redactor.asked]
    assert known == [("Ada Lovelace",), ("Bob",)]


@pytest.mark.parametrize("batches", [[NOTES], []], ids=["notes", "no notes"])
@pytest.mark.parametrize("sent", [[], [PATIENTS.slice(0, 1)]], ids=["none", "half"])
def test_without_the_announced_patients_no_note_is_answered(
    batches: list[pa.RecordBatch], sent: list[pa.RecordBatch]
) -> None:
    harness = StreamHarness(policy=NOTES_POLICY)
    with pytest.raises(PatientTableRefused):
        harness.run(
            [*send_patients(*sent), *send(*batches)],
            schema=NOTES.schema,
            patients=announce(PATIENTS),
        )
    assert harness.redactor.asked == []
    assert harness.trail.events[-1].details["code"] == "PATIENT_TABLE_REFUSED"


def test_patients_after_the_first_note_are_refused() -> None:
    harness = StreamHarness(policy=NOTES_POLICY)
    notes, end = send(NOTES)
    late = SentPatients(sequence=1, row_count=2, data=encode(PATIENTS))
    with pytest.raises(BatchOutOfOrder, match="patient table"):
        harness.run(
            [*send_patients(PATIENTS), notes, late, end],
            schema=NOTES.schema,
            patients=announce(PATIENTS),
        )


def test_how_a_table_is_cut_changes_neither_answer_nor_output_digest() -> None:
    harness = StreamHarness()
    whole = make_visits(*make_numbers(30_000, 9), None)
    one = harness.run(send(whole))
    many = harness.run(send(*[whole.slice(at, 3) for at in range(0, 10, 3)]))
    assert many.rows() == one.rows()
    stated = [read_receipt(harness, each) for each in (one, many)]
    assert stated[0]["output_digest"] == stated[1]["output_digest"]
    assert [each["batches"] for each in stated] == [1, 4]


def test_the_input_digest_needs_the_key_and_the_schema() -> None:
    harness = StreamHarness()
    stated = read_receipt(harness, harness.run(send(BATCHES[0])))
    data = encode(BATCHES[0])
    schema = BATCHES[0].schema.serialize().to_pybytes()
    plain = {
        hashlib.sha256(data).hexdigest(),
        hashlib.sha256(schema + data).hexdigest(),
    }
    assert stated["input_digest"] not in plain
    other = SentBatch(sequence=0, row_count=2, data=encode(make_visits(ADA, EVE)))
    again = read_receipt(harness, harness.run([other, SentEnd(batches=1, rows=2)]))
    assert again["input_digest"] != stated["input_digest"]
