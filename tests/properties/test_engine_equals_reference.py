# ruff: noqa: DTZ001, PLR0917 - naive times, as hospitals write; no keywords
"""The bulk engine answers what the row-by-row reference answers."""

from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.projects.project import Uncheckable
from tests.lib.harnesses.deidentification import (
    DATE_KEY,
    OPT_OUT_KEY,
    PREVIOUS_KEYS,
    PSEUDONYM_KEYS,
    TAG,
    VERSION,
    WEEKS,
    deidentify,
    list_rejected,
    make_context,
    make_opt_outs,
)
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.lib.values.superseded_numbers import make_superseded
from tests.reference import engine as reference

SENTINELS = frozenset({date(1900, 1, 1), date(9999, 12, 31)})
OLD_KEYS = reference.Keys(
    tag=TAG,
    version=VERSION - 1,
    pseudonym=PREVIOUS_KEYS,
    date=DATE_KEY,
    opt_out=OPT_OUT_KEY,
    weeks=WEEKS,
)
KEYS = replace(OLD_KEYS, version=VERSION, pseudonym=PSEUDONYM_KEYS)
NUMBERS = [make_nhs_number(seed) for seed in range(6)]
# A chain, a second number of its end, and one that another person has.
FATES = [
    {},
    {
        NUMBERS[0]: NUMBERS[1],
        NUMBERS[1]: NUMBERS[2],
        NUMBERS[3]: NUMBERS[2],
        NUMBERS[4]: None,
    },
]

SHIFTED = """
policy: study-a/everything@1
patient:
  column: nhs
  kind: nhs_number
  else: {column: mrn, kind: mrn@RXH}
sentinels: [1911-11-11]
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number, rename: patient, previous: old_patient}
  mother: {treatment: pseudonymise, kind: nhs_number, on_invalid: remove_row}
  mrn: {treatment: pseudonymise, kind: mrn@RXH, previous: old_mrn}
  at: {treatment: shift_date, time_of_day: keep}
  day: {treatment: shift_date}
  text_date: {treatment: shift_date, time_of_day: keep, formats: ["%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m", "%Y"]}
  month: {treatment: generalise, to: month, formats: ["%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m", "%Y"]}
  born: {treatment: generalise, to: age_band, as_of: 2024-03-31}
  age: {treatment: generalise, to: age_band}
  postcode: {treatment: generalise, to: outward_code}
  code: {treatment: exclude_rows, codes: ["Z31*", A56.0], list: restricted, then: keep, reason: outcome}
  sex: {treatment: keep, reason: stratification}
  name: {treatment: drop}
  note: {treatment: redact_text, known: {names: [name]}}
"""
UNSHIFTED = (
    SHIFTED.replace("treatment: shift_date, time_of_day: keep, formats", "treatment: generalise, to: year, formats")
    .replace("treatment: shift_date, time_of_day: keep", "treatment: generalise, to: month")
    .replace("treatment: shift_date", "treatment: generalise, to: year")
    .replace("to: outward_code", "to: postcode_area")
    .replace("then: keep, reason: outcome", "then: drop")
    .replace("column: nhs\n", "column: mrn\n")
    .replace("kind: nhs_number\n  else: {column: mrn, kind: mrn@RXH}", "kind: mrn@RXH")
)  # fmt: skip

SCHEMA = pa.schema(
    {
        "nhs": pa.string(),
        "mother": pa.string(),
        "mrn": pa.large_string(),
        "at": pa.timestamp("us"),
        "day": pa.date32(),
        "text_date": pa.string(),
        "month": pa.string(),
        "born": pa.date32(),
        "age": pa.int16(),
        "postcode": pa.string(),
        "code": pa.string(),
        "sex": pa.string(),
        "name": pa.string(),
        "note": pa.string(),
    }
)


def spell(number: str) -> list[str]:
    grouped = f"{number[:3]} {number[3:6]} {number[6:]}"
    return [
        number,
        grouped,
        grouped.replace(" ", "-"),
        grouped.replace(" ", "\u00a0"),
        f" {number}.0",
        f"NHS {number}",
        "".join(chr(ord(digit) + 0xFEE0) for digit in number),
    ]


bad_numbers = st.sampled_from(
    ["", "-", "N/K", "Unknown", "9999999999", "9990000000", "123", "abc", NUMBERS[0] + "1"]
)  # fmt: skip
nhs_numbers = st.none() | bad_numbers | st.sampled_from(NUMBERS).flatmap(
    lambda number: st.sampled_from(spell(number))
)  # fmt: skip
local_numbers = st.none() | st.sampled_from(
    ["RXH1", "rxh1", " RXH2", "0000", "XX", "n/a", "", "two words", "R" * 41, "é1"]
)
days = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.sampled_from(
    [date(1900, 1, 1), date(9999, 12, 31), date(1911, 11, 11), date(2024, 2, 29)]
)
usual_days = st.dates(date(1850, 1, 1), date(2030, 12, 31))
text_dates = (
    st.none()
    | st.sampled_from(["", "unknown", "31/02/2020", "soon", "1900", "1900-01", "2021", "2021-04", "9999"])
    | usual_days.map(date.isoformat)
    | usual_days.map(lambda day: f"{day:%d/%m/%Y}")
    | st.datetimes(datetime(1850, 1, 1), datetime(2030, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0).isoformat()
    )
)  # fmt: skip
row = st.fixed_dictionaries(
    {
        "nhs": nhs_numbers,
        "mother": nhs_numbers,
        "mrn": local_numbers,
        "at": st.none() | st.datetimes() | days.map(lambda d: datetime(d.year, d.month, d.day, 13)),
        "day": st.none() | days,
        "text_date": text_dates,
        "month": text_dates,
        "born": st.none() | usual_days,
        "age": st.none() | st.integers(-3, 140),
        "postcode": st.sampled_from([None, "", "OX3 9DU", "ox39du", "W1A 1AA", "M1 1AE", "Oxford", "OX3"]),
        "code": st.sampled_from([None, "", "E11.9", "Z31.1", "z311", "A560", "A56.1", "E119; Z31", "E119(Z 31)", "A 56.0", "Z30"]),
        "sex": st.sampled_from([None, "M", "F"]),
        "name": st.sampled_from([None, "Ada"]),
        "note": st.sampled_from([None, "", "Seen by Dr Who"]),
    }
)  # fmt: skip


@pytest.mark.parametrize("text", [SHIFTED, UNSHIFTED], ids=["shifted", "unshifted"])
@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    rows=st.lists(row, max_size=12),
    listed=st.none() | st.lists(st.sampled_from(NUMBERS), unique=True),
    is_allow_list=st.booleans(),
    uncheckable=st.sampled_from(Uncheckable),
    fates=st.sampled_from(FATES),
    follows=st.booleans(),
    overlaps=st.booleans(),
)
def test_same_rows_counts_rejections_and_identities(
    text, rows, listed, is_allow_list, uncheckable, fates, follows, overlaps
):
    check = expected_check = None
    superseded = make_superseded(fates, follows=follows)
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
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)

    context = make_context(
        sentinels=SENTINELS, opt_outs=check, superseded=superseded, overlaps=overlaps
    )
    outcome = deidentify(text, batch, context)
    policy = parse_policy(text)
    expected = reference.deidentify(
        policy,
        rows,
        keys=replace(KEYS, previous=OLD_KEYS if overlaps else None),
        sentinels=SENTINELS | policy.sentinels,
        opt_outs=expected_check,
        superseded=reference.Superseded(fates, follows),
    )

    assert outcome.batch.to_pylist() == expected.rows
    assert outcome.removed == expected.removed
    assert {k: dict(v) for k, v in outcome.counts.items() if v} == expected.counts
    assert list_rejected(outcome) == expected.rejected
    found = {i.kind.text: set(i.canonical.to_pylist()) for i in outcome.identities}
    assert found == expected.identities
    assert outcome.rows_in - sum(outcome.removed.values()) == outcome.batch.num_rows


def test_columns_of_integers_give_the_pseudonyms_of_text():
    policy = """
policy: study-a/numbers@1
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
"""
    as_text = deidentify(policy, {"nhs": NUMBERS}).batch
    as_integers = deidentify(policy, {"nhs": [int(n) for n in NUMBERS]}).batch
    as_floats = deidentify(policy, {"nhs": [float(n) for n in NUMBERS]}).batch

    assert as_text.equals(as_integers)
    assert as_text.equals(as_floats)
