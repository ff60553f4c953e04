"""Which files a run reads, in which order, and what they are called in messages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from glob import has_magic
from pathlib import Path

from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.core.digit_runs import INPUT_FILE_NAME

_PLAIN_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}")


class InputFormat(StrEnum):
    """What a file is, by the end of its name."""

    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


_FORMATS = {
    ".csv": InputFormat.CSV,
    ".tsv": InputFormat.CSV,
    ".parquet": InputFormat.PARQUET,
    ".pq": InputFormat.PARQUET,
    ".arrow": InputFormat.ARROW,
    ".arrows": InputFormat.ARROW,
    ".feather": InputFormat.ARROW,
    ".ipc": InputFormat.ARROW,
}
_KNOWN = ", ".join(sorted(_FORMATS))


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file of a run; everything that is written about it names its index."""

    index: int
    path: Path
    format: InputFormat
    compressed: bool
    tabbed: bool = False

    @property
    def label(self) -> str:
        """What messages call it: its number, and its name if that is harmless.

        A file may be named after a patient, and messages end up in logs.
        """
        name = self.path.name
        plain = _PLAIN_FILE_NAME.fullmatch(name) and not INPUT_FILE_NAME.is_in(name)
        shown = name if plain else "name withheld; inputs are numbered in name order"
        return f"input {self.index + 1} ({shown})"


def find_inputs(patterns: Sequence[str]) -> list[InputFile]:
    """Return the files that paths, folders and globs stand for, in name order.

    Hidden files and those that begin with an underscore, as Spark leaves them in
    folders, are passed over. Any other file of an unknown kind is an error, because
    its rows would be missing without a word.

    Raises:
        Failure: Nothing is found, a file is given twice or is of no known kind.
    """
    paths = [
        path
        for number, pattern in enumerate(patterns)
        for path in _list_matches(number, pattern)
    ]
    if len({path.resolve() for path in paths}) != len(paths):
        msg = "--input names a file twice: its rows would be doubled; name it once"
        raise Failure(msg)
    ordered = sorted(paths, key=lambda path: (path.name, str(path)))
    return [_classify_file(index, path) for index, path in enumerate(ordered)]


def _list_matches(number: int, pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        found = [each for each in path.iterdir() if each.is_file()]
        found = [each for each in found if not each.name.startswith((".", "_"))]
    elif path.is_file():
        found = [path]
    elif has_magic(pattern):
        root = Path(path.anchor)
        matches = root.glob(str(path.relative_to(root)))
        found = [each for each in matches if each.is_file()]
    else:
        found = []
    if not found:
        msg = f"--input number {number + 1}: no file there; give a file, folder or glob"
        raise Failure(msg)
    return found


def _classify_file(index: int, path: Path) -> InputFile:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = bool(suffixes) and suffixes[-1] == ".gz"
    kind = suffixes[-2 if compressed else -1 :][:1]
    known = _FORMATS.get(kind[0]) if kind else None
    file = InputFile(
        index=index,
        path=path,
        format=known or InputFormat.CSV,
        compressed=compressed,
        tabbed=kind == [".tsv"],
    )
    if known is None:
        msg = f"{file.label}: no known kind of file; give {_KNOWN}, each also with .gz"
        raise Failure(msg)
    return file
