"""Secret files in a directory of their owner, for what a laptop's own service keeps.

A file is judged by its open descriptor, so that what is read is what was judged; a
link is never followed, because it may lead to a file of somebody else.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pseudo_service.adapters.files.atomic import OWNER_ONLY, flush_folder
from pseudo_service.core.errors import ConfigurationInvalid

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LOCK_NAME = ".lock"
_SAFE = os.O_NOFOLLOW | os.O_CLOEXEC


def open_directory(directory: Path) -> None:
    """Make the directory if it is not there; only its owner may enter it.

    Raises:
        ConfigurationInvalid: Others may enter it, it is somebody else's, or a link.
        OSError: It cannot be made, or is no directory.
    """
    directory.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    flush_folder(directory.parent)
    _refuse_link(directory)
    _check_owner_only(directory, directory.lstat())


def read_file(path: Path) -> bytes | None:
    """Return the bytes of an owner-only file, or None if there is none.

    Raises:
        ConfigurationInvalid: Others may read it, it is somebody else's, or a link.
        OSError: It cannot be read.
    """
    _refuse_link(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | _SAFE)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        _check_owner_only(path, os.fstat(file.fileno()))
        return file.read()


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Keep other processes of this machine from changing the directory.

    Raises:
        ConfigurationInvalid: A link stands where the lock should.
        OSError: The directory cannot be written to.
    """
    path = directory / _LOCK_NAME
    _refuse_link(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | _SAFE, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _refuse_link(path: Path) -> None:
    # This tells the reason; O_NOFOLLOW holds where a link comes between.
    if path.is_symlink():
        msg = f"{_name(path)}: is a link; it holds secrets: put the file itself there"
        raise ConfigurationInvalid(msg)


def _check_owner_only(path: Path, found: os.stat_result) -> None:
    if found.st_mode & _OTHERS or found.st_uid != os.geteuid():
        wanted = "700" if stat.S_ISDIR(found.st_mode) else "600"
        msg = (
            f"{_name(path)}: belongs to, or can be read by, somebody else; it holds "
            f"secrets: make it yours and 'chmod {wanted}' it"
        )
        raise ConfigurationInvalid(msg)


def _name(path: Path) -> str:
    """Return enough of a path to find it, and nothing of where the service lies."""
    return f"{path.parent.name}/{path.name}"
