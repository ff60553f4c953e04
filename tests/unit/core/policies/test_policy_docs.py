"""The policy reference says what the code does."""

import re
from pathlib import Path

import pytest

from pseudo_service.core.identifiers.kinds import CLASSES
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.treatments import TreatmentName, name_treatment
from pseudo_service.core.redaction import TEXT_CODES
from pseudo_service.core.tables.row_removal import RemovalReason
from pseudo_service.core.transforms.date_shift import DATE_CODES
from pseudo_service.core.transforms.generalisation import GENERALISE_CODES

TEXT = (Path(__file__).parents[4] / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_example_is_a_policy_that_shows_every_treatment():
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)

    policy = parse_policy(example)

    assert {name_treatment(r.treatment) for r in policy.columns} == set(TreatmentName)


@pytest.mark.parametrize(
    "codes", [CLASSES, DATE_CODES, GENERALISE_CODES, TEXT_CODES], ids=lambda c: c[0]
)
def test_every_code_of_a_column_is_listed_in_order(codes):
    assert "| " + " ".join(f"`{code}`" for code in codes) + " |" in TEXT


def test_every_reason_for_removal_is_listed_in_order():
    assert ", ".join(f"`{reason}`" for reason in RemovalReason) in TEXT
