"""The files of the local key vault, each written once, whole or not at all.

They are its owner's only, as ``files.owner_only`` sees to. Of processes that make the
same key version at once exactly one wins. A disk that fails is the vault's failure.
"""

import os
from pathlib import Path
from typing import NoReturn

from pseudo_service.adapters.files import owner_only
from pseudo_service.adapters.files.atomic import flush_folder, write_file
from pseudo_service.core.errors import KeyVaultUnavailable


def make_folder(folder: Path) -> None:
    """Make a folder for its owner only, or check the one that is there.

    Raises:
        ConfigurationInvalid: As ``owner_only.open_directory``.
        KeyVaultUnavailable: It cannot be made.
    """
    try:
        owner_only.open_directory(folder)
    except OSError:
        pass
    else:
        return
    _fail("made, or is no folder")


def read_file(file: Path) -> bytes | None:
    """Return a file's content, or None when there is no such file.

    Raises:
        ConfigurationInvalid: As ``owner_only.read_file``.
        KeyVaultUnavailable: It cannot be read.
    """
    try:
        return owner_only.read_file(file)
    except OSError:
        pass
    return _fail("read")


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
        KeyVaultUnavailable: It cannot be written.
    """
    try:
        write_file(file, content, replace=False)
    except FileExistsError:
        return False
    except OSError:
        pass
    else:
        return True
    return _fail("written: is there space?")


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


def _fail(what: str) -> NoReturn:
    msg = f"local key vault: a file cannot be {what}"
    raise KeyVaultUnavailable(msg)
