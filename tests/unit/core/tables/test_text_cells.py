"""The texts of a column: what the redactor is told of each, and what leaves."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.redaction import (
    NOTHING_KNOWN,
    TEXT_CODES,
    KnownIdentifiers,
    KnownKind,
    RedactTexts,
    TextAnswer,
    TextCode,
    TextRow,
    TextStyle,
)
from pseudo_service.core.tables.identifier_columns import read_identifiers
from pseudo_service.core.tables.text_cells import (
    Person,
    TextCells,
    describe_person,
    make_surrogate_key,
    merge_known,
    redact_column,
)
from tests.lib.harnesses.deidentification import make_context
from tests.lib.harnesses.redactors import FAILING, WordRedactor
from tests.lib.values.nhs_numbers import make_nhs_number

STYLE = TextStyle()
ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
NAMES, PHONES = KnownKind.NAMES, KnownKind.PHONES


def make_person(
    *places: int,
    canonical: Sequence[str] = (ADA, BOB),
    pseudonyms: Sequence[str] | None = None,
    macs: bytes | None = None,
    known: Sequence[KnownIdentifiers] | None = None,
    former: Mapping[int, tuple[str, ...]] | None = None,
) -> Person:
    return Person(
        places=list(places),
        canonical=list(canonical),
        pseudonyms=list(pseudonyms) if pseudonyms is not None else None,
        surrogate_macs=np.frombuffer(macs, np.uint8).reshape(-1, 16) if macs else None,
        known=known,
        former=former or {},
    )


def redact(
    texts: list[str | None],
    redactor: RedactTexts,
    *people: Person,
    known: Sequence[tuple[KnownKind, pa.Array]] = (),
    days: Sequence[int | None] | None = None,
) -> TextCells:
    return redact_column(
        pa.array(texts, pa.string()),
        known=known,
        people=people,
        shift_days=days,
        style=STYLE,
        redact=redactor,
    )


def ask(
    texts: list[str | None],
    *people: Person,
    known: Sequence[tuple[KnownKind, pa.Array]] = (),
    days: Sequence[int | None] | None = None,
) -> list[TextRow]:
    redactor = WordRedactor()
    redact(texts, redactor.redact, *people, known=known, days=days)
    return [row for row, _ in redactor.asked]


def list_codes(cells: TextCells) -> list[TextCode]:
    return [TEXT_CODES[code] for code in cells.codes.tolist()]


@pytest.mark.parametrize("texts", [[], [None, None]], ids=["no rows", "nulls"])
def test_without_a_text_the_redactor_is_not_asked(texts: list[str | None]) -> None:
    def refuse(rows: Sequence[TextRow], style: TextStyle) -> Sequence[TextAnswer]:
        raise AssertionError((rows, style))

    cells = redact(texts, refuse)
    assert cells.values.type == pa.string()
    assert cells.values.to_pylist() == texts
    assert list_codes(cells) == [TextCode.MISSING] * len(texts)
    assert cells.found == {}


def test_answers_stand_in_the_rows_of_their_texts() -> None:
    cells = redact([None, "a", "", None, "b"], WordRedactor().redact)
    assert cells.values.to_pylist() == [None, "a", "", None, "b"]
    assert [code is TextCode.OK for code in list_codes(cells)] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_a_slice_of_texts_is_redacted_as_it_stands() -> None:
    redactor = WordRedactor()
    cells = redact_column(
        pa.array(["first", "second", "third"]).slice(1, 1),
        known=[],
        people=[],
        shift_days=None,
        style=STYLE,
        redact=redactor.redact,
    )
    assert cells.values.to_pylist() == ["second"]
    assert [row.text for row, _ in redactor.asked] == ["second"]


def test_only_what_was_redacted_leaves_and_is_counted() -> None:
    def answer(rows: Sequence[TextRow], style: TextStyle) -> list[TextAnswer]:
        assert style is STYLE
        found = {"NAME": 2}
        return [
            TextAnswer(text="[NAME]", code=TextCode.OK, found=found),
            TextAnswer(text=None, code=TextCode.TIMED_OUT, found=found),
            TextAnswer(text="[NAME] x", code=TextCode.OK, found={"NAME": 1, "DATE": 1}),
        ][: len(rows)]

    cells = redact(["one", "two", "three"], answer)
    assert cells.values.to_pylist() == ["[NAME]", None, "[NAME] x"]
    assert list_codes(cells) == [TextCode.OK, TextCode.TIMED_OUT, TextCode.OK]
    assert cells.found == {"NAME": 3, "DATE": 1}


@pytest.mark.parametrize("failing", FAILING, ids=lambda kind: kind.__name__)
def test_a_redactor_that_fails_gives_no_text_back(failing: type[WordRedactor]) -> None:
    texts: list[str | None] = ["Ada", None, "Bob"]
    cells = redact(texts, failing().redact)
    assert cells.values.null_count == 3
    assert list_codes(cells) == [TextCode.FAILED, TextCode.MISSING, TextCode.FAILED]
    assert cells.found == {}


def test_each_row_is_told_its_own_columns_and_nothing_where_there_is_nothing() -> None:
    first, second, third = ask(
        ["a", "b", "c"],
        known=[
            (NAMES, pa.array(["Ada", "N/K", None])),
            (NAMES, pa.array([["Ady", "Ada"], [], ["Cy"]], pa.list_(pa.string()))),
            (PHONES, pa.array([7, None, None])),
        ],
    )
    assert first.known == {NAMES: ("Ada", "Ady"), PHONES: ("7",)}
    assert second.known == NOTHING_KNOWN
    assert third.known == {NAMES: ("Cy",)}
    assert not first.pseudonyms
    assert (first.surrogate_key, first.shift_days) == (None, None)


def test_everybody_whom_a_row_names_is_told_by_every_number() -> None:
    patient = make_person(
        1, -1, pseudonyms=["P-ADA", "P-BOB"], former={1: (EVE,)}, known=[{}, {}]
    )
    mother = make_person(0, 0, known=[{NAMES: ("Ada",)}, {}])
    first, second = ask(["a", "b"], patient, mother, days=[5, None])
    assert first.known == {KnownKind.NUMBERS: (BOB, EVE, ADA), NAMES: ("Ada",)}
    assert first.pseudonyms == {BOB: "P-BOB", EVE: "P-BOB"}  # the mother has none
    assert second.known == {KnownKind.NUMBERS: (ADA,), NAMES: ("Ada",)}
    assert not second.pseudonyms
    assert (first.shift_days, second.shift_days) == (5, None)


def test_the_first_patient_of_a_row_draws_its_surrogates() -> None:
    one, two = b"1" * 16, b"2" * 16
    first = make_person(0, -1, -1, canonical=[ADA], macs=one)
    other = make_person(0, 0, -1, canonical=[BOB], macs=two)
    named = make_person(0, 0, 0, canonical=[EVE])
    rows = ask(["a", "b", "c"], first, other, named)
    assert [row.surrogate_key for row in rows] == [
        make_surrogate_key(one),
        make_surrogate_key(two),
        None,
    ]


def test_a_surrogate_key_is_neither_the_mac_nor_another_patients() -> None:
    key = make_surrogate_key(b"1" * 16)
    assert len(key) == 32
    assert b"1" * 16 not in key
    assert key != make_surrogate_key(b"2" * 16)


def test_known_identifiers_are_merged_in_order_and_once() -> None:
    assert merge_known([]) == {}
    alone: KnownIdentifiers = {NAMES: ("Ada",)}
    assert merge_known([alone]) is alone
    merged = merge_known([alone, {NAMES: ("Ady", "Ada"), PHONES: ("7",)}])
    assert merged == {NAMES: ("Ada", "Ady"), PHONES: ("7",)}
    assert alone == {NAMES: ("Ada",)}


def test_a_person_without_a_table_is_told_nothing_of() -> None:
    column = read_identifiers(
        pa.array([BOB, None, ADA]), NHS_NUMBER, make_context().identifier_rules
    )
    person = describe_person(
        column,
        pseudonyms=pa.array(["P1", "P2"]),
        surrogate_macs=None,
        blind=np.zeros((2, 16), np.uint8),
        table=None,
    )
    assert (person.places, person.canonical) == ([0, -1, 1], [BOB, ADA])
    assert person.pseudonyms == ["P1", "P2"]
    assert person.known is None
    assert person.list_numbers(0) == (BOB,)
    assert BOB not in repr(person)
