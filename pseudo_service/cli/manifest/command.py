"""``pseudo manifest``: proves that a run's output is what the service signed."""

from pathlib import Path
from typing import Annotated

import typer

from pseudo_service.cli.console.audit_keys import AuditKeyOption, open_verifier
from pseudo_service.cli.console.connection import ConfigOption, ConnectionOptions
from pseudo_service.cli.console.exit_codes import ExitCode, show_examples
from pseudo_service.cli.console.output import (
    complain,
    count,
    count_of,
    say,
    say_field,
    show_json,
)
from pseudo_service.cli.manifest.checks import Finding, check_folder
from pseudo_service.cli.manifest.files import Manifest, read_manifest
from pseudo_service.cli.manifest.receipt import describe_columns, show_columns

app = typer.Typer(help="Prove what a run has left.", no_args_is_help=True)


@app.callback()
def manifest() -> None:
    """Prove that the output of a run is what the service signed."""


@app.command(
    epilog=show_examples(
        "pseudo manifest verify released/patients --audit-key audit.pem",
        "pseudo manifest verify released/patients --config pseudo.yaml --json",
    )
)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's output.")],
    audit_key: AuditKeyOption = None,
    config: ConfigOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON object.")
    ] = False,
) -> None:
    """Check every part: its rows, its receipt, and that none is missing or extra.

    Exits with 1 and names the part and the fault if anything is not as signed.
    """
    listed = read_manifest(folder)
    check = open_verifier(ConnectionOptions(config=config), audit_key)
    findings = check_folder(folder, listed, check)
    report(listed, findings, json=json)
    if findings:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


@app.command(
    epilog=show_examples(
        "pseudo manifest receipt released/patients",
        "pseudo manifest receipt released/patients --json",
    )
)
def receipt(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's output.")],
    json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON object.")
    ] = False,
) -> None:
    """Tell in plain words what was done to each column, and what is missing in it.

    For whoever works with the table. It repeats what the receipts say; that they are
    the service's is proved by `pseudo manifest verify`.
    """
    listed = read_manifest(folder)
    described = describe_columns(listed)
    if json:
        show_json(described)
    else:
        show_columns(described)


def report(listed: Manifest, findings: list[Finding], *, json: bool) -> None:
    """Print what was verified, or what is wrong."""
    if json:
        show_json(
            {
                "sound": not findings,
                "project": listed.project,
                "policy": listed.pins.get("policy"),
                "parts": len(listed.parts),
                "rows_out": listed.totals.get("rows_out"),
                "findings": [
                    {"part": each.part, "fault": each.fault} for each in findings
                ],
            }
        )
        return
    for each in findings:
        complain(f"{each.part or 'manifest'}: {each.fault}")
    if findings:
        return
    rows = sum(part.rows_out for part in listed.parts)
    say_field("project", listed.project)
    say_field("policy", str(listed.pins.get("policy")))
    say_field("key version", str(listed.pins.get("key_version")))
    say(
        f"Sound: {count(rows)} rows in {count_of(len(listed.parts), 'part')} are exactly "
        "what the service signed; none is missing, added or doubled, the row counts "
        "add up, and every receipt is by a process that the audit key certified."
    )
