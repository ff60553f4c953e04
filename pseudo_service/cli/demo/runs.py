"""The demo's runs: tables through projects, as ``pseudo run`` takes them."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.dataset

from pseudo_service.cli.console.progress import show_progress
from pseudo_service.cli.demo.service import DemoService
from pseudo_service.cli.inputs.csv_reader import CsvForm
from pseudo_service.cli.inputs.files import find_inputs
from pseudo_service.cli.inputs.readers import open_inputs
from pseudo_service.cli.run.command import PART_ROWS
from pseudo_service.cli.run.runner import run_parts
from pseudo_service.cli.run.state import MANIFEST, QUALITY, RunSettings, hold_output
from pseudo_service.core.access.roles import Role

PURPOSE = "demonstration of the service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One table after its run; ``columns`` counts by column and class."""

    name: str
    project: str
    folder: Path
    rows_in: int
    rows_out: int
    removed: Mapping[str, int]
    columns: Mapping[str, Mapping[str, int]]
    seconds: float

    @classmethod
    def read(cls, folder: Path, *, name: str, seconds: float) -> Self:
        """Read what a run left in its folder."""
        quality = json.loads((folder / QUALITY).read_text())
        return cls(
            name=name,
            project=quality["project"],
            folder=folder,
            rows_in=quality["rows_in"],
            rows_out=quality["rows_out"],
            removed=quality["removed"],
            columns={
                column: {code: each["count"] for code, each in counts.items()}
                for column, counts in quality["columns"].items()
            },
            seconds=seconds,
        )

    @property
    def manifest(self) -> Path:
        """Where the manifest is."""
        return self.folder / MANIFEST

    def read_table(self) -> pa.Table:
        """Read the released rows."""
        parts = [str(path) for path in sorted(self.folder.glob("part-*.parquet"))]
        return pyarrow.dataset.dataset(parts).to_table()


def release(
    service: DemoService, *, project: str, file: Path, folder: Path
) -> Released:
    """Run one file through one project, under the policy of the file's name."""
    name = file.stem
    output = folder / "released" / project / name
    settings = RunSettings(
        project=project,
        policy=f"{name}@1",
        purpose=PURPOSE,
        part_rows=PART_ROWS,
        inputs=1,
    )
    begun = time.monotonic()
    with hold_output(output) as state, show_progress() as progress:
        inputs = open_inputs(find_inputs([str(file)]), CsvForm(), state.folder)
        with service.connect(f"{Role.PIPELINE}:{project}") as client:
            run_parts(client, state, settings, inputs=inputs, progress=progress)
        state.end()
    return Released.read(output, name=name, seconds=time.monotonic() - begun)


def look_up(
    service: DemoService, project: str, numbers: Sequence[str]
) -> dict[str, str]:
    """Return the pseudonyms of NHS numbers as the extract wrote them."""
    with service.connect(f"{Role.PIPELINE}:{project}") as client:
        results = client.pseudonymise(
            numbers, kind="nhs_number", project=project, purpose=PURPOSE
        )
    return {
        text: result.pseudonym
        for text, result in zip(numbers, results, strict=True)
        if result.pseudonym is not None
    }
