"""What commands write is whole or not there, and is for its owner only."""

import json
import stat
from pathlib import Path

import pytest

from pseudo_service.cli.console.atomic_files import (
    draft_text,
    publish_file,
    publish_json,
    refuse_existing,
    write_new_file,
)
from pseudo_service.cli.console.exit_codes import Failure


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_lines_are_written_as_they_are(tmp_path: Path) -> None:
    with draft_text(tmp_path / "map.csv") as file:
        file.write("old,new\n")
        file.writelines(f"A{n},B{n}\r\n" for n in range(10_000))
    content = (tmp_path / "map.csv").read_bytes()
    assert content.startswith(b"old,new\nA0,B0\r\n")
    assert content.count(b"\n") == 10_001
    assert stat.S_IMODE((tmp_path / "map.csv").stat().st_mode) == 0o600
    assert names(tmp_path) == ["map.csv"]


@pytest.mark.parametrize("lines", [["A1,B1\n"] * 50_000, ["caf\u00e9\n"]])
def test_a_command_that_fails_leaves_the_old_file(
    tmp_path: Path, lines: list[str]
) -> None:
    path = tmp_path / "map.csv"
    path.write_text("old")

    def write() -> None:
        with draft_text(path) as file:
            file.writelines(lines)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - a text that is not ASCII is one
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["map.csv"]


def test_the_draft_of_a_killed_command_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".map.csv.abcd1234.tmp").write_text("pseudonyms")
    with draft_text(tmp_path / "map.csv") as file:
        file.write("new\n")
    assert names(tmp_path) == ["map.csv"]


def test_a_new_file_is_its_owners_and_the_drafts_of_killed_commands_go(
    tmp_path: Path,
) -> None:
    (tmp_path / ".recall.csv.abcd1234.tmp").write_text("identifiers")
    assert write_new_file(tmp_path / "recall.csv", b"mine")
    assert stat.S_IMODE((tmp_path / "recall.csv").stat().st_mode) == 0o600
    assert not write_new_file(tmp_path / "recall.csv", b"yours")
    assert (tmp_path / "recall.csv").read_bytes() == b"mine"
    assert names(tmp_path) == ["recall.csv"]


def test_a_link_to_nothing_counts_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "recall.csv").symlink_to(tmp_path / "elsewhere")
    assert not write_new_file(tmp_path / "recall.csv", b"mine")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), draft_text(tmp_path / "no" / "map.csv"):
        pytest.fail("there is nothing to write to")


def test_a_document_is_drafted_in_the_scratch_folder(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    publish_json({"b": 1, "a": "\u00e9"}, tmp_path / "run.json", scratch)
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == ["a", "b"]
    assert text.endswith("}\n")
    assert names(scratch) == []


def test_a_writer_that_fails_publishes_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        publish_file(fail, tmp_path / "run.json", tmp_path)
    assert not (tmp_path / "run.json").exists()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    refuse_existing(tmp_path / "map.csv")
    (tmp_path / "map.csv").touch()
    with pytest.raises(Failure, match="is there already"):
        refuse_existing(tmp_path / "map.csv")
