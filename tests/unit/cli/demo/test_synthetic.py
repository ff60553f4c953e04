"""The invented extract: seeded, untidy in known shares, and nobody's data."""

import collections
import re
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.demo.synthetic import (
    make_extract,
    make_nhs_numbers,
    write_extract,
)
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import (
    CLASSES,
    ChiInNhsColumn,
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)

PATIENTS = 2_000
ADMISSIONS = 10_000


@pytest.fixture(scope="module")
def extract():
    return make_extract(patients=PATIENTS, admissions=ADMISSIONS, seed=7)


def test_the_same_seed_makes_the_same_extract(extract):
    again = make_extract(patients=PATIENTS, admissions=ADMISSIONS, seed=7)
    other = make_extract(patients=PATIENTS, admissions=ADMISSIONS, seed=8)
    assert again.patients.equals(extract.patients)
    assert again.admissions.equals(extract.admissions)
    assert again.opt_outs.equals(extract.opt_outs)
    assert not other.patients.equals(extract.patients)


def test_nhs_numbers_are_distinct_of_the_test_range_and_rightly_checked():
    numbers = make_nhs_numbers(np.random.default_rng(3), 5_000)
    assert len(set(numbers.tolist())) == 5_000
    for number in map(str, numbers.tolist()):
        assert number.startswith("999")
        total = sum(int(d) * w for d, w in zip(number, range(10, 1, -1), strict=False))
        assert (11 - total % 11) % 11 == int(number[9])


def test_more_patients_than_test_numbers_are_refused():
    with pytest.raises(InvalidArgument, match="test range"):
        make_nhs_numbers(np.random.default_rng(3), 950_000)


@pytest.mark.parametrize(("patients", "admissions"), [(9, 100), (100, 9)])
def test_an_extract_too_small_to_show_anything_is_refused(patients, admissions):
    with pytest.raises(InvalidArgument, match="at least 10"):
        make_extract(patients=patients, admissions=admissions)


def test_every_kind_of_fault_occurs_and_most_numbers_are_right(extract):
    rules = IdentifierRules(
        accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
    )
    column = extract.admissions["nhs_number"].combine_chunks()
    found = canonicalise(column, IdentifierKind.parse("nhs_number"), rules)
    counts = collections.Counter(CLASSES[code] for code in found.classes.tolist())
    assert set(counts) == {
        IdentifierClass.TEST_RANGE,
        IdentifierClass.MISSING,
        IdentifierClass.BAD_CHECK_DIGIT,
        IdentifierClass.WRONG_LENGTH,
        IdentifierClass.DUMMY,
    }
    assert 0.94 < counts[IdentifierClass.TEST_RANGE] / ADMISSIONS < 0.97
    known = set(extract.numbers.to_pylist())
    assert set(found.values.drop_null().to_pylist()) <= known


def test_nhs_numbers_are_written_in_many_ways(extract):
    texts = extract.admissions["nhs_number"].drop_null().to_pylist()
    shapes = {re.sub("[0-9]", "9", text) for text in texts if text.isascii()}
    assert {"9999999999", "999 999 9999", "999-999-9999", "9999999999.9"} <= shapes
    assert any("\N{NO-BREAK SPACE}" in text for text in texts)
    assert any(text.isnumeric() and not text.isascii() for text in texts)


def test_discharge_follows_admission(extract):
    stays = pc.subtract(
        extract.admissions["discharged"], extract.admissions["admitted"]
    )
    assert pc.min(pc.cast(stays, "int64")).as_py() > 0


def test_opt_outs_are_plain_numbers_of_patients(extract):
    listed = extract.opt_outs["nhs_number"].to_pylist()
    assert len(listed) == PATIENTS * 2 // 100
    assert set(listed) <= set(extract.numbers.to_pylist())


def test_the_files_hold_what_was_made(extract, tmp_path: Path):
    files = write_extract(extract, tmp_path / "extract")
    text = pyarrow.csv.ConvertOptions(
        column_types={"nhs_number": "string", "telephone": "string"}
    )
    patients = pyarrow.csv.read_csv(files.patients, convert_options=text)
    assert patients.num_rows == PATIENTS
    assert patients["surname"].equals(extract.patients["surname"])
    assert pq.read_table(files.admissions).equals(extract.admissions)
    assert pyarrow.csv.read_csv(files.opt_outs).column_names == ["nhs_number"]
