"""The plans of unary calls."""

import pyarrow as pa
import pytest

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.policies.call_plans import (
    IDENTIFIER,
    TEXT,
    TextCallShape,
    find_text_treatment,
    name_known,
    name_patients,
    plan_identifiers,
    plan_texts,
)
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.redaction import KnownKind, TextDates

MRN = IdentifierKind.parse("mrn@RXH")
POLICY = parse_policy("""
policy: study-a/notes@1
patient: {column: nhs, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number, on_invalid: remove_row}
  mrn: {treatment: drop}
  admitted: {treatment: shift_date}
  name: {treatment: drop}
  letter: {treatment: redact_text, dates: shift, known: {names: [name]}}
""")


def make_shape(column: str = "letter") -> TextCallShape:
    return TextCallShape(
        policy=POLICY,
        digest=POLICY.digest,
        column=column,
        kinds=(NHS_NUMBER, MRN),
        known=(KnownKind.PHONES,),
    )


class TestPlanIdentifiers:
    @pytest.mark.parametrize("kind", [NHS_NUMBER, MRN])
    def test_each_row_is_a_patients_own_and_is_answered(self, kind) -> None:
        plan = plan_identifiers(kind)
        (column,) = plan.identifiers
        assert (column.kind, column.is_answered) == (kind, True)
        assert plan.patients == (column.position,)
        assert plan.output_schema == pa.schema({IDENTIFIER: pa.string()})
        assert not plan.policy.shifts_dates

    def test_a_plan_is_compiled_once_a_kind(self) -> None:
        assert plan_identifiers(NHS_NUMBER) is plan_identifiers(NHS_NUMBER)


class TestPlanTexts:
    def test_only_what_the_policy_answers_of_a_patient_leaves(self) -> None:
        plan = plan_texts(make_shape())
        assert plan.output_schema.names == [name_patients(NHS_NUMBER), TEXT]
        assert [c.is_answered for c in plan.identifiers] == [True, False]
        assert plan.patients == (0, 1)

    def test_an_invalid_number_does_not_take_its_text_away(self) -> None:
        (rule,) = [c.rule for c in plan_texts(make_shape()).columns if c.position == 0]
        assert rule.treatment.on_invalid == "null"

    def test_the_policy_decides_what_is_told_of_patients(self) -> None:
        plan = plan_texts(make_shape())
        assert plan.policy is POLICY
        (text,) = plan.texts
        assert text.treatment.dates is TextDates.SHIFT
        assert [plan.columns[at].name for _, at in text.known] == [
            name_known(KnownKind.PHONES)
        ]

    def test_a_plan_is_kept_by_the_policys_digest(self) -> None:
        again = TextCallShape(
            policy=parse_policy(
                "policy: study-a/other@1\ncolumns: {a: {treatment: keep, reason: why not}}"
            ),
            digest=POLICY.digest,
            column="letter",
            kinds=(NHS_NUMBER, MRN),
            known=(KnownKind.PHONES,),
        )
        assert plan_texts(again) is plan_texts(make_shape())

    @pytest.mark.parametrize("column", ["name", "admitted", "absent"])
    def test_another_column_is_refused(self, column: str) -> None:
        with pytest.raises(InvalidArgument, match="no text column"):
            find_text_treatment(POLICY, column)
        with pytest.raises(InvalidArgument, match="no text column"):
            plan_texts(make_shape(column))
