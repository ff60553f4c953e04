"""Files that are whole or not there, whenever the machine stops.

A file is written under a draft's name beside its place and flushed to the disk. Then
it gets its name in one step, and its folder is flushed. A draft that a power cut
leaves behind has a name of its own, which no reader takes for the file.
"""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

OWNER_ONLY: Final = 0o600
"""The permission bits of a file that only its owner reads and writes."""

_DRAFT_END: Final = ".tmp"
_WITHOUT_HARD_LINKS: Final = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
)
"""How file systems that have none say so: file shares, mounted object storage."""


def write_file(
    path: Path, content: bytes, *, mode: int = OWNER_ONLY, replace: bool = True
) -> None:
    """Write a file, whole or not at all; it survives a power cut once this returns.

    Args:
        path: Its name, in a folder that is there.
        content: All its bytes.
        mode: Its permission bits. While it is a draft only its owner reads it.
        replace: Whether a file of that name gives way. Otherwise, of processes that
            write the same name at once, exactly one succeeds.

    Raises:
        FileExistsError: There is a file of that name, and ``replace`` is false.
        OSError: The folder cannot be written to, or its disk is full. A file that was
            there is unchanged.
    """
    with draft_file(path, mode=mode, replace=replace) as draft:
        draft.write(content)


@contextmanager
def draft_file(
    path: Path, *, mode: int = OWNER_ONLY, replace: bool = True
) -> Iterator[BinaryIO]:
    """Yield a draft, and give it its name if the block ends without an error.

    Args:
        path: The name that the file gets; see ``write_file``.
        mode: Its permission bits; see ``write_file``.
        replace: Whether a file of that name gives way; see ``write_file``.

    Raises:
        FileExistsError: There is a file of that name, and ``replace`` is false.
        OSError: The folder cannot be written to, or its disk is full.
    """
    descriptor, name = tempfile.mkstemp(  # which only the owner may read
        dir=path.parent, prefix=f".{path.name}.", suffix=_DRAFT_END
    )
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
        publish(draft, path, replace=replace)
    finally:
        draft.unlink(missing_ok=True)


def publish(draft: Path, path: Path, *, replace: bool = True) -> None:
    """Give a finished draft its name; the file survives a power cut afterwards.

    The content reaches the disk first, then the name, then the folder that holds the
    name. The draft's own name is gone.

    Args:
        draft: In any folder of the same file system.
        path: The name that it gets.
        replace: Whether a file of that name gives way.

    Raises:
        FileExistsError: There is a file of that name, and ``replace`` is false.
        OSError: The disk fails.
    """
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    if replace:
        draft.replace(path)
    else:
        _take_free_name(draft, path)
    flush_folder(path.parent)
    if draft.parent != path.parent:
        flush_folder(draft.parent)


def _take_free_name(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)  # which fails where the name is taken
    except OSError as error:
        if error.errno not in _WITHOUT_HARD_LINKS:
            raise
        path.touch(exist_ok=False)  # a kill from here leaves it empty, for nobody else
        draft.replace(path)
    else:
        draft.unlink()


def remove_drafts(path: Path) -> None:
    """Remove what writers of a file left when they were killed.

    A writer of the same file that still runs fails with ``FileNotFoundError``.

    Args:
        path: The file's name.

    Raises:
        OSError: The folder cannot be read or written.
    """
    drafts = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\{_DRAFT_END}")
    for each in path.parent.iterdir():
        if drafts.fullmatch(each.name):
            each.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        OSError: It is no folder, or its disk fails.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
