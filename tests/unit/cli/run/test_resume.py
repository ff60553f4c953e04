"""A run that was stopped goes on: nothing lost, doubled or half-written."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pseudo_client import InputRefused
from pseudo_service.adapters.files import atomic
from pseudo_service.cli.console.exit_codes import Failure
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
    publish = atomic.publish

    def cut(temporary: Path, final: Path) -> None:
        stop = next(steps) == step
        if stop and when == "before":
            raise PowerCut
        publish(temporary, final)
        if stop:
            raise PowerCut

    output = tmp_path / "released"
    with monkeypatch.context() as patched:
        for module in ("console.atomic_files", "run.part", "run.outputs"):
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


def test_the_state_is_for_the_owner_only(
    service: FakeService, csv_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "released"
    break_off(service, csv_file, output, after=1)
    state = output / ".pseudo-run"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "key").stat().st_mode) == 0o600
