"""pseudo manifest receipt: what was done to each column, from the receipts."""

import json
from pathlib import Path

import pytest

from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.main import run_command
from pseudo_service.cli.manifest.files import read_manifest
from pseudo_service.cli.manifest.receipt import describe_columns, show_columns
from tests.lib.harnesses.runs import run_files, write_csv
from tests.lib.services.fake_service import FakeService


@pytest.fixture
def released(service: FakeService, csv_file: Path, tmp_path: Path) -> Path:
    output = tmp_path / "released"
    run_files(service, [csv_file, write_csv(tmp_path / "q.csv", 300)], output)
    return output


def change_receipts(folder: Path, change: dict[str, object], *parts: int) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    for number in parts or range(len(document["parts"])):
        receipt = document["parts"][number]["receipt"]
        receipt["statement"] = json.dumps(json.loads(receipt["statement"]) | change)
    path.write_text(json.dumps(document))


def test_counts_are_added_up_over_the_parts(
    released: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = len(read_manifest(released).parts)
    assert parts > 2
    change_receipts(
        released,
        {
            "columns": {"born": {"ok": 7, "missing": 2, "unparseable": 1}},
            "treatments": {
                "born": {"treatment": "generalise", "to": "year", "answered_as": "year"}
            },
        },
    )
    assert run_command(["manifest", "receipt", str(released), "--json"]) == 0
    (column,) = json.loads(capsys.readouterr().out)["columns"]
    assert column["explained"] == "made coarser: year"
    assert column["cells"] == {
        "ok": {"count": 7 * parts, "percent": 70.0},
        "missing": {"count": 2 * parts, "percent": 20.0},
        "unparseable": {"count": parts, "percent": 10.0},
    }
    assert run_command(["manifest", "receipt", str(released)]) == 0
    shown = capsys.readouterr().out
    assert "born (now year)" in shown
    assert "20%" in shown
    assert "unparseable 10%" in shown


def test_receipts_that_contradict_each_other_are_a_fault(released: Path) -> None:
    change_receipts(released, {"treatments": {"born": {"treatment": "drop"}}}, 1)
    with pytest.raises(Failure, match="different things"):
        describe_columns(read_manifest(released))


def test_a_receipt_without_treatments_says_so(
    released: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_receipts(released, {"treatments": {}})
    show_columns(describe_columns(read_manifest(released)))
    assert "not said in this receipt" in " ".join(capsys.readouterr().out.split())
