"""A column of identifiers, read once: which row has whom."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import (
    CLASSES,
    NHS_NUMBER,
    IdentifierClass,
    IdentifierKind,
)
from pseudo_service.core.identifiers.superseded import (
    NOTHING_SUPERSEDED,
    REISSUED,
    ProjectSupersededNumbers,
    SupersededNumbers,
)
from pseudo_service.core.tables.identifier_columns import Identifiers, read_identifiers
from tests.lib.harnesses.deidentification import make_context
from tests.lib.values.nhs_numbers import make_nhs_number

RULES = make_context().identifier_rules
MRN = IdentifierKind.parse("mrn@RXH")
ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
SPACED = f"{ADA[:3]} {ADA[3:6]} {ADA[6:]}"
VALUES = st.lists(
    st.sampled_from([ADA, SPACED, BOB, EVE, "123", "not known", "", None]), max_size=12
)


def read(values: list[str | None], kind: IdentifierKind = NHS_NUMBER) -> Identifiers:
    return read_identifiers(pa.array(values, pa.string()), kind, RULES)


def list_people(found: Identifiers) -> list[str | None]:
    """Return the canonical identifier of each row."""
    people = found.canonical.to_pylist()
    return [people[at] if at >= 0 else None for at in found.places.tolist()]


def list_classes(found: Identifiers) -> list[IdentifierClass]:
    return [CLASSES[code] for code in found.classes.tolist()]


def supersede(
    *merges: tuple[str, str], reissued: tuple[str, ...] = (), follows: bool = True
) -> ProjectSupersededNumbers:
    old = [int(one) for one, _ in merges] + [int(one) for one in reissued]
    new = [int(one) for _, one in merges] + [REISSUED] * len(reissued)
    table = SupersededNumbers.build(np.array(old, np.int64), np.array(new, np.int64))
    return ProjectSupersededNumbers(table=table, follows_merges=follows)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(VALUES)
def test_each_row_has_what_its_value_alone_would_give(values: list[str | None]) -> None:
    found = read(values)
    alone = canonicalise(pa.array(values, pa.string()), NHS_NUMBER, RULES)
    assert list_people(found) == alone.values.to_pylist()
    assert found.classes.tolist() == alone.classes.tolist()
    assert found.canonical.null_count == 0
    assert len(set(found.canonical.to_pylist())) == len(found.canonical)
    assert set(found.canonical.to_pylist()) == set(list_people(found)) - {None}


def test_spellings_of_one_number_are_one_identifier() -> None:
    found = read([ADA, SPACED, BOB])
    assert found.canonical.to_pylist() == [ADA, BOB]
    assert found.places.tolist() == [0, 0, 1]


@pytest.mark.parametrize("value", [ADA, SPACED, "123", "", None])
def test_a_single_row_is_read_as_among_others(value: str | None) -> None:
    alone, among = read([value]), read([BOB, value]).select(np.array([1]))
    assert list_people(alone) == list_people(among)
    assert list_classes(alone) == list_classes(among)


def test_a_column_without_rows_or_values_names_nobody() -> None:
    assert list_people(read([])) == []
    nothing = read_identifiers(pa.nulls(2), NHS_NUMBER, RULES)
    assert list_people(nothing) == [None, None]
    assert nothing.is_present.tolist() == nothing.is_invalid.tolist() == [False] * 2


def test_a_slice_is_read_as_a_copy_of_it() -> None:
    values = pa.array([ADA, "123", None, BOB, SPACED], pa.string())
    found = read_identifiers(values.slice(1, 3), NHS_NUMBER, RULES)
    assert list_people(found) == [None, None, BOB]
    assert found.is_invalid.tolist() == [True, False, False]


def test_whole_numbers_are_identifiers_too() -> None:
    found = read_identifiers(pa.array([int(ADA), None]), NHS_NUMBER, RULES)
    assert list_people(found) == [ADA, None]


def test_present_invalid_and_missing_are_three_things() -> None:
    found = read([ADA, "123", "", None])
    assert found.is_present.tolist() == [True, False, False, False]
    assert found.is_invalid.tolist() == [False, True, False, False]
    assert found.list_unremarkable() == {
        IdentifierClass.TEST_RANGE,
        IdentifierClass.MISSING,
    }


def test_where_nothing_is_accepted_only_missing_is_unremarkable() -> None:
    assert read(["123"]).list_unremarkable() == {IdentifierClass.MISSING}


@settings(max_examples=50, deadline=None, derandomize=True)
@given(VALUES, st.data())
def test_selected_rows_keep_their_people_and_nobody_else(
    values: list[str | None], data: st.DataObject
) -> None:
    found = read(values)
    places = st.lists(st.integers(0, max(0, len(values) - 1)), unique=True)
    rows = sorted(data.draw(places)) if values else []
    kept = found.select(np.array(rows, np.int64))
    assert list_people(kept) == [list_people(found)[row] for row in rows]
    assert list_classes(kept) == [list_classes(found)[row] for row in rows]
    assert set(kept.canonical.to_pylist()) == set(list_people(kept)) - {None}


def test_where_every_row_stays_the_column_is_the_same() -> None:
    found = read([ADA, None])
    assert found.select(None) is found


def test_a_reissued_number_names_nobody_in_any_row() -> None:
    found = read([BOB, ADA, "123", None, SPACED])
    refused = found.refuse_reissued(supersede(reissued=(ADA,), follows=False))
    assert list_people(refused) == [BOB, None, None, None, None]
    assert list_classes(refused) == [
        IdentifierClass.TEST_RANGE,
        IdentifierClass.REISSUED,
        IdentifierClass.WRONG_LENGTH,
        IdentifierClass.MISSING,
        IdentifierClass.REISSUED,
    ]
    assert refused.canonical.to_pylist() == [BOB]
    assert refused.is_invalid.tolist() == [False, True, True, False, True]


def test_without_reissued_numbers_the_column_is_the_same() -> None:
    found = read([ADA, BOB])
    for superseded in (
        NOTHING_SUPERSEDED,
        supersede((ADA, BOB)),
        supersede(reissued=(EVE,)),
    ):
        assert found.refuse_reissued(superseded) is found


def test_a_merged_number_becomes_its_survivor() -> None:
    found = read([ADA, BOB, None, EVE, "123"])
    followed = found.follow_merges(supersede((ADA, BOB)))
    assert list_people(followed) == [BOB, BOB, None, EVE, None]
    assert followed.canonical.to_pylist() == [BOB, EVE]
    assert list_classes(followed) == list_classes(found)


def test_merges_are_followed_only_where_the_project_says_so() -> None:
    found = read([ADA, BOB])
    assert found.follow_merges(supersede((ADA, BOB), follows=False)) is found
    local = read([ADA], MRN)
    assert local.follow_merges(supersede((ADA, BOB))) is local


@settings(max_examples=50, deadline=None, derandomize=True)
@given(VALUES)
def test_each_row_gets_the_text_of_its_own_identifier(values: list[str | None]) -> None:
    found = read(values)
    texts = pa.array([f"<{one}>" for one in found.canonical.to_pylist()], pa.string())
    spread = found.spread(texts)
    assert spread.to_pylist() == [
        f"<{one}>" if one is not None else None for one in list_people(found)
    ]


def test_identifiers_print_no_number() -> None:
    assert ADA not in repr(read([ADA]))
