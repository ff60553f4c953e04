"""Who of a batch is answered, before anything is."""

import pyarrow as pa
import pytest

from pseudo_service.core.errors import SchemaChanged
from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.tables.batch_values import IdentifiedBatch
from pseudo_service.core.tables.identified_batch import identify_batch
from tests.lib.harnesses.deidentification import make_context, make_opt_outs
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
POLICY = """
policy: study-a/visits@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: TREATMENT}
  mother: {treatment: pseudonymise, kind: nhs_number}
  seen: {treatment: shift_date}
"""
ANSWERED, DROPPED = "pseudonymise, kind: nhs_number", "drop"


def identify(
    numbers: list[str | None],
    *,
    treatment: str = ANSWERED,
    mothers: list[str | None] | None = None,
    opted_out: list[str] | None = None,
) -> IdentifiedBatch:
    batch = pa.record_batch(
        {
            "nhs": pa.array(numbers, pa.string()),
            "mother": pa.array(mothers or [None] * len(numbers), pa.string()),
            "seen": pa.array(["2021-04-01"] * len(numbers)),
        }
    )
    plan = compile_plan(
        parse_policy(POLICY.replace("TREATMENT", treatment)), batch.schema
    )
    check = make_opt_outs(opted_out) if opted_out is not None else None
    return identify_batch(plan, batch, make_context(opt_outs=check))


def list_people(identities: object) -> list[str]:
    return [text for one in identities for text in one.canonical.to_pylist()]


def test_nobody_is_learnt_of_in_rows_that_leave() -> None:
    found = identify([ADA, BOB], mothers=[EVE, EVE], opted_out=[ADA])
    assert found.removals.list_reasons() == ["opt_out", None]
    assert list_people(found.identities) == [BOB, EVE]
    assert found.judged["nhs"].list_by_row(2) == [None, "test_range"]
    assert (found.rows_out, found.read(0).to_pylist()) == (1, [BOB])


def test_rows_that_nobody_can_check_still_tell_why() -> None:
    found = identify(["123", "", ADA], opted_out=[BOB])
    assert found.removals.list_reasons() == ["uncheckable", "uncheckable", None]
    (rejected,) = found.rejected
    assert (rejected.column, rejected.code) == ("nhs", "wrong_length")
    assert rejected.rows.tolist() == [0]


def test_a_patient_without_a_pseudonym_is_dated() -> None:
    found = identify([ADA, ADA, None], treatment=DROPPED, mothers=[BOB, None, None])
    assert list_people(found.dated) == [ADA]
    assert list_people(found.identities) == [BOB]
    assert list_people(identify([ADA]).dated) == []


def test_a_person_of_two_columns_is_one_identity() -> None:
    (one,) = identify([ADA, BOB], mothers=[BOB, None]).identities
    assert one.canonical.to_pylist() == [ADA, BOB]
    assert one.blind.shape == (2, 16)


def test_another_schema_is_refused() -> None:
    plan = identify([ADA]).plan
    with pytest.raises(SchemaChanged, match="schema of the header"):
        identify_batch(plan, pa.record_batch({"nhs": [1]}), make_context())
