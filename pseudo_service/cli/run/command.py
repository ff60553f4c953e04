"""``pseudo run``: de-identifies files into durable, receipted parts."""

import codecs
from pathlib import Path
from typing import Annotated, Any

import typer

from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import Failure, show_examples
from pseudo_service.cli.console.output import count, say, say_field, show_json
from pseudo_service.cli.console.progress import show_progress
from pseudo_service.cli.inputs.csv_reader import CsvForm
from pseudo_service.cli.inputs.files import find_inputs
from pseudo_service.cli.inputs.readers import open_inputs
from pseudo_service.cli.run.runner import run_to_end
from pseudo_service.cli.run.state import RunSettings, hold_output
from pseudo_service.core.access.roles import Role
from pseudo_service.core.redaction import TextCode

PART_ROWS = 500_000


@takes_connection
def run(
    options: ConnectionOptions,
    *,
    project: Annotated[str, typer.Option(help="Whose pseudonyms and dates it gets.")],
    policy: Annotated[
        str, typer.Option(metavar="RELEASE@N", help="The registered policy.")
    ],
    input_: Annotated[
        list[str],
        typer.Option(
            "--input",
            metavar="PATH",
            help="CSV, Parquet or Arrow, also .gz: a file, a folder or a quoted "
            "glob; may be repeated. All files must be one table.",
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="A new or empty folder, or that of a broken-off run.")
    ],
    purpose: Annotated[str, typer.Option(help="What the data is for; kept for audit.")],
    patients: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The policy's patient table: what is known of the patients of the "
            "texts. Only the columns that the policy names are sent.",
        ),
    ] = None,
    part_rows: Annotated[
        int, typer.Option(min=1, max=50_000_000, help="The most rows of one part.")
    ] = PART_ROWS,
    encoding: Annotated[
        str, typer.Option(help="Of CSV files, cp1252 for example.")
    ] = "utf-8",
    delimiter: Annotated[str, typer.Option(help="Of CSV files.")] = ",",
    json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON object.")
    ] = False,
) -> None:
    """De-identify files into Parquet parts, each with a signed receipt.

    A run that was broken off goes on where it was when it is given the same way
    again: finished parts stay, as long as their input and what their answers depend
    on (key version, policy, opt-out list) are the same.
    """
    files = find_inputs(input_)
    form = _choose_form(encoding, delimiter)
    settings = RunSettings(
        project=project,
        policy=policy,
        purpose=purpose,
        part_rows=part_rows,
        inputs=len(files),
    )
    with hold_output(output) as state, show_progress() as progress:
        inputs = open_inputs(files, form, state.folder)
        known = (
            open_inputs(find_inputs([patients])[:1], form, state.folder)[0]
            if patients is not None
            else None
        )
        totals = run_to_end(
            lambda: connect(options, roles=[f"{Role.PIPELINE}:{project}"]),
            state,
            settings,
            inputs=inputs,
            patients=known,
            progress=progress,
        )
        state.end()
    report(totals, output, json=json)


EPILOG = show_examples(
    "pseudo run --project asthma --policy cohort@1 --input patients.csv \\",
    '    --output released/patients --purpose "asthma outcomes study"',
    "pseudo run --project asthma --policy stays@1 --input 'extract/*.parquet' \\",
    "    --output released/stays --purpose audit --server pseudo.example:8443 --json",
    "pseudo run --project asthma --policy notes@1 --input notes.parquet \\",
    "    --patients patients.csv --output released/notes --purpose audit",
)


def _choose_form(encoding: str, delimiter: str) -> CsvForm:
    """Return how CSV files are written, or refuse what cannot be."""
    try:
        codecs.lookup(encoding)
        plain = "a\n".encode(encoding) == b"a\n"
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        msg = "--encoding: give utf-8, cp1252 or another that is ASCII at its core"
        raise Failure(msg)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        msg = "--delimiter: give one character, ';' or '|' for example"
        raise Failure(msg)
    return CsvForm(encoding=encoding, delimiter=delimiter)


def report(totals: dict[str, Any], output: Path, *, json: bool) -> None:
    """Print what the run did."""
    if json:
        show_json({"output": str(output), **totals})
        return
    removed = {reason: n for reason, n in totals["removed"].items() if n}
    say_field("rows in", count(totals["rows_in"]))
    for reason, number in sorted(removed.items()):
        say_field("removed", f"{count(number)} {reason}")
    say_field("rows out", count(totals["rows_out"]))
    say_field("cells marked", count(totals["rejected"]))
    for code, number in totals["texts_withheld"].items():
        reason = "mode is not served" if code == TextCode.WITHHELD else code
        say_field("withheld", f"{count(number)} texts: {reason}")
    say_field("parts", count(totals["parts"]))
    say(f"Check it with `pseudo manifest verify {output}`.")
