"""``pseudo pseudonym``: checks pseudonyms that came from elsewhere."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, show_examples
from pseudo_service.cli.console.output import count, say, show_json_line, show_table
from pseudo_service.cli.inputs.lines import read_lines
from pseudo_service.core.access.roles import Role

CHUNK = 10_000
OK = "OK"
MEANINGS = {
    OK: "this project's, as it was made",
    "FORM": "not the form of a pseudonym",
    "CHECK_SYMBOL": "mistyped or damaged: the check symbol does not agree",
    "PROJECT_TAG": "another project's",
    "KIND": "of another kind of identifier",
    "KEY_VERSION": "of a key version that this project does not have",
}

app = typer.Typer(help="Check pseudonyms from elsewhere.", no_args_is_help=True)


@app.callback()
def pseudonyms() -> None:
    """Check pseudonyms that came from elsewhere."""


@app.command(
    epilog=show_examples(
        "pseudo pseudonym check cohort.txt --project asthma",
        "cut -d, -f1 table.csv | pseudo pseudonym check - --project asthma --json",
    )
)
@takes_connection
def check(
    options: ConnectionOptions,
    file: Annotated[
        Path, typer.Argument(help="One pseudonym a line; - for standard input.")
    ],
    project: Annotated[str, typer.Option(help="Whose pseudonyms they should be.")],
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="One object a line: line, outcome, key_version; then totals."
        ),
    ] = False,
) -> None:
    """Check each pseudonym for project, kind, key version and check symbol.

    Answers by line number; a pseudonym is not repeated. Exits with 1 if any is wrong.
    """
    lines = read_lines(file)
    outcomes: Counter[str] = Counter()
    faults: list[tuple[int, str]] = []
    with connect(options, roles=[f"{Role.RESEARCHER}:{project}"]) as client:
        for start in range(0, len(lines), CHUNK):
            chunk = lines[start : start + CHUNK]
            results = client.check_pseudonyms(project, [text for _, text in chunk])
            for (number, _), result in zip(chunk, results, strict=True):
                outcomes[result.outcome] += 1
                if result.outcome != OK:
                    faults.append((number, result.outcome))
                if json:
                    show_json_line(
                        {
                            "line": number,
                            "outcome": result.outcome,
                            "key_version": result.key_version,
                        }
                    )
    if json:
        show_json_line({"project": project, "totals": dict(outcomes)})
    else:
        report(project, outcomes, faults)
    if faults:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


def report(
    project: str, outcomes: Counter[str], faults: list[tuple[int, str]], most: int = 20
) -> None:
    """Print how many are right, and where the wrong ones are."""
    total = outcomes.total()
    say(f"{count(outcomes[OK])} of {count(total)} are pseudonyms of {project}.")
    if not faults:
        return
    show_table(
        ("line", "outcome", "what it means"),
        [(str(line), code, MEANINGS.get(code, code)) for line, code in faults[:most]],
        numbers=frozenset({"line"}),
    )
    if len(faults) > most:
        say(f"and {count(len(faults) - most)} more; --json lists them all.")
