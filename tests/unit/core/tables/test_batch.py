"""One batch under a plan, whatever its size and however it was cut."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.errors import SchemaChanged
from pseudo_service.core.policies.plan import Plan, compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.tables.batch import deidentify_batch, treat_batch
from pseudo_service.core.tables.batch_values import BatchContext, BatchOutcome
from pseudo_service.core.tables.identified_batch import identify_batch
from tests.lib.harnesses.deidentification import make_context, make_opt_outs
from tests.lib.harnesses.redactors import WordRedactor
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
POLICY = """
policy: study-a/visits@1
patient: {column: nhs, kind: nhs_number}
columns:
  place: {treatment: keep, reason: counts the rows}
  nhs: {treatment: pseudonymise, kind: nhs_number, on_invalid: remove_row}
  seen: {treatment: shift_date}
  born: {treatment: generalise, to: year}
  code: {treatment: exclude_rows, codes: [Z31*], list: fertility, then: keep, reason: needed}
  note: {treatment: redact_text}
  name: {treatment: drop}
"""
SCHEMA = pa.schema(
    {
        "place": pa.int64(),
        "nhs": pa.string(),
        "seen": pa.date32(),
        "born": pa.string(),
        "code": pa.string(),
        "note": pa.string(),
        "name": pa.string(),
    }
)
PLAN = compile_plan(parse_policy(POLICY), SCHEMA)
DAY = 19_000

Rows = list[tuple[str | None, int | None, str | None, str | None]]
ROWS: st.SearchStrategy[Rows] = st.lists(
    st.tuples(
        st.sampled_from([ADA, BOB, EVE, "123", "", None]),
        st.sampled_from([DAY, DAY + 400, None]),
        st.sampled_from(["1970-02-03", "soon", "", None]),
        st.sampled_from(["A01", "Z312", None]),
    ),
    max_size=12,
)


def make_batch(rows: Rows) -> pa.RecordBatch:
    arrays = [
        pa.array(range(len(rows)), pa.int64()),
        pa.array([row[0] for row in rows], pa.string()),
        pa.array([row[1] for row in rows], pa.int32()).cast(pa.date32()),
        pa.array([row[2] for row in rows], pa.string()),
        pa.array([row[3] for row in rows], pa.string()),
        pa.array([f"seen {row[0]}" for row in rows], pa.string()),
        pa.array(["Ada"] * len(rows), pa.string()),
    ]
    return pa.record_batch(arrays, schema=SCHEMA)


def make_shared(*, opted_out: str = BOB) -> BatchContext:
    return make_context(
        opt_outs=make_opt_outs([opted_out]), redact=WordRedactor().redact
    )


def run(batch: pa.RecordBatch, plan: Plan = PLAN) -> BatchOutcome:
    return deidentify_batch(plan, batch, make_shared())


def test_a_batch_without_rows_has_the_schema_of_the_answer() -> None:
    outcome = run(make_batch([]))
    assert outcome.batch.schema == PLAN.output_schema
    assert (outcome.rows_in, outcome.batch.num_rows) == (0, 0)
    assert (outcome.removed, list(outcome.rejected)) == ({}, [])
    assert (outcome.identities, outcome.dated) == ((), ())
    assert set(outcome.counts) == {"nhs", "place", "seen", "born", "code", "note"}
    assert not any(outcome.counts.values())


def test_where_every_row_leaves_nothing_is_answered_or_learnt() -> None:
    asked = WordRedactor()
    rows: Rows = [(BOB, DAY, "1970-02-03", "A01"), (ADA, DAY, "1970-02-03", "Z312")]
    context = make_context(opt_outs=make_opt_outs([BOB]), redact=asked.redact)

    outcome = deidentify_batch(PLAN, make_batch(rows), context)

    assert outcome.batch.schema == PLAN.output_schema
    assert outcome.batch.num_rows == 0
    assert outcome.removed == {"opt_out": 1, "excluded_code": 1}
    assert (outcome.identities, outcome.dated) == ((), ())
    assert asked.asked == []


def test_a_row_alone_is_answered_as_among_others() -> None:
    rows: Rows = [(ADA, DAY, "1970-02-03", "A01"), (EVE, None, None, None)]
    both = run(make_batch(rows)).batch.to_pylist()
    for place, row in enumerate(rows):
        (alone,) = run(make_batch([row])).batch.to_pylist()
        assert alone | {"place": place} == both[place]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ROWS)
def test_rows_keep_their_order_and_their_numbers_add_up(rows: Rows) -> None:
    outcome = run(make_batch(rows))
    left = outcome.removals.list_reasons()
    stays = [place for place, reason in enumerate(left) if reason is None]
    assert outcome.batch.column("place").to_pylist() == stays
    assert outcome.rows_in == len(rows) == len(stays) + sum(outcome.removed.values())
    for name in ("place", "seen", "born", "code", "note"):
        assert sum(outcome.counts[name].values()) == len(stays), name


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ROWS)
def test_each_rejected_cell_had_a_value_and_is_answered_null(rows: Rows) -> None:
    batch = make_batch(rows)
    outcome = run(batch)
    answers = {row["place"]: row for row in outcome.batch.to_pylist()}
    for cells in outcome.rejected:
        assert cells.rows.tolist() == sorted(set(cells.rows.tolist()))
        for row in cells.rows.tolist():
            assert batch.column(cells.column)[row].as_py() not in (None, "")
            assert row not in answers or answers[row][cells.column] is None


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ROWS, st.integers(0, 12))
def test_how_a_table_is_cut_changes_no_answer(rows: Rows, cut: int) -> None:
    batch = make_batch(rows)
    parts = [run(batch.slice(0, cut)), run(batch.slice(min(cut, len(rows))))]
    answer = pa.Table.from_batches([part.batch for part in parts])
    assert answer.to_pylist() == run(batch).batch.to_pylist()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ROWS)
def test_a_batch_that_is_identified_first_is_answered_alike(rows: Rows) -> None:
    batch = make_batch(rows)
    later = treat_batch(identify_batch(PLAN, batch, make_shared()))
    at_once = run(batch)
    assert later.batch.equals(at_once.batch)
    assert (later.counts, later.removed) == (at_once.counts, at_once.removed)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ROWS)
def test_what_does_not_leave_is_not_in_the_memory_of_the_answer(rows: Rows) -> None:
    stored = b"".join(
        buffer.to_pybytes()
        for name in ("nhs", "seen", "born", "note")
        for buffer in run(make_batch(rows)).batch.column(name).buffers()
        if buffer is not None
    )
    for text in (ADA, BOB, EVE, "soon", "02-03"):
        assert text.encode() not in stored


def test_a_kept_column_is_the_one_that_was_sent() -> None:
    batch = make_batch([(ADA, DAY, None, None)])
    answer = run(batch).batch
    sent, kept = batch.column("place"), answer.column("place")
    assert kept.buffers()[-1].address == sent.buffers()[-1].address


def test_a_batch_of_another_schema_is_refused() -> None:
    batch = make_batch([(ADA, DAY, None, None)]).select(SCHEMA.names[:-1])
    with pytest.raises(SchemaChanged, match="schema of the header"):
        run(batch)
