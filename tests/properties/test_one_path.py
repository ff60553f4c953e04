# ruff: noqa: PLR0917 - Hypothesis gives the arguments by name
"""A table, calls of identifiers and a call of texts answer what the reference does.

They also leave the same record: who is registered, released and charged.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.projects.project import Uncheckable
from pseudo_service.core.redaction import TextAnswer, TextCode, TextRow, TextStyle
from pseudo_service.core.tables.batch_values import BatchOutcome
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
from tests.lib.harnesses.unary_calls import ReleaseRecord, UnaryHarness
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
COLUMNS = {"nhs_number": "number", "mrn@RXH": "local"}
NOTE = "{treatment: redact_text, dates: shift, replacement: surrogates}"
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


@dataclass(frozen=True)
class Row:
    """A row that names its patient by one kind, and what the reference says of it."""

    kind: str
    value: str
    number: str | None
    found: str
    reason: str | None

    @property
    def is_answered(self) -> bool:
        return self.reason is None and self.number is not None


def write_policy(kinds: Sequence[str], answered: Collection[str]) -> str:
    sources = [f"{{column: {COLUMNS[kind]}, kind: {kind}}}" for kind in kinds]
    patient = sources[0]
    if len(sources) > 1:
        patient = patient.replace("}", f", else: {sources[1]}}}")
    lines = ["policy: study-a/notes@1", f"patient: {patient}", "columns:"]
    for kind in kinds:
        done = f"pseudonymise, kind: {kind}" if kind in answered else "drop"
        lines.append(f"  {COLUMNS[kind]}: {{treatment: {done}}}")
    return "\n".join([*lines, f"  note: {NOTE}"])


def make_table(kinds: Sequence[str], rows: Sequence[Row]) -> pa.RecordBatch:
    columns = {
        COLUMNS[kind]: [row.value if row.kind == kind else None for row in rows]
        for kind in kinds
    }
    schema = pa.schema([(name, pa.string()) for name in (*columns, "note")])
    return pa.record_batch({**columns, "note": ["Seen"] * len(rows)}, schema=schema)


def list_people(rows: Sequence[Row], kinds: Iterable[str]) -> dict[str, set[str]]:
    """Return who is answered of some kinds; a kind of which nobody is left out."""
    people = {
        kind: {row.number for row in rows if row.kind == kind and row.is_answered}
        for kind in kinds
    }
    return {kind: found for kind, found in people.items() if found}


def read_people(identities: Sequence[Identities]) -> dict[str, set[str]]:
    return {one.kind.text: set(one.canonical.to_pylist()) for one in identities}


def expect_text(row: Row, answered: Collection[str], superseded) -> str:
    """Return what ``echo`` answers to a text of this row."""
    if row.number is None:
        return repr(([], None, None, []))
    numbers = [row.number]
    if row.kind == "nhs_number" and superseded.follows:
        numbers = sorted(
            n
            for n in superseded.find_all(row.number)
            if superseded.fates.get(n, n) is not None
        )
    pseudonym = reference.write_pseudonym(KEYS, row.kind, row.number)
    mac = reference.compute_mac(SURROGATE_KEY, row.kind, row.number)
    key = hashlib.sha256(b"pseudo/v1/surrogate\x1f" + mac).hexdigest()
    date = reference.compute_mac(DATE_KEY, row.kind, row.number)
    days = -7 * (1 + int.from_bytes(date, "big") % WEEKS)
    pairs = [(one, pseudonym) for one in numbers] if row.kind in answered else []
    return repr((pairs, days, key, [("numbers", numbers)]))


ONE_KIND = [((kind,), answered) for kind in SAMPLES for answered in ((kind,), ())]
TWO_KINDS = [
    (tuple(SAMPLES), answered)
    for answered in (tuple(SAMPLES), ("nhs_number",), ("mrn@RXH",), ())
]


@pytest.mark.parametrize(("kinds", "answered"), [*ONE_KIND, *TWO_KINDS])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    data=st.data(),
    listed=st.none() | st.lists(st.sampled_from(NUMBERS), unique=True),
    is_allow_list=st.booleans(),
    uncheckable=st.sampled_from(Uncheckable),
    fates=st.sampled_from(FATES),
    follows=st.booleans(),
)
def test_three_ways_in_give_one_answer(
    kinds, answered, data, listed, is_allow_list, uncheckable, fates, follows
):
    text = write_policy(kinds, answered)
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
    cell = st.sampled_from(kinds).flatmap(
        lambda kind: st.tuples(st.just(kind), st.sampled_from(SAMPLES[kind]))
    )
    rows = [
        judge(text, kind, value, expected_check, known)
        for kind, value in data.draw(st.lists(cell, min_size=1, max_size=8))
    ]

    def make_harness() -> UnaryHarness:
        return UnaryHarness(
            policy=text, opt_outs=check, superseded=superseded, redact=echo
        )

    # 1. A table.
    context = make_context(opt_outs=check, superseded=superseded, redact=echo)
    outcome = deidentify(text, make_table(kinds, rows), context)
    check_table(outcome, rows, answered, known)
    dated = [kind for kind in kinds if kind not in answered]
    assert read_people(outcome.identities) == list_people(rows, answered)
    assert read_people(outcome.dated) == list_people(rows, dated)
    harness = make_harness()
    harness.release_table(outcome)
    record = harness.read_record()
    check_record(record, rows, answered)

    # 2. Calls of identifiers, one for each kind.
    harness = make_harness()
    for kind in kinds:
        check_values(harness, kind, [row for row in rows if row.kind == kind])
    called = harness.read_record()
    check_record(called, rows, kinds)
    assert called.charged == record.charged

    # 3. A call of texts.
    harness = make_harness()
    check_texts(harness, rows, answered, known)
    assert harness.read_record() == record


def judge(
    policy: str,
    kind: str,
    value: str,
    opt_outs: reference.OptOuts | None,
    superseded: reference.Superseded,
) -> Row:
    """Return the row of one patient, as the reference judges it."""
    number, found = reference.read_identifier(kind, value, superseded)
    cells = dict.fromkeys((*COLUMNS.values(), "note")) | {COLUMNS[kind]: value}
    reason = reference.judge_row(parse_policy(policy), cells, opt_outs, superseded)
    return Row(kind=kind, value=value, number=number, found=found, reason=reason)


def check_table(
    outcome: BatchOutcome,
    rows: Sequence[Row],
    answered: Collection[str],
    superseded: reference.Superseded,
) -> None:
    kept = [row for row in rows if row.reason is None]
    assert outcome.removals.list_reasons() == [row.reason for row in rows]
    assert outcome.batch.column("note").to_pylist() == [
        expect_text(row, answered, superseded) for row in kept
    ]
    for kind in answered:
        assert outcome.batch.column(COLUMNS[kind]).to_pylist() == [
            reference.write_pseudonym(KEYS, kind, row.number)
            if row.kind == kind and row.number
            else None
            for row in kept
        ]
    assert list_rejected(outcome) == {
        (COLUMNS[row.kind], row.found, place)
        for place, row in enumerate(rows)
        if row.kind in answered and row.reason != "opt_out"
        if row.number is None and row.found != "missing"
    }


def check_values(harness: UnaryHarness, kind: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    answer = harness.pseudonymise([row.value for row in rows], kind)
    assert [(one.pseudonym, one.refusal) for one in answer.results] == [
        expect_value(row) for row in rows
    ]
    check_watched(harness, rows)


def expect_value(row: Row) -> tuple[str | None, str | None]:
    if row.reason == "opt_out" or (row.reason == "uncheckable" and row.number):
        return None, OPTED_OUT
    if row.number is None:
        return None, row.found
    return reference.write_pseudonym(KEYS, row.kind, row.number), None


def check_texts(
    harness: UnaryHarness,
    rows: Sequence[Row],
    answered: Collection[str],
    superseded: reference.Superseded,
) -> None:
    texts = [
        TextToRedact(text="Seen", patient=row.value, patient_kind=row.kind)
        for row in rows
    ]
    answer = harness.redact(texts, policy="notes@1")
    assert [
        (one.text, one.withheld, one.patient_refusal) for one in answer.results
    ] == [
        (None, row.reason, None)
        if row.reason is not None
        else (
            expect_text(row, answered, superseded),
            None,
            row.found if row.value and row.number is None else None,
        )
        for row in rows
    ]
    check_watched(harness, rows)


def check_watched(harness: UnaryHarness, rows: Sequence[Row]) -> None:
    """The call's people, and nobody else, were watched for."""
    people = list_people(rows, COLUMNS)
    asked = harness.monitor.asked
    assert sorted(asked) == sorted(
        (kind, tuple(sorted(found))) for kind, found in people.items()
    )
    asked.clear()


def check_record(
    record: ReleaseRecord, rows: Sequence[Row], answered: Collection[str]
) -> None:
    """Whoever is answered is registered; everybody is released and charged."""
    people = {k: len(found) for k, found in list_people(rows, COLUMNS).items()}
    assert record.registered == {k: n for k, n in people.items() if k in answered}
    assert record.released == {
        (kind, "pseudonym" if kind in answered else "dates"): count
        for kind, count in people.items()
    }
    assert len(record.charged) == sum(people.values())
