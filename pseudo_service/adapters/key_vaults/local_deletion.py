"""Keys that were deleted from a local vault: out of use at once, purged in a week.

A deleted key's folder is moved to ``deleted/<name>``, from where nothing is opened.
``purge-at`` in it says when it is overwritten and removed, which is done by whoever
opens the vault after that. Until then an operator can move the folder back.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pseudo_service.adapters.key_vaults.local_files import (
    erase_folder,
    list_files,
    make_folder,
    move_folder,
    read_file,
    remove_file,
    write_once,
)
from pseudo_service.core.errors import KeyVaultRefused
from pseudo_service.ports.key_vault import DeletedKey

KEPT: Final = timedelta(days=7)
_MARK: Final = "purge-at"


class DeletedKeys:
    """The folder of deleted keys; safe between threads and between processes."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder = folder

    def find(self, name: str) -> DeletedKey | None:
        """Return a deleted key that is not purged yet, or None."""
        mark = read_file(self._folder / name / _MARK)
        if mark is None:
            return None
        return DeletedKey(name=name, purged_at=_read_mark(mark))

    def take(self, name: str, key_folder: Path, now: datetime) -> DeletedKey | None:
        """Take a key's folder out of use; None when there is none to take."""
        mark = key_folder / _MARK
        if not list_files(key_folder):
            return None
        remove_file(mark)  # of a deletion that was cut off, or of a recovered key
        write_once(mark, (now + KEPT).isoformat().encode())
        return self.find(name) if move_folder(key_folder, self._folder / name) else None

    def purge(self, now: datetime) -> None:
        """Erase the keys whose time has come."""
        for name in list_files(self._folder):
            found = self.find(name)
            if found is None or (found.purged_at and found.purged_at <= now):
                erase_folder(self._folder / name)


def _read_mark(mark: bytes) -> datetime:
    try:
        moment = datetime.fromisoformat(mark.decode())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = "local key vault: the purge date of a deleted key was changed: restore it"
        raise KeyVaultRefused(msg)
    return moment
