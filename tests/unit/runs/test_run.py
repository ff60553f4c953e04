import gzip
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pseudo_client import InputRefused, PseudoClientError, ServiceUnavailable
from pseudo_client.errors import AccessDenied, TokenExpired
from pseudo_service.cli import durable
from pseudo_service.cli.exits import ExitCode, Failure
from pseudo_service.cli.run_state import hold_output
from pseudo_service.core.errors import ErrorCode
from tests.lib.fake_service import FakeService, Fault
from tests.lib.runs import HeardProgress, make_rows, read_output, run_files, write_csv

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
    Fault(refuse=ErrorCode.SHUTTING_DOWN),
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


def break_off(service: FakeService, csv_file: Path, output: Path, after: int) -> None:
    service.faults.extend([None] * after + [Fault(refuse=ErrorCode.BATCH_MALFORMED)])
    with pytest.raises(InputRefused):
        run_files(service, [csv_file], output)
    service.faults.clear()
    service.seen.clear()


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_run_goes_on_where_it_was(
    service: FakeService, csv_file: Path, tmp_path: Path, after: int
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after)
    before = {path: path.stat().st_ino for path in output.glob("part-*")}
    totals = run_files(service, [csv_file], output)
    check_whole(output, totals)
    assert [seen.part for seen in service.seen] == list(range(after, 4))
    assert all(path.stat().st_ino == inode for path, inode in before.items())
    assert len(before) == after


Change = Callable[[FakeService, Path, Path], None]


def change_pins(service: FakeService, csv_file: Path, output: Path) -> None:
    service.repin(2)


def change_first_rows(service: FakeService, csv_file: Path, output: Path) -> None:
    lines = csv_file.read_text().splitlines()
    lines[5] = lines[5].replace("1970-01-01", "1971-02-03")
    csv_file.write_text("\n".join(lines) + "\n")


def lose_key(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / ".pseudo-run" / "key").unlink()


def lose_part(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / "part-00000-00000.parquet").unlink()


def lose_marks(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / ".pseudo-run" / "part-00000-00000.rejected.parquet").unlink()


def lose_commit(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / ".pseudo-run" / "part-00000-00000.json").unlink()


def cut_commit(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / ".pseudo-run" / "part-00000-00000.json").write_text("{")


def lose_settings(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / ".pseudo-run" / "run.json").unlink()


def leave_rubbish(service: FakeService, csv_file: Path, output: Path) -> None:
    (output / ".pseudo-run" / "part-00000-00002.parquet.tmp").write_text("half")
    (output / "part-00000-00003.parquet").write_text("not committed")
    (output / "manifest.json").write_text("{}")


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        # Part 2 finds out that the pins are others; then all begin afresh.
        (change_pins, [2, 0, 1, 2, 3]),
        (change_first_rows, [0, 2, 3]),
        (lose_key, [0, 1, 2, 3]),
        (lose_part, [0, 2, 3]),
        (lose_marks, [0, 2, 3]),
        (lose_commit, [0, 2, 3]),
        (cut_commit, [0, 2, 3]),
        (lose_settings, [0, 1, 2, 3]),
        (leave_rubbish, [2, 3]),
    ],
)
def test_only_what_still_holds_is_kept(
    service: FakeService,
    csv_file: Path,
    tmp_path: Path,
    change: Change,
    sent: list[int],
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after=2)
    change(service, csv_file, output)
    totals = run_files(service, [csv_file], output)
    check_whole(output, totals)
    assert [seen.part for seen in service.seen] == sent


def test_changed_pins_are_said_aloud(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after=2)
    service.repin(2)
    progress = HeardProgress()
    run_files(service, [csv_file], output, progress=progress)
    assert any("begin afresh" in line for line in progress.said)
    assert all(
        text.startswith("P2-") for text in read_output(output)["nhs_number"].to_pylist()
    )


@pytest.mark.parametrize("change", [{"project": "other"}, {"part_rows": 100}])
def test_other_settings_begin_afresh(
    service: FakeService, csv_file: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after=2)
    progress = HeardProgress()
    run_files(service, [csv_file], output, progress=progress, **change)  # type: ignore[arg-type]
    assert "settings have changed" in progress.said[0]
    assert service.seen[0].part == 0
    assert read_output(output)["row"].to_pylist() == KEPT


def test_an_input_that_shrank_leaves_no_part_of_before(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after=3)
    write_csv(csv_file, 500)
    totals = run_files(service, [csv_file], output)
    assert totals["parts"] == 2
    assert len(list(output.glob("part-*"))) == 2


class PowerCut(BaseException):
    """Nothing after it happens."""


@pytest.mark.parametrize("step", range(16))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stop_at_any_step_loses_and_doubles_nothing(
    *,
    service: FakeService,
    csv_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    when: str,
) -> None:
    """Each publication of a file is a step; the run is cut before or after it."""
    steps = iter(range(1000))
    publish = durable.publish

    def cut(temporary: Path, final: Path) -> None:
        stop = next(steps) == step
        if stop and when == "before":
            raise PowerCut
        publish(temporary, final)
        if stop:
            raise PowerCut

    output = tmp_path / "released"
    with monkeypatch.context() as patched:
        for module in ("durable", "parts", "outputs"):
            patched.setattr(f"pseudo_service.cli.{module}.publish", cut)
        with pytest.raises(PowerCut):
            run_files(service, [csv_file], output)
    check_whole(output, run_files(service, [csv_file], output))


def test_a_stop_after_the_manifest_is_finished_by_the_next_run(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    run_files(service, [csv_file], output)
    (output / ".pseudo-run-ended").mkdir()
    with pytest.raises(Failure, match="finished run"):
        run_files(service, [csv_file], output)
    assert names(output) == OUTPUTS


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


def test_the_state_is_for_the_owner_only(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after=1)
    state = output / ".pseudo-run"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "key").stat().st_mode) == 0o600


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
