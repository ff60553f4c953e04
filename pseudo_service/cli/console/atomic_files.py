"""Files that are whole or not there, whenever the machine stops."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pseudo_service.cli.console.exit_codes import Failure

OWNER_ONLY = 0o600


def publish(temporary: Path, final: Path) -> None:
    """Move a finished file to its name so that it survives a power cut.

    The content reaches the disk first, then the name (rename is atomic within a
    file system), then the folder that holds the name.
    """
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.replace(final)
    flush_folder(final.parent)
    if temporary.parent != final.parent:
        flush_folder(temporary.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def draft_text(final: Path) -> Iterator[TextIO]:
    """Yield a file that only its owner reads, and give it its name if all goes well.

    Raises:
        OSError: The folder cannot be written to.
    """
    draft = final.with_name(f".{final.name}.tmp")
    try:
        draft.unlink(missing_ok=True)  # of a run that was cut off
        draft.touch(mode=OWNER_ONLY, exist_ok=False)
        with draft.open("w", encoding="ascii", newline="") as file:
            yield file
        publish(draft, final)
    finally:
        draft.unlink(missing_ok=True)


def publish_json(value: Mapping[str, Any], final: Path, scratch: Path) -> None:
    """Write a JSON document, whole or not at all."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    publish_file(lambda path: path.write_text(text + "\n"), final, scratch)


def publish_file(write: Callable[[Path], object], final: Path, scratch: Path) -> None:
    """Have a file written in the scratch folder, then give it its name."""
    temporary = scratch / f"{final.name}.tmp"
    write(temporary)
    publish(temporary, final)


def refuse_existing(output: Path) -> None:
    """Refuse to write over a file.

    Raises:
        Failure: There is one of that name.
    """
    if output.exists():
        msg = f"--output {output}: is there already; name a new file"
        raise Failure(msg)
