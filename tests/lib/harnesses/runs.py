"""Runs of files through the fake service, without a command line."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pseudo_client import NO_RETRIES, Client, RetryPolicy
from pseudo_service.cli.inputs.csv_reader import CsvForm
from pseudo_service.cli.inputs.files import find_inputs
from pseudo_service.cli.inputs.readers import open_inputs
from pseudo_service.cli.run.runner import run_to_end
from pseudo_service.cli.run.state import RunSettings, hold_output
from tests.lib.services.fake_service import TOKEN, FakeService

HEADER = ("nhs_number", "row", "born")


class HeardProgress:
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.rows = 0

    def begin_part(self, stem: str) -> None:
        self.part = stem

    def advance(self, rows: int) -> None:
        self.rows += rows

    def end_part(self) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def make_rows(count: int, first: int = 0) -> Iterator[tuple[str, str, str]]:
    for row in range(first, first + count):
        number = f"{9_990_000_000 + row}" if row % 10 else ""
        yield number, f"{row:06d}", "1970-01-01" if row % 7 else "07/10/63"


def write_csv(path: Path, rows: int, first: int = 0) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(make_rows(rows, first))
    return path


def open_client(service: FakeService) -> Client:
    return Client(
        service.address,
        token=TOKEN,
        root_certificates=service.root_certificates,
        retries=NO_RETRIES,
    )


def run_files(
    service: FakeService,
    inputs: Sequence[Path],
    output: Path,
    *,
    part_rows: int = 250,
    project: str = "cohort",
    progress: HeardProgress | None = None,
    attempts: int = 3,
) -> dict[str, Any]:
    files = find_inputs([str(path) for path in inputs])
    settings = RunSettings(
        project=project,
        policy="release@1",
        purpose="testing",
        part_rows=part_rows,
        inputs=len(files),
    )
    with hold_output(output) as state:
        totals = run_to_end(
            lambda: open_client(service),
            state,
            settings,
            inputs=open_inputs(files, CsvForm(), state.folder),
            progress=progress or HeardProgress(),
            retries=RetryPolicy(attempts=attempts, sleep=lambda _: None),
        )
        state.end()
    return totals


def read_output(output: Path) -> pa.Table:
    parts = sorted(output.glob("part-*.parquet"))
    return pa.concat_tables([pq.read_table(part) for part in parts])
