"""A mistake in a kernel is noticed before its answer leaves."""

from dataclasses import replace

import pyarrow as pa
import pytest

from pseudo_service.core.errors import AnswerUnsound
from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.tables import batch as batch_module
from pseudo_service.core.tables.batch import deidentify_batch
from pseudo_service.core.tables.column_treatment import treat_column
from tests.lib.harnesses.deidentification import make_context

POLICY = """
policy: study-a/places@1
columns:
  postcode: {treatment: generalise, to: outward_code}
"""
POSTCODES = pa.array(["ZZ1 1AA", "ZZ2 2BB", "ZZ3 3CC"])
MISTAKES = {
    "another type": lambda *_: pa.array([1, 2, 3]),
    "a row too few": lambda treated, _: treated[:2],
    "a row too many": lambda treated, _: pa.concat_arrays([treated, treated[:1]]),
    "what was sent": lambda _, sent: sent,
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_an_answer_that_the_plan_does_not_promise_is_withheld(monkeypatch, mistake):
    def err(treatment, values, **options):
        treated = treat_column(treatment, values, **options)
        return replace(treated, values=mistake(treated.values, values))

    batch = pa.record_batch({"postcode": POSTCODES})
    plan = compile_plan(parse_policy(POLICY), batch.schema)
    assert deidentify_batch(plan, batch, make_context()).batch.num_rows == 3
    monkeypatch.setattr(batch_module, "treat_column", err)
    with pytest.raises(AnswerUnsound, match='"postcode"'):
        deidentify_batch(plan, batch, make_context())
