"""Copies of the audit checkpoints outside the database, one file each.

Point it at storage that its writer cannot change afterwards (an immutable blob
container, a WORM share): the owner-only mode and appending keep mistakes out, not
an administrator. Such storage may allow no rename and no link, so a copy is
written under its own name and not drafted (see ``adapters.files.atomic``). A reader
takes the lock, and an interrupted copy is completed by the next append.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from pseudo_service.core.audit.events import (
    Checkpoint,
    decode_checkpoint,
    encode_checkpoint,
)
from pseudo_service.core.errors import AuditBroken, StoreFull, StoreUnavailable

_FILE_NAME = re.compile(r"checkpoint-(\d{12})\.json")
_NO_SPACE = {28, 122}  # ENOSPC, EDQUOT


class DirectoryArchive:
    """``CheckpointArchive`` over a directory; numbers are file names."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def append(self, checkpoint: Checkpoint) -> None:
        """Copy a checkpoint; one that is there already is left as it is.

        A file that an earlier, interrupted append of this same checkpoint left
        incomplete is completed.

        Raises:
            AuditBroken: Another checkpoint has its number outside: the database was
                restored, or somebody wrote here. Nothing is written over.
            StoreFull: No space is left.
            StoreUnavailable: The directory cannot be written.
        """
        path = self._directory / f"checkpoint-{checkpoint.number:012d}.json"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_once(path, encode_checkpoint(checkpoint).encode())
        except OSError as error:
            raise _translate(error) from None

    def read(self, *, newest_first: bool = False) -> Iterator[Checkpoint]:
        """Yield the copies by number; see ``CheckpointArchive.read``.

        Raises:
            AuditBroken: A file is not exactly a checkpoint, or is misnamed.
            StoreUnavailable: The directory cannot be read.
        """
        for number, path in sorted(self._list(), reverse=newest_first):
            try:
                with _locked(path.parent, fcntl.LOCK_SH):
                    text = path.read_bytes().decode("ascii", errors="replace")
            except OSError as error:
                raise _translate(error) from None
            checkpoint = decode_checkpoint(text)
            if checkpoint.number != number:
                msg = (
                    f"audit archive: the file of checkpoint {number} holds another; "
                    "find out who renamed it"
                )
                raise AuditBroken(msg)
            yield checkpoint

    def _list(self) -> list[tuple[int, Path]]:
        try:
            paths = list(self._directory.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _translate(error) from None
        matches = [(_FILE_NAME.fullmatch(path.name), path) for path in paths]
        return [(int(match[1]), path) for match, path in matches if match]


def _write_once(path: Path, content: bytes) -> None:
    with _locked(path.parent, fcntl.LOCK_EX) as directory:
        rest = _find_rest(path, content)
        if not rest:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            with os.fdopen(descriptor, "ab", closefd=False) as file:
                file.write(rest)
            os.fchmod(descriptor, 0o400)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.fsync(directory)


def _find_rest(path: Path, content: bytes) -> bytes:
    """Return what the file lacks of the content.

    Raises:
        AuditBroken: It holds another.
    """
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return content
    if not content.startswith(written):
        msg = (
            f"audit archive: {path.name} holds another checkpoint of this number, so "
            "nothing more is anchored outside: the database was restored from a backup, "
            "or somebody wrote into the archive; keep both as they are and find out"
        )
        raise AuditBroken(msg)
    return content[len(written) :]


@contextlib.contextmanager
def _locked(directory: Path, how: int) -> Iterator[int]:
    """Hold a lock on the directory; yield its descriptor.

    The processes of one service copy the same checkpoint at the same moment.
    Storage that knows no locks must have one process that writes.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)


def _translate(error: OSError) -> StoreFull | StoreUnavailable:
    if error.errno in _NO_SPACE:
        return StoreFull("audit archive: no space is left; free some and try again")
    return StoreUnavailable(
        "audit archive: the directory cannot be read or written; check that it is "
        "mounted and that the service owns it"
    )
