"""What every ``CheckpointArchive`` promises; a directory is one."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.core.audit.events import ChainHead, encode_checkpoint
from pseudo_service.core.errors import AuditBroken, StoreUnavailable
from tests.lib.stores.stored_values import make_checkpoint

HEAD = ChainHead(chain="chain-1", sequence=3, digest=b"\x01" * 32)
FIRST = make_checkpoint(1, (HEAD,))


def test_an_empty_archive(tmp_path: Path) -> None:
    assert list(DirectoryArchive(tmp_path).read()) == []
    assert list(DirectoryArchive(tmp_path / "missing").read()) == []


def test_copies_come_back_by_number(tmp_path: Path) -> None:
    archive = DirectoryArchive(tmp_path / "archive")
    checkpoints = [make_checkpoint(number, (HEAD,)) for number in range(1, 12)]
    for checkpoint in reversed(checkpoints):
        archive.append(checkpoint)
    assert list(archive.read()) == checkpoints
    backwards = archive.read(newest_first=True)
    assert next(backwards) == checkpoints[-1]
    assert list(backwards) == checkpoints[-2::-1]


def test_a_number_is_never_overwritten(tmp_path: Path) -> None:
    archive = DirectoryArchive(tmp_path)
    archive.append(FIRST)
    archive.append(FIRST)
    with pytest.raises(AuditBroken, match="holds another checkpoint"):
        archive.append(replace(FIRST, heads=()))
    assert list(archive.read()) == [FIRST]


def test_files_are_read_only_to_their_owner(tmp_path: Path) -> None:
    archive = DirectoryArchive(tmp_path / "archive")
    archive.append(FIRST)
    (path,) = (tmp_path / "archive").iterdir()
    assert path.name == "checkpoint-000000000001.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("length", [0, 1, 100])
def test_an_interrupted_append_is_completed(tmp_path: Path, length: int) -> None:
    path = tmp_path / "checkpoint-000000000001.json"
    path.write_text(encode_checkpoint(FIRST)[:length])
    archive = DirectoryArchive(tmp_path)
    with pytest.raises(AuditBroken):
        list(archive.read())
    archive.append(FIRST)
    assert list(archive.read()) == [FIRST]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_another_checkpoint_does_not_complete_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-000000000001.json"
    path.write_text(encode_checkpoint(FIRST)[:-5])
    with pytest.raises(AuditBroken, match="holds another checkpoint"):
        DirectoryArchive(tmp_path).append(replace(FIRST, heads=()))
    assert path.read_text() == encode_checkpoint(FIRST)[:-5]


@pytest.mark.parametrize(
    "text",
    [
        encode_checkpoint(FIRST).replace("chain-1", "chain-1é"),
        encode_checkpoint(FIRST) + "\n",
        encode_checkpoint(make_checkpoint(2)),
        "{}",
    ],
    ids=["not ascii", "longer", "another", "empty"],
)
def test_a_changed_file_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "checkpoint-000000000001.json"
    path.write_text(text)
    with pytest.raises(AuditBroken):
        list(DirectoryArchive(tmp_path).read())


def test_other_files_are_ignored(tmp_path: Path) -> None:
    archive = DirectoryArchive(tmp_path)
    archive.append(FIRST)
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "checkpoint-2.json.tmp").write_text("{}")
    assert list(archive.read()) == [FIRST]


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    archive = DirectoryArchive(path)
    with pytest.raises(StoreUnavailable, match="archive"):
        archive.append(FIRST)
    with pytest.raises(StoreUnavailable, match="archive"):
        list(archive.read())


def test_many_copy_the_same_checkpoint_at_once(tmp_path: Path) -> None:
    """As the processes of one service do: one whole copy, and no error."""
    checkpoints = [make_checkpoint(number, (HEAD,) * 200) for number in range(1, 9)]

    def copy(_: int) -> int:
        archive = DirectoryArchive(tmp_path / "archive")
        for checkpoint in checkpoints:
            archive.append(checkpoint)
            list(archive.read())
        return len(list(archive.read()))

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(copy, range(6))) == {8}
    assert list(DirectoryArchive(tmp_path / "archive").read()) == checkpoints
