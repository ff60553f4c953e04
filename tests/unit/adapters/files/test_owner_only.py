"""A directory of secrets is its owner's alone, or is refused."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from pseudo_service.adapters.files.owner_only import (
    lock_directory,
    open_directory,
    read_file,
)
from pseudo_service.core.errors import ConfigurationInvalid


def test_a_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    open_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    open_directory(tmp_path / "a" / "b")


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o750, 0o777])
def test_a_directory_that_others_enter_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "secrets"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(ConfigurationInvalid, match="chmod 700"):
        open_directory(directory)


def test_a_file_is_read_or_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert read_file(path) is None
    path.touch(mode=0o600)
    path.write_bytes(b"secret")
    assert read_file(path) == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    path.chmod(mode)
    with pytest.raises(ConfigurationInvalid, match="chmod 600") as caught:
        read_file(path)
    assert "secret" not in str(caught.value).replace("it holds secrets", "")


def test_a_file_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigurationInvalid, match="somebody else"):
        read_file(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(mode=0o600)
    elsewhere.write_bytes(b"secret")
    for name in ("key", ".lock"):
        (tmp_path / name).symlink_to(elsewhere)
    with pytest.raises(ConfigurationInvalid, match="is a link"):
        read_file(tmp_path / "key")
    with (
        pytest.raises(ConfigurationInvalid, match="is a link"),
        lock_directory(tmp_path),
    ):
        pytest.fail("the lock is the link's")
    assert elsewhere.read_bytes() == b"secret"


def test_a_link_to_nothing_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationInvalid, match="is a link"):
        read_file(tmp_path / "key")


def test_a_link_that_comes_after_the_check_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").touch(mode=0o600)
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(Path, "is_symlink", lambda _: False)
    with pytest.raises(OSError, match="symbolic link"):
        read_file(tmp_path / "key")


def test_a_link_to_a_directory_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "secrets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationInvalid, match="is a link"):
        open_directory(tmp_path / "secrets")


def test_the_file_that_is_judged_is_the_one_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"open to all")
    path.chmod(0o644)
    fstat = os.fstat

    def swap(descriptor: int) -> os.stat_result:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", swap)
    with pytest.raises(ConfigurationInvalid, match="somebody else"):
        read_file(path)


def test_a_lock_is_its_owners_only(tmp_path: Path) -> None:
    with lock_directory(tmp_path):
        assert stat.S_IMODE((tmp_path / ".lock").stat().st_mode) & 0o077 == 0


def test_a_lock_keeps_other_processes_out(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    entered = context.Event()
    with lock_directory(tmp_path):
        other = context.Process(target=enter, args=(tmp_path, entered))
        other.start()
        assert not entered.wait(timeout=1)
    assert entered.wait(timeout=60)
    other.join(timeout=60)
    assert other.exitcode == 0


def enter(directory: Path, entered: object) -> None:
    with lock_directory(directory):
        entered.set()  # type: ignore[attr-defined] # an event of multiprocessing
