"""``pseudo aliases``: loads the table of superseded and re-issued NHS numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from pseudo_client import LoadedAliases
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import Failure, show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import count, say, show_json
from pseudo_service.cli.inputs.number_files import read_number_file, read_texts
from pseudo_service.core.access.roles import Role

CHUNK = 50_000
COLUMNS = ("superseded", "current")

app = typer.Typer(help="Superseded and re-issued NHS numbers.", no_args_is_help=True)


@app.callback()
def aliases() -> None:
    """Say which NHS numbers were replaced by another, or given to somebody else."""


@app.command(
    epilog=show_examples(
        "pseudo aliases load superseded.csv", "pseudo aliases load merges.parquet"
    )
)
@takes_connection
def load(
    options: ConnectionOptions,
    *,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or Parquet with the columns superseded and current; current is "
            "empty where a number was re-issued."
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Load a table in place of the one before; it is stored sealed."""
    entries = read_entries(file)
    if not entries.num_rows:
        msg = f"{file}: no entries; to do without a table, `pseudo aliases withdraw`"
        raise Failure(msg)
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        loaded = client.load_aliases(
            entries=entries.num_rows, chunks=cut_entries(entries)
        )
    _show(loaded, json=json)


@app.command(epilog=show_examples("pseudo aliases withdraw"))
@takes_connection
def withdraw(options: ConnectionOptions, *, json: JsonOption = False) -> None:
    """Put a table without entries in force: every number stands for itself again."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        loaded = client.load_aliases(entries=0, chunks=[])
    _show(loaded, json=json)


def read_entries(file: Path) -> pa.Table:
    """Read superseded and current numbers as text, wholly blank rows left out.

    Raises:
        Failure: The file cannot be read, or has not the two columns.
    """
    table, _ = read_number_file(file)
    if set(COLUMNS) - set(table.column_names):
        msg = f"{file}: name its columns {' and '.join(COLUMNS)}, in its first line"
        raise Failure(msg)
    texts = pa.table({name: read_texts(table[name]) for name in COLUMNS})
    is_blank = pc.and_(*(pc.equal(texts[name], "") for name in COLUMNS))
    return texts.filter(pc.invert(is_blank))


def cut_entries(
    entries: pa.Table, size: int = CHUNK
) -> Iterator[list[tuple[str, str]]]:
    """Yield pairs of superseded and current number in lists of at most ``size``."""
    for start in range(0, entries.num_rows, size):
        cut = entries.slice(start, size)
        columns = (cut[name].to_pylist() for name in COLUMNS)
        yield list(zip(*columns, strict=True))


def _show(loaded: LoadedAliases, *, json: bool) -> None:
    if json:
        show_json(
            {
                "list_id": loaded.list_id,
                "merged": loaded.merged,
                "reissued": loaded.reissued,
            }
        )
        return
    say(
        f"Alias table {loaded.list_id} is in force: {count(loaded.merged)} superseded "
        f"and {count(loaded.reissued)} re-issued NHS numbers."
    )
