"""Single texts: what a redactor is told of each, and what leaves of it."""

from collections.abc import Sequence

import pytest

from pseudo_service.core.errors import BatchTooLarge, InvalidArgument
from pseudo_service.core.policies.call_plans import plan_texts
from pseudo_service.core.redaction import (
    KnownKind,
    TextAnswer,
    TextCode,
    TextRow,
    TextStyle,
)
from pseudo_service.engine.tables import redact_texts
from pseudo_service.engine.tables.redact_texts import TextToRedact
from tests.lib.harnesses.deidentification import make_opt_outs
from tests.lib.harnesses.unary_calls import UnaryHarness
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB = make_nhs_number(1), make_nhs_number(2)
POLICY = """
policy: study-a/notes@1
patient: {column: nhs, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number, on_invalid: remove_row}
  mrn: {treatment: drop}
  seen: {treatment: shift_date}
  note: {treatment: redact_text}
"""


class RecordingRedactor:
    """Keeps the rows it is asked for; answers each text, or a code that it names."""

    def __init__(self) -> None:
        self.rows: list[TextRow] = []

    def __call__(self, rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        assert style == TextStyle()
        self.rows += rows
        return [self.answer(row.text) for row in rows]

    def answer(self, text: str) -> TextAnswer:
        if text in set(TextCode):
            return TextAnswer(text=None, code=TextCode(text))
        return TextAnswer(text=text.upper(), code=TextCode.OK, found={"NAME": 1})


def make_harness(**options) -> tuple[UnaryHarness, RecordingRedactor]:
    redactor = RecordingRedactor()
    return UnaryHarness(policy=POLICY, redact=redactor, **options), redactor


def test_texts_are_answered_in_order_or_withheld_with_a_code() -> None:
    harness, _ = make_harness()
    asked = ["seen", "withheld", "", "timed_out", "home"]
    answer = harness.redact([TextToRedact(text=t) for t in asked], policy="notes@1")
    assert [(one.text, one.withheld) for one in answer.results] == [
        ("SEEN", None),
        (None, "withheld"),
        ("", None),
        (None, "timed_out"),
        ("HOME", None),
    ]
    assert answer.found == {"NAME": 3}


def test_a_redactor_is_told_what_the_caller_knows_and_whose_it_is() -> None:
    harness, redactor = make_harness()
    known = {KnownKind.NAMES: ("Ada", "N/K"), KnownKind.PHONES: ("01632 960001",)}
    harness.redact(
        [
            TextToRedact(text="a", patient=f" {ADA}", known=known),
            TextToRedact(text="b", patient="rx1", patient_kind="mrn@RXH"),
            TextToRedact(text="c", known=known),
        ],
        policy="notes@1",
    )
    own, local, nobodys = redactor.rows
    assert own.known == known | {KnownKind.NUMBERS: (ADA,)}
    assert list(own.pseudonyms) == [ADA]
    assert local.known == {KnownKind.NUMBERS: ("RX1",)}
    assert local.pseudonyms == {}
    assert own.shift_days is not None
    assert local.shift_days is not None
    assert (nobodys.known, nobodys.shift_days) == (known, None)
    assert own.surrogate_key is None
    # Whoever gets a pseudonym is registered; who only gets moved dates is charged.
    (commit,) = harness.journal.commits
    assert commit.change is not None
    assert sum(len(s.blind_index) // 16 for s in commit.change.segments) == 1
    assert {m.use.value for m in commit.change.disclosures} == {"pseudonym", "dates"}


def test_the_order_of_a_call_s_texts_changes_no_plan() -> None:
    harness, redactor = make_harness()
    texts = [
        TextToRedact(text="a", patient=ADA, known={KnownKind.PHONES: ("1",)}),
        TextToRedact(text="b", patient="rx1", patient_kind="mrn@RXH"),
        TextToRedact(text="c", known={KnownKind.NAMES: ("Ada",)}),
    ]
    plan_texts.cache_clear()
    harness.redact(texts, policy="notes@1")
    told = redactor.rows
    redactor.rows = []
    harness.redact(texts[::-1], policy="notes@1")
    assert plan_texts.cache_info().misses == 1
    assert redactor.rows == told[::-1]


def test_a_number_that_is_not_accepted_keeps_its_text() -> None:
    harness, redactor = make_harness()
    asked = [TextToRedact(text="a", patient=p) for p in ("123", " ", "")]
    answer = harness.redact(asked, policy="notes@1")
    assert [one.patient_refusal for one in answer.results] == [
        "wrong_length",
        "missing",
        None,
    ]
    assert [one.text for one in answer.results] == ["A"] * 3
    assert all(row.known == {} for row in redactor.rows)


def test_texts_of_the_opted_out_do_not_reach_the_redactor() -> None:
    harness, redactor = make_harness(opt_outs=make_opt_outs([BOB]))
    asked = [TextToRedact(text="a", patient=p) for p in (BOB, ADA, "123", "")]
    answer = harness.redact(asked, policy="notes@1")
    assert [one.withheld for one in answer.results] == [
        "opt_out",
        None,
        "uncheckable",
        "uncheckable",
    ]
    assert [one.patient_refusal for one in answer.results] == [None] * 4
    assert len(redactor.rows) == 1


def test_a_kind_that_the_policy_has_not_for_patients_is_refused() -> None:
    harness, _ = make_harness()
    text = TextToRedact(text="a", patient="1", patient_kind="chi_number")
    with pytest.raises(InvalidArgument, match="nhs_number, mrn@RXH"):
        harness.redact([text], policy="notes@1")
    assert harness.journal.commits == []


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    harness, _ = make_harness()
    monkeypatch.setattr(redact_texts, "MOST_BYTES", 5)
    fits = TextToRedact(text="abc", known={KnownKind.NAMES: ("é",)})
    assert harness.redact([fits], policy="notes@1").results[0].text == "ABC"
    with pytest.raises(BatchTooLarge):
        harness.redact([fits, TextToRedact(text="d")], policy="notes@1")
