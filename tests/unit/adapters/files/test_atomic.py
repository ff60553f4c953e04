"""A file is whole or not there, wherever its writing stops."""

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pseudo_service.adapters.files.atomic import (
    draft_file,
    flush_folder,
    publish,
    remove_drafts,
    write_file,
)

OLD, NEW = b"the old content", b"the new content, which is longer"


class PowerCut(BaseException):
    """Stops everything, as no error handler of the product does."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def cut(*_: object, **__: object) -> None:
    raise PowerCut


@pytest.mark.parametrize("content", [b"", NEW, b"\x00\r\n" * 100_000])
def test_what_is_written_is_there(tmp_path: Path, content: bytes) -> None:
    write_file(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == content
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_its_owner_reads_it_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_file(tmp_path / "secret", NEW)
        write_file(tmp_path / "public", NEW, mode=0o644)
        write_file(tmp_path / "kept", NEW, mode=0o400, replace=False)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "secret") == 0o600
    assert mode_of(tmp_path / "public") == 0o644
    assert mode_of(tmp_path / "kept") == 0o400


def test_a_draft_is_for_its_owner_only_and_beside_its_place(tmp_path: Path) -> None:
    with draft_file(tmp_path / "file", mode=0o644) as draft:
        draft.write(NEW)
        assert not (tmp_path / "file").exists()
        (name,) = names(tmp_path)
        assert name.startswith(".file.")
        assert mode_of(tmp_path / name) == 0o600


def test_a_file_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o644)
    write_file(path, NEW)
    assert path.read_bytes() == NEW
    assert mode_of(path) == 0o600


def test_a_file_that_may_not_give_way_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with pytest.raises(FileExistsError):
        write_file(path, NEW, replace=False)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "file"
    write_file(path, OLD, replace=False)
    with pytest.raises(FileExistsError):
        write_file(path, NEW, replace=False)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(OLD)
    (tmp_path / "file").symlink_to(elsewhere)
    with pytest.raises(FileExistsError):
        write_file(tmp_path / "file", NEW, replace=False)
    write_file(tmp_path / "file", NEW)
    assert elsewhere.read_bytes() == OLD
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("stop", [fail, cut], ids=["full disk", "power cut"])
@pytest.mark.parametrize("step", ["fsync", "fchmod", "naming"])
def test_a_stop_before_the_name_leaves_what_was_there(
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    replace: bool,
    stop: object,
    step: str,
) -> None:
    path = tmp_path / "file"
    if replace:
        path.write_bytes(OLD)
    naming = "replace" if replace else "link"
    monkeypatch.setattr(os, naming if step == "naming" else step, stop)
    with pytest.raises((OSError, PowerCut)):
        write_file(path, NEW, replace=replace)
    monkeypatch.undo()
    assert names(tmp_path) == (["file"] if replace else [])
    assert not replace or path.read_bytes() == OLD


def test_an_error_of_the_writer_publishes_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with draft_file(tmp_path / "file") as draft:
            draft.write(NEW)
            raise PowerCut

    with pytest.raises(PowerCut):
        write()
    assert names(tmp_path) == []


def test_the_content_is_flushed_before_the_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def flush(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("folder" if is_folder else "content")
        fsync(descriptor)

    def name(source: Path, target: Path) -> None:
        steps.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", name)
    write_file(tmp_path / "file", NEW)
    assert steps == ["content", "name", "folder"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_draft_of_another_folder_is_published(
    *, tmp_path: Path, replace: bool
) -> None:
    (tmp_path / "scratch").mkdir()
    draft = tmp_path / "scratch" / "draft"
    draft.write_bytes(NEW)
    publish(draft, tmp_path / "file", replace=replace)
    assert (tmp_path / "file").read_bytes() == NEW
    assert (tmp_path / "file").stat().st_nlink == 1
    assert not draft.exists()


def test_of_writers_that_race_one_wins_and_nobody_reads_half(tmp_path: Path) -> None:
    contents = [bytes([n]) * 100_000 for n in range(16)]

    def write(content: bytes) -> bool:
        write_file(tmp_path / "replaced", content)
        assert (tmp_path / "replaced").read_bytes() in contents
        try:
            write_file(tmp_path / "once", content, replace=False)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, contents))
    assert sum(won) == 1
    assert (tmp_path / "once").read_bytes() == contents[won.index(True)]
    assert names(tmp_path) == ["once", "replaced"]


def test_drafts_of_a_killed_writer_are_removed_and_nothing_else(
    tmp_path: Path,
) -> None:
    kept = ["map.csv", ".map.csv.tmp", ".map.csv.old.abcd1234.tmp", ".map.abcd1234.tmp"]
    for name in [*kept, ".map.csv.abcd1234.tmp", ".map.csv._z9_z9_z.tmp"]:
        (tmp_path / name).write_bytes(OLD)
    remove_drafts(tmp_path / "map.csv")
    assert names(tmp_path) == sorted(kept)


def test_the_draft_of_a_real_crash_is_one_of_those_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", cut)
    monkeypatch.setattr(Path, "unlink", cut)
    with pytest.raises(PowerCut):
        write_file(tmp_path / "file", NEW)
    monkeypatch.undo()
    assert len(names(tmp_path)) == 1
    remove_drafts(tmp_path / "file")
    assert names(tmp_path) == []


@pytest.mark.parametrize("act", [flush_folder, lambda p: write_file(p / "file", NEW)])
def test_a_folder_that_is_missing_is_an_error(tmp_path: Path, act: object) -> None:
    with pytest.raises(FileNotFoundError):
        act(tmp_path / "missing")  # type: ignore[operator] # both take a path


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        flush_folder(tmp_path / "file")
