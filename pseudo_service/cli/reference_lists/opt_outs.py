"""``pseudo opt-outs``: the national data opt-out list, and recalls under it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import Failure, show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import count, say, show_json
from pseudo_service.cli.inputs.number_files import read_number_file, read_texts
from pseudo_service.cli.reference_lists.recall import recall
from pseudo_service.core.access.roles import Role

CHUNK = 50_000

app = typer.Typer(help="The national data opt-out list.", no_args_is_help=True)


class ListKind(StrEnum):
    """Whether the list names who may be used, or who may not."""

    ALLOW = "allow"
    OPT_OUT = "opt_out"


@app.callback()
def opt_outs() -> None:
    """Load the list that projects are checked against, and recall who is on it now."""


app.command(
    epilog=show_examples(
        "pseudo opt-outs recall --project asthma --output recall.csv",
        "pseudo opt-outs recall --project asthma > recall.csv",
    )
)(recall)


@app.command(
    epilog=show_examples(
        "pseudo opt-outs load mesh-return.csv --kind allow --expires-in-days 7",
        "pseudo opt-outs load optouts.parquet --kind opt_out --column nhs_number",
    )
)
@takes_connection
def load(
    options: ConnectionOptions,
    *,
    file: Annotated[
        Path, typer.Argument(help="CSV or Parquet with one column of NHS numbers.")
    ],
    kind: Annotated[
        ListKind,
        typer.Option(help="allow: who may be used (MESH); opt_out: who may not."),
    ],
    expires_in_days: Annotated[
        float,
        typer.Option(min=0.01, max=31, help="After that, data calls are refused."),
    ] = 7.0,
    column: Annotated[
        str | None,
        typer.Option(help="The column, if the file has more than one."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Load a list in place of the one before; only keyed indices are kept of it."""
    numbers = read_numbers(file, column)
    expires_at = datetime.now(UTC) + timedelta(days=expires_in_days)
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        loaded = client.load_opt_outs(
            kind=kind.value,
            expires_at=expires_at,
            entries=len(numbers),
            chunks=cut_chunks(numbers),
        )
    if json:
        show_json(
            {
                "list_id": loaded.list_id,
                "kind": kind.value,
                "entries": loaded.entries,
                "expires_at": loaded.expires_at.isoformat(),
            }
        )
        return
    say(
        f"Loaded {count(loaded.entries)} NHS numbers as {kind.value} list "
        f"{loaded.list_id}, in force until {loaded.expires_at:%Y-%m-%d %H:%M} UTC."
    )


def read_numbers(file: Path, column: str | None) -> pa.ChunkedArray:
    """Read the column of NHS numbers as text, blanks left out.

    Raises:
        Failure: The file cannot be read, or it is not plain which column it is.
    """
    table, is_headed = read_number_file(file)
    if not is_headed:
        table = table.select([0])
    name = column or (table.column_names[0] if table.num_columns == 1 else None)
    if name is None or name not in table.column_names:
        msg = (
            f"{file}: {table.num_columns} columns; say with --column which one "
            "holds the NHS numbers"
        )
        raise Failure(msg)
    texts = read_texts(table[name])
    return texts.filter(pc.not_equal(texts, ""))


def cut_chunks(numbers: pa.ChunkedArray, size: int = CHUNK) -> Iterator[list[str]]:
    """Yield the numbers in lists of at most ``size``."""
    for start in range(0, len(numbers), size):
        yield numbers.slice(start, size).to_pylist()
