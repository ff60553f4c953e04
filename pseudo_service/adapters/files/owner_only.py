"""Small secret files in a directory of their owner, for a laptop's own service."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pseudo_service.core.errors import ConfigurationInvalid

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LOCK_NAME = ".lock"


def open_directory(directory: Path) -> None:
    """Make the directory if it is not there; only its owner may enter it.

    Raises:
        ConfigurationInvalid: It exists and others may enter it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_owner_only(directory)


def read_file(path: Path) -> bytes | None:
    """Return the bytes of an owner-only file, or None if there is none.

    Raises:
        ConfigurationInvalid: Others may read it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    _check_owner_only(path)
    return content


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Keep other processes of this machine from changing the directory."""
    with (directory / _LOCK_NAME).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_owner_only(path: Path) -> None:
    found = path.stat()
    if found.st_mode & _OTHERS or found.st_uid != os.geteuid():
        wanted = "700" if stat.S_ISDIR(found.st_mode) else "600"
        msg = (
            f"{path.name}: belongs to, or can be read by, somebody else; it holds "
            f"secrets: make it yours and 'chmod {wanted}' it"
        )
        raise ConfigurationInvalid(msg)
