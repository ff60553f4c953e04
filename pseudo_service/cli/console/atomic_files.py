"""The files that commands write: whole or not there, whenever the machine stops."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pseudo_service.adapters.files.atomic import (
    draft_file,
    publish,
    remove_drafts,
    write_file,
)
from pseudo_service.cli.console.exit_codes import Failure


@contextmanager
def draft_text(final: Path) -> Iterator[TextIO]:
    """Yield an ASCII file of its owner only; it gets its name if all goes well.

    Drafts of commands that were killed are removed first: they may hold pseudonyms.

    Raises:
        OSError: The folder cannot be written to.
    """
    remove_drafts(final)
    with draft_file(final) as draft:
        text = io.TextIOWrapper(draft, encoding="ascii", newline="")
        yield text
        text.flush()
        text.detach()


def write_new_file(final: Path, content: bytes) -> bool:
    """Write a file of its owner only that is not there; return False when it was.

    Drafts of commands that were killed are removed first: they may hold identifiers
    or a private key.

    Raises:
        OSError: The folder cannot be written to.
    """
    remove_drafts(final)
    try:
        write_file(final, content, replace=False)
    except FileExistsError:
        return False
    return True


def publish_json(value: Mapping[str, Any], final: Path, scratch: Path) -> None:
    """Write a JSON document, whole or not at all.

    Args:
        value: What the document says.
        final: Its name.
        scratch: A folder of the same file system, for its draft.

    Raises:
        OSError: A folder cannot be written to.
    """
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    publish_file(lambda path: path.write_text(text + "\n"), final, scratch)


def publish_file(write: Callable[[Path], object], final: Path, scratch: Path) -> None:
    """Have a file written, then give it its name.

    Args:
        write: Writes the file to the path that it gets.
        final: The file's name.
        scratch: A folder of the same file system, for the draft. The owner of
            the folder removes the drafts of runs that were killed.

    Raises:
        OSError: A folder cannot be written to.
    """
    temporary = scratch / f"{final.name}.tmp"
    write(temporary)
    publish(temporary, final)


def refuse_existing(output: Path) -> None:
    """Refuse to write over a file.

    Raises:
        Failure: There is one of that name.
    """
    if output.exists():
        raise describe_taken(output)


def describe_taken(output: Path) -> Failure:
    """Return the refusal to write over a file."""
    return Failure(f"--output {output}: is there already; name a new file")
