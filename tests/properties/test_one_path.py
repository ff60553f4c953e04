# ruff: noqa: PLR0917 - Hypothesis gives the arguments by name
"""A table, a call of identifiers and a call of texts answer what the reference does."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.projects.project import Uncheckable
from pseudo_service.core.redaction import TextAnswer, TextCode, TextRow, TextStyle
from pseudo_service.engine.tables.pseudonymise_values import OPTED_OUT
from pseudo_service.engine.tables.redact_texts import TextToRedact
from tests.lib.harnesses.deidentification import (
    DATE_KEY,
    OPT_OUT_KEY,
    PSEUDONYM_KEYS,
    SURROGATE_KEY,
    TAG,
    VERSION,
    WEEKS,
    deidentify,
    list_rejected,
    make_context,
    make_opt_outs,
)
from tests.lib.harnesses.unary_calls import UnaryHarness
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.superseded_numbers import make_superseded
from tests.reference import engine as reference

KEYS = reference.Keys(
    tag=TAG,
    version=VERSION,
    pseudonym=PSEUDONYM_KEYS,
    date=DATE_KEY,
    opt_out=OPT_OUT_KEY,
    weeks=WEEKS,
)
NUMBERS = [make_nhs_number(seed) for seed in range(6)]
FATES: list[dict[str, str | None]] = [
    {},
    {
        NUMBERS[0]: NUMBERS[1],
        NUMBERS[1]: NUMBERS[2],
        NUMBERS[3]: NUMBERS[2],
        NUMBERS[4]: None,
    },
]
POLICY = """
policy: study-a/notes@1
patient: {column: number, kind: KIND}
columns:
  number: {treatment: TREATMENT}
  note: {treatment: redact_text, dates: shift, replacement: surrogates}
"""
TREATMENTS = {"answered": "pseudonymise, kind: KIND", "dropped": "drop"}
SAMPLES = {
    "nhs_number": [
        "",
        "  ",
        "N/K",
        "9999999999",
        "9990000000",
        "123",
        "abc",
        *NUMBERS,
        *(f"{number[:3]} {number[3:6]}-{number[6:]}" for number in NUMBERS),
        *(f"NHS {number}.0" for number in NUMBERS),
    ],
    "mrn@RXH": ["", "-", "RXH1", "rxh1", " RXH2", "0000", "two words", "R" * 41],
}


def echo(rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
    """Answer each text with what is known of its row."""
    del style
    return [TextAnswer(text=describe(row), code=TextCode.OK) for row in rows]


def describe(row: TextRow) -> str:
    key = row.surrogate_key.hex() if row.surrogate_key else None
    known = sorted((kind.value, sorted(found)) for kind, found in row.known.items())
    return repr((sorted(row.pseudonyms.items()), row.shift_days, key, known))


def expect_text(policy, kind: str, number: str | None, superseded) -> str:
    """Return what ``echo`` answers to a text whose patient has this number."""
    if number is None:
        return repr(([], None, None, []))
    numbers = [number]
    if kind == "nhs_number" and superseded.follows:
        numbers = sorted(
            n
            for n in superseded.find_all(number)
            if superseded.fates.get(n, n) is not None
        )
    answered = bool(reference.find_kinds(policy)) and policy.columns[0].output_name
    pseudonym = reference.write_pseudonym(KEYS, kind, number)
    mac = reference.compute_mac(SURROGATE_KEY, kind, number)
    key = hashlib.sha256(b"pseudo/v1/surrogate\x1f" + mac).hexdigest()
    date = reference.compute_mac(DATE_KEY, kind, number)
    days = -7 * (1 + int.from_bytes(date, "big") % WEEKS)
    pairs = [(one, pseudonym) for one in numbers] if answered else []
    return repr((pairs, days, key, [("numbers", numbers)]))


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("kind", SAMPLES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    data=st.data(),
    listed=st.none() | st.lists(st.sampled_from(NUMBERS), unique=True),
    is_allow_list=st.booleans(),
    uncheckable=st.sampled_from(Uncheckable),
    fates=st.sampled_from(FATES),
    follows=st.booleans(),
)
def test_three_ways_in_give_one_answer(
    kind, treatment, data, listed, is_allow_list, uncheckable, fates, follows
):
    values = data.draw(st.lists(st.sampled_from(SAMPLES[kind]), min_size=1, max_size=8))
    text = POLICY.replace("TREATMENT", TREATMENTS[treatment]).replace("KIND", kind)
    policy = parse_policy(text)
    superseded = make_superseded(fates, follows=follows)
    known = reference.Superseded(fates, follows)
    check = expected_check = None
    if listed is not None:
        check = make_opt_outs(
            listed,
            is_allow_list=is_allow_list,
            uncheckable=uncheckable,
            superseded=superseded.table,
        )
        expected_check = reference.OptOuts(
            set(listed), is_allow_list, uncheckable is Uncheckable.REMOVE
        )
    rows = [{"number": value, "note": "Seen"} for value in values]
    reasons = [
        reference.judge_row(policy, row, expected_check, known)
        if kind == "nhs_number" or expected_check is None
        else ("uncheckable" if expected_check.removes_uncheckable else None)
        for row in rows
    ]
    found = [reference.read_identifier(kind, value, known) for value in values]
    harness = UnaryHarness(
        policy=text, opt_outs=check, superseded=superseded, redact=echo
    )

    # 1. A table.
    batch = {
        "number": [row["number"] for row in rows],
        "note": [row["note"] for row in rows],
    }
    context = make_context(opt_outs=check, superseded=superseded, redact=echo)
    outcome = deidentify(text, batch, context)
    notes = [
        expect_text(policy, kind, number, known)
        for reason, (number, _) in zip(reasons, found, strict=True)
        if reason is None
    ]
    assert outcome.removals.list_reasons() == reasons
    assert outcome.batch.column("note").to_pylist() == notes
    people = {
        number
        for reason, (number, _) in zip(reasons, found, strict=True)
        if reason is None and number is not None
    }
    if treatment == "answered":
        assert outcome.batch.column("number").to_pylist() == [
            number and reference.write_pseudonym(KEYS, kind, number)
            for reason, (number, _) in zip(reasons, found, strict=True)
            if reason is None
        ]
        assert list_rejected(outcome) == {
            ("number", code, row)
            for row, (reason, (number, code)) in enumerate(
                zip(reasons, found, strict=True)
            )
            if reason != "opt_out" and number is None and code != "missing"
        }

    # 2. A call of identifiers.
    answer = harness.pseudonymise(values, kind)
    assert [(one.pseudonym, one.refusal) for one in answer.results] == [
        expect_value(kind, reason, number, code)
        for reason, (number, code) in zip(reasons, found, strict=True)
    ]
    check_people(harness, kind, people)

    # 3. A call of texts.
    again = harness.redact(
        [TextToRedact(text="Seen", patient=value) for value in values], policy="notes@1"
    )
    texts = iter(notes)
    assert [(one.text, one.withheld, one.patient_refusal) for one in again.results] == [
        (None, reason, None)
        if reason is not None
        else (next(texts), None, code if value and number is None else None)
        for value, reason, (number, code) in zip(values, reasons, found, strict=True)
    ]
    check_people(harness, kind, people)


def expect_value(kind, reason, number, code) -> tuple[str | None, str | None]:
    if reason == "opt_out" or (reason == "uncheckable" and number is not None):
        return None, OPTED_OUT
    if number is None:
        return None, code
    return reference.write_pseudonym(KEYS, kind, number), None


def check_people(harness: UnaryHarness, kind: str, people: set[str]) -> None:
    """The call's people, and nobody else, were watched for."""
    asked = harness.monitor.asked
    assert asked == ([(kind, tuple(sorted(people)))] if people else [])
    asked.clear()
