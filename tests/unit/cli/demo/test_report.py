"""What the demo picks to show, and how it is printed where nobody watches."""

from datetime import datetime, timedelta

import pyarrow as pa

from pseudo_service.cli.console.output import show_table
from pseudo_service.cli.demo.report import (
    choose_spellings,
    find_stays,
    match_patients,
    show_stays,
)

PSEUDONYMS = {"9990000018": "A", "999 000 0026": "B", "9990000034": "C"}
BEFORE = pa.table(
    {"nhs_number": ["9990000018", None, "9990000034", "999 000 0026", "999x"]}
)
AFTER = pa.table({"patient": ["C", "B", None, "A"]})


def test_patients_are_matched_by_their_pseudonyms():
    assert match_patients(BEFORE, AFTER, PSEUDONYMS) == [(0, 3), (2, 0), (3, 1)]


def test_each_patient_shown_is_written_in_another_way():
    matched = match_patients(BEFORE, AFTER, PSEUDONYMS)
    assert choose_spellings(BEFORE, matched, 4) == [(0, 3), (3, 1)]
    assert choose_spellings(BEFORE, matched, 1) == [(0, 3)]


def _stays(name, patient, days):
    first = datetime(2024, 3, 4, 9)  # noqa: DTZ001 - extracts have no zone
    admitted = [first + timedelta(days=each) for each in days]
    return pa.table({name: [patient] * len(days), "admitted": admitted})


def test_stays_are_of_a_patient_whose_rows_all_left_the_hospital(capsys):
    before = pa.concat_tables(
        [_stays("mrn", "M1", [0, 5, 9]), _stays("mrn", "M2", [30, 0, 7])]
    )
    after = pa.concat_tables(
        [_stays("patient", "P1", [0, 5]), _stays("patient", "P2", [-14, -7, 16])]
    )
    stays = find_stays([("M1", "P1"), ("M2", "P2")], before, after)
    assert [new - old for old, new in stays] == [timedelta(days=-14)] * 3
    show_stays(stays)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["Mon", "2024-03-11", "7", "Mon", "2024-02-26", "7"]


def test_no_patient_with_whole_stays_means_nothing_to_show():
    before, after = _stays("mrn", "M1", [0, 5]), _stays("patient", "P1", [0, 5])
    assert find_stays([("M1", "P1")], before, after) == []


def test_tables_are_plain_where_nobody_watches(capsys):
    show_table(("a", "b"), [("1", "x" * 100), ("2", "[bold]")])
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert "[bold]" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "".join(out.split()).count("x") == 100
