import gzip
import json
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pseudo_client import PseudoClientError, ServiceUnavailable
from pseudo_client.errors import AccessDenied, TokenExpired
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.run.state import hold_output
from pseudo_service.core.error_codes import ErrorCode
from tests.lib.harnesses.runs import (
    HeardProgress,
    make_rows,
    read_output,
    run_files,
    write_csv,
)
from tests.lib.services.fake_service import FakeService, Fault

KEPT = [row for _, row, _ in make_rows(1_000) if int(row) % 10]
OUTPUTS = {
    "manifest.json",
    "quality.json",
    "rejected.parquet",
    *(f"part-00000-{part:05d}.parquet" for part in range(4)),
}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def check_whole(output: Path, totals: dict[str, object]) -> None:
    assert names(output) == OUTPUTS
    assert read_output(output)["row"].to_pylist() == KEPT
    assert (totals["rows_in"], totals["rows_out"]) == (1_000, 900)


def test_a_run_leaves_parts_and_their_papers(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    totals = run_files(service, [csv_file], output)
    check_whole(output, totals)
    assert totals["removed"] == {"NO_PATIENT": 100}
    assert totals["rejected"] == 143
    assert [seen.part for seen in service.seen] == [0, 1, 2, 3]
    assert len({seen.operation for seen in service.seen}) == 1
    assert [seen.expected_pins for seen in service.seen] == [False, True, True, True]


def test_the_manifest_adds_up(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    run_files(service, [csv_file], output)
    manifest = json.loads((output / "manifest.json").read_text())
    assert [part["rows_in"] for part in manifest["parts"]] == [250] * 4
    assert sum(part["rows_out"] for part in manifest["parts"]) == 900
    assert manifest["policy"] == "cohort/release@1"
    assert manifest["pins"]["key_version"] == 1
    quality = json.loads((output / "quality.json").read_text())
    assert quality["columns"]["born"]["UNPARSEABLE"] == {"count": 143, "percent": 100.0}


def test_rejected_cells_are_by_row_of_the_input(
    service: FakeService, tmp_path: Path
) -> None:
    inputs = [
        write_csv(tmp_path / "a.csv", 300),
        write_csv(tmp_path / "b.csv", 300, first=7),
    ]
    output = tmp_path / "released"
    run_files(service, inputs, output)
    rejected = pq.read_table(output / "rejected.parquet").to_pydict()
    every_seventh = [row for row in range(300) if row % 7 == 0]
    assert rejected["input"] == [0] * 43 + [1] * 43
    assert rejected["row"] == every_seventh * 2
    assert set(rejected["column"]) == {"born"}


def test_several_inputs_are_one_run(service: FakeService, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_csv(folder / "b.csv", 300, first=700)
    (folder / "a.csv.gz").write_bytes(
        gzip.compress(write_csv(tmp_path / "x.csv", 700).read_bytes())
    )
    output = tmp_path / "released"
    totals = run_files(service, [folder], output)
    assert totals["parts"] == 5
    assert read_output(output)["row"].to_pylist() == KEPT


def test_an_empty_input_leaves_an_empty_receipted_part(
    service: FakeService, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    totals = run_files(service, [write_csv(tmp_path / "a.csv", 0)], output)
    assert totals["parts"] == 1
    assert read_output(output).column_names == ["nhs_number", "row", "born"]


def test_rows_that_fill_parts_exactly_make_no_empty_part(
    service: FakeService, tmp_path: Path
) -> None:
    totals = run_files(service, [write_csv(tmp_path / "a.csv", 500)], tmp_path / "out")
    assert totals["parts"] == 2


FAULTS = [
    Fault(refuse=ErrorCode.STORE_FULL),
    Fault(die_before_batch=0),
    Fault(die_before_batch=2),
    Fault(end_before_batch=1),
    Fault(skip_receipt=True),
    Fault(fail_after_receipt=True),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("part", [0, 2])
def test_a_part_that_fails_is_sent_again(
    service: FakeService, csv_file: Path, tmp_path: Path, fault: Fault, part: int
) -> None:
    service.faults.extend([None] * part + [fault, fault])
    progress = HeardProgress()
    output = tmp_path / "released"
    totals = run_files(service, [csv_file], output, progress=progress)
    check_whole(output, totals)
    assert len(service.seen) == 6
    assert "sent again" in " ".join(progress.said)


def test_an_expired_token_is_replaced_if_there_is_progress(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    expired = Fault(die_before_batch=1, die_with=ErrorCode.TOKEN_EXPIRED)
    service.faults.extend([None, expired, None, None, expired])
    progress = HeardProgress()
    output = tmp_path / "released"
    check_whole(output, run_files(service, [csv_file], output, progress=progress))
    assert [seen.part for seen in service.seen] == [0, 1, 1, 2, 3, 3]
    assert sum("token has expired" in line for line in progress.said) == 2


def test_a_token_that_expires_without_progress_ends_the_run(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    expired = Fault(refuse=ErrorCode.TOKEN_EXPIRED)
    service.faults.extend([None, expired, expired])
    with pytest.raises(TokenExpired):
        run_files(service, [csv_file], tmp_path / "released")
    assert len(service.seen) == 3


def test_attempts_are_bounded(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    service.faults.extend([Fault(die_before_batch=1)] * 9)
    with pytest.raises(ServiceUnavailable):
        run_files(service, [csv_file], tmp_path / "released")
    assert len(service.seen) == 3


def test_a_refusal_is_final(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    service.faults.append(Fault(refuse=ErrorCode.ACCESS_DENIED))
    with pytest.raises(AccessDenied):
        run_files(service, [csv_file], tmp_path / "released")
    assert len(service.seen) == 1


def test_answers_that_were_not_signed_are_not_kept(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    service.faults.append(Fault(wrong_digest=True))
    output = tmp_path / "released"
    with pytest.raises(Failure, match="output_digest") as failure:
        run_files(service, [csv_file], output)
    assert failure.value.exit_code is ExitCode.REFUSED
    assert not list(output.glob("part-*"))


def test_a_receipt_that_would_not_verify_ends_the_run(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    """The service's clock was ahead for a while, and its certificate has not begun."""
    service.certified_from += timedelta(days=1)
    output = tmp_path / "released"
    with pytest.raises(Failure, match="outside its process certificate") as failure:
        run_files(service, [csv_file], output)
    assert failure.value.exit_code is ExitCode.REFUSED
    assert not list(output.glob("part-*"))


def test_two_runs_do_not_share_an_output(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    with (
        hold_output(output),
        pytest.raises(Failure, match="another run") as failure,
    ):
        run_files(service, [csv_file], output)
    assert failure.value.exit_code is ExitCode.UNAVAILABLE


def test_a_folder_with_other_files_is_not_touched(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(Failure, match="other files"):
        run_files(service, [csv_file], tmp_path)
    assert csv_file.exists()


def test_no_value_or_name_of_an_input_is_left(
    service: FakeService, tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "smith-9990000018.csv", 1_000)
    output = tmp_path / "released"
    progress = HeardProgress()
    service.faults.extend([None, Fault(die_before_batch=1)])
    run_files(service, [source], output, progress=progress)
    texts = " ".join(path.name for path in output.rglob("*")) + " ".join(progress.said)
    for path in output.glob("*.json"):
        texts += path.read_text()
    texts += str(pq.read_table(output / "rejected.parquet").to_pydict())
    assert "07/10/63" not in texts
    assert "smith" not in texts
    assert not any(number in texts for number, _, _ in make_rows(1_000) if number)


def test_a_bad_row_stops_the_run_without_its_value(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    with csv_file.open("a") as file:
        file.write("9990000018\n")
    output = tmp_path / "released"
    with pytest.raises(Failure, match="line 1002: 1 fields") as failure:
        run_files(service, [csv_file], output)
    assert "9990000018" not in failure.value.message
    assert not (output / "manifest.json").exists()


def test_a_dead_service_leaves_the_state_for_later(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    service.stop()
    with pytest.raises(PseudoClientError) as failure:
        run_files(service, [csv_file], tmp_path / "released")
    assert failure.value.retryable
