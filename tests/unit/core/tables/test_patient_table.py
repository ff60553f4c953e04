"""A patient table: what schema it takes, and what it says of whom."""

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    ColumnMissing,
    ColumnTypeUnsuitable,
    ColumnUnlisted,
    PatientTableRefused,
    PseudoError,
)
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.identifiers.superseded import (
    NOTHING_SUPERSEDED,
    REISSUED,
    ProjectSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.policies.text_rules import PatientTableRule
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.redaction import NOTHING_KNOWN, KnownIdentifiers, KnownKind
from pseudo_service.core.tables import patient_table
from pseudo_service.core.tables.patient_table import (
    MOST_ROWS_OF_ONE,
    PatientTable,
    check_schema,
    write_known,
)
from tests.lib.harnesses.deidentification import BLIND_KEY, make_context
from tests.lib.values.nhs_numbers import make_nhs_number

RULE = PatientTableRule(
    name="patients",
    column="number",
    kind=NHS_NUMBER,
    known={KnownKind.NAMES: ("forename", "alias"), KnownKind.DATES: ("born",)},
)
SCHEMA = pa.schema(
    {
        "number": pa.string(),
        "forename": pa.string(),
        "alias": pa.string(),
        "born": pa.date32(),
    }
)
HASHING = KeyedHash(SecretKey(BLIND_KEY), NHS_NUMBER)
ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
BORN = date(1950, 2, 3)
Row = tuple[str | None, str | None, str | None, date | None]


def make_table(
    *parts: list[Row],
    schema: pa.Schema = SCHEMA,
    superseded: ProjectSupersededNumbers = NOTHING_SUPERSEDED,
) -> PatientTable:
    table = PatientTable(
        RULE,
        schema,
        hashing=HASHING,
        rules=make_context().identifier_rules,
        superseded=superseded,
    )
    for rows in parts:
        columns = [
            pa.array([row[at] for row in rows], field.type)
            for at, field in enumerate(schema)
        ]
        table.add(pa.record_batch(columns, schema=schema))
    table.seal()
    return table


def find(table: PatientTable, *numbers: str) -> list[KnownIdentifiers]:
    return list(table.find(HASHING.mac(pa.array(numbers, pa.string()))))


def make_superseded(old: str, new: int) -> ProjectSupersededNumbers:
    table = SupersededNumbers.build(np.array([int(old)]), np.array([new]))
    return ProjectSupersededNumbers(table=table, follows_merges=True)


@pytest.mark.parametrize(
    ("schema", "error", "match"),
    [
        (SCHEMA.append(pa.field("phone", pa.string())), ColumnUnlisted, "leave it out"),
        (SCHEMA.remove(2), ColumnMissing, '"alias".*send it'),
        (SCHEMA.append(SCHEMA.field(1)), PatientTableRefused, "send each once"),
        (
            SCHEMA.set(0, pa.field("number", pa.date32())),
            ColumnTypeUnsuitable,
            '"number".*cannot be used',
        ),
        (
            SCHEMA.set(1, pa.field("forename", pa.list_(pa.string()))),
            ColumnTypeUnsuitable,
            '"forename".*cannot be used',
        ),
    ],
    ids=["a column too many", "one too few", "one twice", "number", "known"],
)
def test_another_schema_is_refused_and_says_what_to_send(
    schema: pa.Schema, error: type[PseudoError], match: str
) -> None:
    with pytest.raises(error, match=match):
        check_schema(RULE, schema)
    with pytest.raises(error):
        make_table(schema=schema)


def test_the_order_of_the_columns_is_free() -> None:
    check_schema(RULE, pa.schema(list(reversed(list(SCHEMA)))))


def test_each_patient_is_told_what_its_own_rows_say() -> None:
    table = make_table(
        [(ADA, "Ada", "Adeline", BORN), (BOB, "Bob", None, None)],
        [(ADA, "Ada", "Ady", None)],
    )
    ada, nobody, bob = find(table, ADA, EVE, BOB)
    assert ada == {
        KnownKind.NAMES: ("Ada", "Adeline", "Ady"),
        KnownKind.DATES: ("1950-02-03",),
    }
    assert nobody == NOTHING_KNOWN
    assert bob == {KnownKind.NAMES: ("Bob",), KnownKind.DATES: ()}


def test_however_it_is_cut_the_table_says_the_same() -> None:
    rows: list[Row] = [
        (ADA, "Ada", "A", BORN),
        (BOB, "Bob", "B", BORN),
        (ADA, "Ad", None, None),
    ]
    whole = find(make_table(rows), ADA, BOB)
    assert find(make_table(rows[:1], [], rows[1:]), ADA, BOB) == whole


def test_a_slice_of_a_batch_is_taken_as_it_stands() -> None:
    batch = pa.record_batch(
        [
            pa.array([BOB, ADA], pa.string()),
            pa.array(["Bob", "Ada"], pa.string()),
            pa.array([None, None], pa.string()),
            pa.array([None, BORN], pa.date32()),
        ],
        schema=SCHEMA,
    )
    table = PatientTable(
        RULE, SCHEMA, hashing=HASHING, rules=make_context().identifier_rules
    )
    table.add(batch.slice(1))
    table.seal()
    assert find(table, BOB, ADA) == [
        NOTHING_KNOWN,
        {KnownKind.NAMES: ("Ada",), KnownKind.DATES: ("1950-02-03",)},
    ]
    assert table.rows == 1


def test_rows_without_a_usable_number_count_but_say_nothing() -> None:
    table = make_table(
        [("123", "Eve", None, None), (None, "Zed", None, None), ("", "Y", None, None)]
    )
    assert table.rows == 3
    assert find(table, ADA) == [NOTHING_KNOWN]


def test_a_reissued_number_lends_nobody_its_names() -> None:
    rows: list[Row] = [(ADA, "Ada", None, None), (BOB, "Bob", None, None)]
    ada, bob = find(
        make_table(rows, superseded=make_superseded(ADA, REISSUED)), ADA, BOB
    )
    assert ada == NOTHING_KNOWN
    assert bob[KnownKind.NAMES] == ("Bob",)


def test_rows_of_a_merged_number_are_the_survivors() -> None:
    rows: list[Row] = [(ADA, "Ada", None, None), (BOB, "Bob", None, None)]
    (bob,) = find(make_table(rows, superseded=make_superseded(ADA, int(BOB))), BOB)
    assert bob[KnownKind.NAMES] == ("Ada", "Bob")


def test_of_one_patient_a_bounded_number_of_rows_is_used() -> None:
    rows: list[Row] = [
        (ADA, f"Name{at}", None, None) for at in range(MOST_ROWS_OF_ONE + 5)
    ]
    (ada,) = find(make_table(rows), ADA)
    assert ada[KnownKind.NAMES] == tuple(f"Name{at}" for at in range(MOST_ROWS_OF_ONE))


def test_nobody_is_asked_for() -> None:
    table = make_table([(ADA, "Ada", None, None)])
    assert list(table.find(np.zeros((0, 16), np.uint8))) == []


def test_text_that_would_not_fit_is_joined_as_large_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patient_table, "_MOST_OF_PLAIN_TEXT", 8)
    table = make_table([(ADA, "Adelaide", "Ada", BORN)], [(BOB, "Bob", "B", BORN)])
    ada, bob = find(table, ADA, BOB)
    assert ada[KnownKind.NAMES] == ("Adelaide", "Ada")
    assert bob[KnownKind.NAMES] == ("Bob", "B")


def test_views_of_text_are_taken_as_text() -> None:
    schema = SCHEMA.set(1, pa.field("forename", pa.string_view()))
    table = make_table(
        [(ADA, "Ada", None, None)], [(BOB, "Bob", None, None)], schema=schema
    )
    assert [known[KnownKind.NAMES] for known in find(table, ADA, BOB)] == [
        ("Ada",),
        ("Bob",),
    ]


def test_the_numbers_of_the_patients_are_not_kept() -> None:
    table = make_table([(ADA, "Ada", None, None)])
    held = repr({name: value for name, value in vars(table).items() if name != "_rule"})
    assert ADA not in held
    assert table.kind_text == "nhs_number"
    assert repr(table) == "PatientTable(...)"


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (pa.array(["Ada", "N/K", " ", None]), ["Ada", None, None, None]),
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, 7.5, None]), ["7", None, None]),
        (pa.array([BORN, None]), ["1950-02-03", None]),
        (pa.array([BORN], pa.date64()), ["1950-02-03"]),
        (pa.array([datetime(1950, 2, 3, 23, 59)]), ["1950-02-03"]),  # noqa: DTZ001
        (
            pa.array(
                [datetime(2020, 6, 30, 23, 30, tzinfo=UTC)],
                pa.timestamp("us", "Europe/London"),
            ),
            ["2020-07-01"],
        ),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.string()), []),
    ],
    ids=["text", "whole", "float", "date", "date64", "time", "zone", "null", "empty"],
)
def test_values_are_written_as_a_note_could_write_them(
    values: pa.Array, written: list[str | None]
) -> None:
    assert write_known(values) == written
