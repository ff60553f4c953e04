"""Every place that keeps or repeats a text finds a patient's number in it.

The spellings that a place lets through stand here by name: closing such a gap, or
opening one, must change this table.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.adapters.telemetry.logs import filter_fields
from pseudo_service.cli.console.exit_codes import withhold_numbers
from pseudo_service.cli.inputs.files import InputFile, InputFormat
from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.access.roles import check_purpose, holds_long_number
from pseudo_service.core.errors import InvalidArgument, PurposeMissing, name_field
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.engine.tables.deidentify_table import check_operation
from tests.lib.values.nhs_numbers import make_nhs_number

FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + n) for n in range(10)))


def group_by(sign: str) -> Callable[[str], str]:
    return lambda number: sign.join((number[:3], number[3:6], number[6:]))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "one piece": str,
    "full-width digits": lambda number: number.translate(FULL_WIDTH),
    "full-width groups": lambda number: group_by(" ")(number.translate(FULL_WIDTH)),
    "a spreadsheet's .0": "{}.0".format,
    "spaces": group_by(" "),
    "no-break spaces": group_by("\u00a0"),
    "thin spaces": group_by("\u2009"),
    "dashes": group_by("-"),
    "en dashes": group_by("\u2013"),
    "slashes": group_by("/"),
    "dots": group_by("."),
    "commas": group_by(","),
    "colons": group_by(":"),
    "underscores": group_by("_"),
    "two spaces": group_by("  "),
    "two dashes": group_by("--"),
    "a dot and a space": group_by(". "),
    "a dash between spaces": group_by(" - "),
    "a space after each digit": " ".join,
    "a dash after each digit": "-".join,
}


def refuses(check: Callable[[str], object], text: str) -> bool:
    try:
        check(text)
    except (InvalidArgument, PurposeMissing):
        return True
    return False


def is_withheld_from_log(name: str, text: str, number: str) -> bool:
    return number not in str(filter_fields({name: text}))


def withholds_file_name(number: str) -> bool:
    path = Path(f"patient_{number}.csv")
    file = InputFile(index=0, path=path, format=InputFormat.CSV, compressed=False)
    return number not in file.label


PLACES: dict[str, Callable[[str], bool]] = {
    "column name": lambda n: n not in name_field(f"patient {n}", 0),
    "file name": withholds_file_name,
    "purpose": lambda n: refuses(check_purpose, f"audit of {n}"),
    "linkage text": lambda n: holds_long_number(f"audit of {n}"),
    "justification": lambda n: refuses(
        lambda text: parse_justification("reason", text), f"asked by {n}"
    ),
    "project id": lambda n: refuses(check_project_id, f"p{n}"),
    "operation id": lambda n: refuses(check_operation, f"load-{n}"),
    "typed text": lambda n: n not in withhold_numbers(f"no file {n} there"),
    "log text": lambda n: is_withheld_from_log("reason", f"no file {n} there", n),
    "log id": lambda n: is_withheld_from_log("subject", n, n),
}

# A dot, a slash or a colon parts the numbers of names, paths, times and addresses.
PARTING = {"slashes", "dots", "commas", "colons", "underscores", "two dashes"}
LONG_GAPS = {"two spaces", "a dot and a space", "a dash between spaces"}
LET_THROUGH: dict[str, set[str]] = {
    "column name": (PARTING | LONG_GAPS) - {"commas", "colons"}
    | {"spaces", "dashes", "a space after each digit", "a dash after each digit"},
    "file name": {
        "dashes",
        "dots",
        "underscores",
        "two dashes",
        "a dash after each digit",
    },
    "purpose": {"a dash between spaces"},
    "linkage text": {"a dash between spaces"},
    "justification": {"a dash between spaces"},
    "project id": {"two dashes"},
    "operation id": {"two dashes"},
    "typed text": PARTING | LONG_GAPS | {"en dashes"},
    "log text": PARTING | LONG_GAPS,
    "log id": PARTING - {"commas"} | {"a dash after each digit"},
}

CASES = [
    (place, spelling)
    for place in PLACES
    for spelling in SPELLINGS
    # A slash ends the name of a file, so no file has it in its name.
    if (place, spelling) != ("file name", "slashes")
]


@pytest.mark.parametrize(("place", "spelling"), CASES)
@settings(max_examples=25)
@given(serial=st.integers(0, 999_999))
def test_a_patients_number_is_found(place: str, spelling: str, serial: int) -> None:
    written = SPELLINGS[spelling](make_nhs_number(serial))
    assert PLACES[place](written) == (spelling not in LET_THROUGH[place])


HARMLESS = {
    "column name": "result of 2026",
    "file name": "2026-03",
    "purpose": "of 2025 to 26",
    "linkage text": "of 2025 to 26",
    "justification": "REC 2025/123-4",
    "project id": "rial-20260302",
    "operation id": "20260302-a",
    "typed text": "2026-3",
    "log text": "plan.py:12345",
    "log id": "5f0c2a7e-3c1b-4a51-9d0e-123456789012",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_short_number_is_let_through(place: str) -> None:
    assert not PLACES[place](HARMLESS[place])
