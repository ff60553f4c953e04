"""Files that only their owner may read, each written once, whole or not at all.

Of processes that make the same key version at once exactly one wins.
"""

import os
import stat
from pathlib import Path
from typing import NoReturn

from pseudo_service.adapters.files.atomic import flush_folder, write_file
from pseudo_service.core.errors import ConfigurationInvalid, KeyVaultUnavailable

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(folder: Path) -> None:
    """Make a folder for its owner only, or check the one that is there.

    Raises:
        ConfigurationInvalid: Others may enter it, or it is somebody else's.
        KeyVaultUnavailable: It cannot be made.
    """
    try:
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        flush_folder(folder.parent)
        state = folder.lstat()
    except OSError:
        state = None
    if state is None or not stat.S_ISDIR(state.st_mode):
        _fail("made, or is no folder")
    _check_owner(state)


def read_file(file: Path) -> bytes | None:
    """Return a file's content, or None when there is no such file.

    Raises:
        ConfigurationInvalid: Others may read it, it is somebody else's, or a link.
        KeyVaultUnavailable: It cannot be read.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        descriptor = -1
    if descriptor < 0:
        _fail("read, or is a link")
    with os.fdopen(descriptor, "rb") as opened:
        _check_owner(os.fstat(opened.fileno()))
        return opened.read()


def list_files(folder: Path) -> list[str]:
    """Return the names in a folder, none when there is no such folder.

    Raises:
        KeyVaultUnavailable: It cannot be read.
    """
    try:
        return [file.name for file in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError:
        pass
    return _fail("listed")


def write_once(file: Path, content: bytes) -> bool:
    """Write a file that is not there yet; return False when it was there.

    Raises:
        KeyVaultUnavailable: It cannot be written, or the file system has no links.
    """
    try:
        write_file(file, content, replace=False)
    except FileExistsError:
        return False
    except OSError:
        pass
    else:
        return True
    return _fail("written: is there space, and does the file system have hard links?")


def remove_file(file: Path) -> None:
    """Remove a file that may be there."""
    try:
        file.unlink(missing_ok=True)
        flush_folder(file.parent)
    except OSError:
        pass
    else:
        return
    _fail("removed")


def move_folder(folder: Path, target: Path) -> bool:
    """Move a folder to a place that is free; return False when it is not there."""
    try:
        folder.rename(target)
        flush_folder(target.parent)
        flush_folder(folder.parent)
    except FileNotFoundError:
        return False
    except OSError:
        pass
    else:
        return True
    return _fail("moved")


def erase_folder(folder: Path) -> None:
    """Overwrite the files of a folder with zeros, and remove them and it.

    A disk that copies what it writes may still hold the old content; the files were
    encrypted, and what opens them is the vault's passphrase.
    """
    try:
        for file in list(folder.iterdir()):
            _overwrite(file)
            file.unlink(missing_ok=True)
        folder.rmdir()
        flush_folder(folder.parent)
    except FileNotFoundError:
        return
    except OSError:
        pass
    else:
        return
    _fail("erased")


def _overwrite(file: Path) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.write(descriptor, bytes(os.fstat(descriptor).st_size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_owner(state: os.stat_result) -> None:
    if state.st_mode & _OTHERS or state.st_uid != os.geteuid():
        msg = (
            "local key vault: its folder and files must belong to the service's user "
            "and be closed to everybody else (chmod -R go= on its folder)"
        )
        raise ConfigurationInvalid(msg)


def _fail(what: str) -> NoReturn:
    msg = f"local key vault: a file cannot be {what}"
    raise KeyVaultUnavailable(msg)
