"""What may be told of an exception: its type and where it was raised, never its text.

The text of a library's exception may quote a cell.
"""

import re
import traceback
from types import TracebackType
from typing import Final

_FRAMES_SHOWN: Final = 6
_SEPARATOR: Final = re.compile(r"[/\\]")


def name_type(kind: type[BaseException]) -> str:
    """Return a type of exceptions with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def name_places(trace: TracebackType | None) -> str:
    """Return the innermost files and lines, never the source text or a value."""
    frames = traceback.extract_tb(trace)[-_FRAMES_SHOWN:]
    return " ".join(name_place(frame.filename, frame.lineno or 0) for frame in frames)


def name_place(file: str, line: int) -> str:
    """Return a file and a line, and nothing of where the service lies."""
    name = _SEPARATOR.split(file)[-1]
    return f"{name}:{line}"
