"""Shift dates: a small table in, a small table out."""
# ruff: noqa: DTZ001 - the times of a hospital's tables are naive

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.tables.batch import deidentify_batch
from tests.lib.harnesses.deidentification import deidentify, list_rejected, make_context
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/visits@1
patient: {column: nhs_number, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
sentinels: [1900-01-01]
columns:
  nhs_number: {treatment: drop}
  mrn: {treatment: drop}
  admitted: {treatment: shift_date, time_of_day: keep}
  seen: {treatment: shift_date}
  reported: {treatment: shift_date, formats: ["%d/%m/%Y", "%Y"]}
"""
ADA, BOB = make_nhs_number(1), make_nhs_number(2)


def make_visits() -> pa.RecordBatch:
    at = datetime(2024, 3, 5, 13, 34)
    return pa.record_batch(
        {
            "nhs_number": [ADA, ADA, BOB, None, None, ADA, ADA],
            "mrn": [None, "RXH7", None, "RXH7", None, None, None],
            "admitted": [at, at, at, at, at, datetime(1900, 1, 1), None],
            "seen": [date(2024, 3, 1), *[date(2024, 3, 5)] * 6],
            "reported": ["05/03/2024", "2024", *["5/3/2024"] * 3, "soon", "N/K"],
        }
    )


def test_a_patient_s_dates_keep_their_intervals_weekday_and_time():
    rows = deidentify(POLICY, make_visits()).batch.to_pylist()

    first = rows[0]
    assert first["admitted"].time() == datetime(2024, 3, 5, 13, 34).time()
    assert first["admitted"].weekday() == date(2024, 3, 5).weekday()
    assert first["admitted"].date() - first["seen"] == date(2024, 3, 5) - date(
        2024, 3, 1
    )
    assert first["reported"] == first["admitted"].date().isoformat()
    assert first["admitted"] < datetime(2024, 3, 5)


def test_the_number_comes_before_the_local_number():
    rows = deidentify(POLICY, make_visits()).batch.to_pylist()

    assert rows[0]["admitted"] == rows[1]["admitted"]
    assert rows[3]["admitted"] is not None
    assert rows[3]["admitted"] != rows[1]["admitted"]


def test_a_date_without_patient_is_null_and_counted():
    outcome = deidentify(POLICY, make_visits())

    assert outcome.batch.to_pylist()[4] == {
        "admitted": None,
        "seen": None,
        "reported": None,
    }
    assert outcome.counts["seen"] == {"ok": 6, "no_patient": 1}


def test_sentinels_unreadable_and_missing_dates_are_null_each_under_its_code():
    outcome = deidentify(POLICY, make_visits())

    assert outcome.counts["admitted"] == {
        "ok": 4,
        "missing": 1,
        "no_patient": 1,
        "sentinel": 1,
    }
    assert outcome.counts["reported"] == {
        "ok": 4,
        "missing": 1,
        "no_patient": 1,
        "unparseable": 1,
    }
    assert ("admitted", "sentinel", 5) in list_rejected(outcome)
    assert ("reported", "unparseable", 5) in list_rejected(outcome)


def test_a_year_stays_a_year():
    reported = deidentify(POLICY, make_visits()).batch.column("reported").to_pylist()

    assert reported[1] in {"2023", "2024"}


def test_time_of_day_is_zeroed_unless_the_policy_keeps_it():
    policy = POLICY.replace(", time_of_day: keep", "")

    admitted = deidentify(policy, make_visits()).batch.column("admitted").to_pylist()

    assert {(d.hour, d.minute) for d in admitted if d is not None} == {(0, 0)}


def test_nothing_lies_in_the_memory_beneath_a_null():
    """What is under a null travels in Arrow; a moved null would tell the offset."""
    batch = deidentify(POLICY, make_visits()).batch

    stored = np.frombuffer(batch.column("admitted").buffers()[1], np.int64)[:7]
    is_null = batch.column("admitted").is_null().to_numpy(zero_copy_only=False)
    assert is_null.tolist() == [False, False, False, False, True, True, True]
    assert stored[is_null].tolist() == [0, 0, 0]
    texts = batch.column("reported")
    assert texts.buffers()[2].size <= 64
    assert b"soon" not in texts.buffers()[2].to_pybytes()


def test_people_whose_dates_alone_are_answered_are_told_apart():
    policy = parse_policy(
        """
policy: study/dates@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: drop}
  admitted: {treatment: shift_date}
"""
    )
    batch = pa.record_batch(
        {
            "nhs_number": [ADA, BOB, ADA, None],
            "admitted": [date(2024, 5, 6)] * 4,
        }
    )
    outcome = deidentify_batch(
        compile_plan(policy, batch.schema), batch, make_context()
    )
    assert outcome.identities == ()
    (dated,) = outcome.dated
    assert sorted(dated.canonical.to_pylist()) == sorted([ADA, BOB])
    assert dated.blind.shape == (2, 16)
