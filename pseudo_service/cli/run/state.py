"""What an unfinished run keeps on disk, so that it can be continued.

``.pseudo-run`` in the output folder holds the run's settings, a key for digests of
the input, and one file a finished part: its receipt. That file is the commit point.
A part counts if and only if it is there, and it is written after the part's own
Parquet file is durable under its name.
"""

import fcntl
import hmac
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pseudo_client
from pseudo_service.adapters.files.atomic import flush_folder
from pseudo_service.cli.console.atomic_files import publish_json
from pseudo_service.cli.console.exit_codes import ExitCode, Failure

STATE = ".pseudo-run"
MANIFEST = "manifest.json"
QUALITY = "quality.json"
REJECTED = "rejected.parquet"
_ENDED = ".pseudo-run-ended"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What must be equal for finished parts to be kept."""

    project: str
    policy: str
    purpose: str
    part_rows: int
    inputs: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PartName:
    """A part: a range of rows of one input."""

    input: int
    part: int

    @property
    def stem(self) -> str:
        """The begin of its files' names."""
        return f"part-{self.input:05d}-{self.part:05d}"

    @property
    def number(self) -> int:
        """What the service and its receipt call it; the same in every attempt."""
        return self.input * 100_000 + self.part


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedPart:
    """A part that counts, as its commit file states it."""

    name: PartName
    input_digest: str
    rows_in: int
    rows_out: int
    rejected: int
    removed: dict[str, int]
    columns: dict[str, dict[str, int]]
    pins: dict[str, Any]
    receipt: dict[str, str]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what ``to_json`` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "name": PartName(**fields["name"])})

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


class RunState:
    """The state folder of one run, held under a lock."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output / STATE

    def part_file(self, name: PartName) -> Path:
        """Where a part's rows are."""
        return self.output / f"{name.stem}.parquet"

    def rejected_file(self, name: PartName) -> Path:
        """Where a part's marked cells wait for the end of the run."""
        return self.folder / f"{name.stem}.rejected.parquet"

    def temporary(self, name: PartName) -> Path:
        """Where a part's rows are written."""
        return self.folder / f"{name.stem}.parquet.tmp"

    def commit(self, part: FinishedPart) -> None:
        """Write a part's commit file; its other files must be durable already."""
        publish_json(part.to_json(), self._commit_file(part.name), self.folder)

    def finished(self, name: PartName) -> FinishedPart | None:
        """Return a part if it is committed."""
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            part = FinishedPart.from_json(self._commit_file(name).read_text())
            marked = not part.rejected or self.rejected_file(name).is_file()
            if marked and self.part_file(name).is_file():
                return part
        return None

    def list_finished(self) -> list[FinishedPart]:
        """Return the committed parts, in order."""
        names = [_read_name(path) for path in sorted(self.folder.glob("part-*.json"))]
        parts = [self.finished(name) for name in names]
        return [part for part in parts if part is not None]

    def discard(self, name: PartName) -> None:
        """Remove a part: its commit file first, then its other files."""
        self._commit_file(name).unlink(missing_ok=True)
        flush_folder(self.folder)
        self.part_file(name).unlink(missing_ok=True)
        self.rejected_file(name).unlink(missing_ok=True)

    def discard_all(self) -> None:
        """Remove all parts, committed or not."""
        for path in sorted(self.folder.glob("part-*.json")):
            self.discard(_read_name(path))
        self.remove_leftovers()

    def remove_leftovers(self) -> None:
        """Remove what an interrupted run left: half-written and uncommitted files."""
        for path in self.folder.glob("*.tmp"):
            path.unlink()
        for name in (MANIFEST, QUALITY, REJECTED):
            (self.output / name).unlink(missing_ok=True)
        committed = {part.name.stem for part in self.list_finished()}
        for path in self.output.glob("part-*.parquet"):
            if path.stem not in committed:
                path.unlink()

    def digest(self, content: bytes) -> str:
        """Return a keyed digest of an input's digest.

        Keyed with what only this folder holds: a plain digest of a small table
        could be searched for, and is not kept.
        """
        key = (self.folder / "key").read_bytes()
        return hmac.digest(key, content, sha256).hex()

    def read_operation(self, settings: RunSettings) -> str | None:
        """Return the operation to go on with, or None where the settings differ."""
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            stored = json.loads((self.folder / "run.json").read_text())
            if RunSettings(**stored["settings"]) == settings:
                return str(stored["operation"])
        return None

    def begin(self, settings: RunSettings) -> str:
        """Remove all parts and store the settings of a new operation."""
        self.discard_all()
        operation = pseudo_client.draw_operation_id()
        value = {"settings": asdict(settings), "operation": operation}
        publish_json(value, self.folder / "run.json", self.folder)
        return operation

    def end(self) -> None:
        """Remove the state; the manifest must be there."""
        ended = self.output / _ENDED
        shutil.rmtree(ended, ignore_errors=True)
        self.folder.rename(ended)
        flush_folder(self.output)
        shutil.rmtree(ended, ignore_errors=True)

    def _commit_file(self, name: PartName) -> Path:
        return self.folder / f"{name.stem}.json"


@contextmanager
def hold_output(output: Path) -> Iterator[RunState]:
    """Take the output folder for this run alone.

    Raises:
        Failure: Another run holds it, or it holds something else.
    """
    state = RunState(output)
    _prepare_folders(state)
    with (state.folder / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            msg = "another run writes into this output folder; wait for it to end"
            raise Failure(msg, ExitCode.UNAVAILABLE) from None
        _make_key(state.folder / "key")
        yield state


def _prepare_folders(state: RunState) -> None:
    output = state.output
    try:
        output.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(output / _ENDED, ignore_errors=True)
        if not state.folder.is_dir() and any(output.iterdir()):
            finished = (output / MANIFEST).is_file()
            what = "holds a finished run" if finished else "holds other files"
            msg = f"--output {what}; give a new or an empty folder"
            raise Failure(msg)
        state.folder.mkdir(mode=0o700, exist_ok=True)
        state.folder.chmod(0o700)
    except OSError:
        msg = "--output cannot be written; check the path and its rights"
        raise Failure(msg) from None


def _make_key(path: Path) -> None:
    """Make the key of a new run; without its key no earlier part can be kept."""
    if path.is_file() and path.stat().st_size == _KEY_BYTES:
        return
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(secrets.token_bytes(_KEY_BYTES))


def _read_name(commit_file: Path) -> PartName:
    _, table, part = commit_file.stem.split("-")
    return PartName(input=int(table), part=int(part))
