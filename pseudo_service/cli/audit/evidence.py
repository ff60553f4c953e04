"""``pseudo audit evidence``: a page and tables for a guardian and for the DSPT."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pseudo_client import Client
from pseudo_client.errors import AccessDenied
from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.cli.audit.command import find_archive, verify_export
from pseudo_service.cli.audit.events import (
    ProjectOption,
    choose_period,
    read_project_events,
)
from pseudo_service.cli.audit.evidence_pages import Verification, write_pack
from pseudo_service.cli.console.audit_keys import AuditKeyOption, open_verifier
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, show_examples
from pseudo_service.cli.console.output import say
from pseudo_service.core.access.roles import Role
from pseudo_service.core.evidence.pack import build_evidence

HOW_TO_VERIFY = (
    "An auditor proves it with `pseudo audit verify`, which needs the copies of the "
    "checkpoints outside the database and the vault's public audit key."
)


@takes_connection
def evidence(
    options: ConnectionOptions,
    *,
    project: ProjectOption,
    since: Annotated[
        datetime,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="The first day (UTC).",
        ),
    ],
    until: Annotated[
        datetime,
        typer.Option(
            "--to",
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="The last day, which counts (UTC).",
        ),
    ],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="A new folder for the pack.")
    ],
    archive: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The checkpoints outside the database; otherwise of --config.",
        ),
    ] = None,
    audit_key: AuditKeyOption = None,
) -> None:
    """Write what the audit trail shows of a project: one HTML page, and CSV files.

    With an auditor's token the whole trail is verified, too; a guardian's pack says
    that it was not, and how that is done. Exits with 1 if the trail is not sound.
    """
    period = choose_period(since, until)
    if period.until <= period.since:
        msg = "--to: give a day that is not before --from"
        raise Failure(msg)
    if output.exists():
        msg = f"{output} exists already: name a new folder"
        raise Failure(msg)
    with connect(options, roles=[Role.AUDITOR]) as client:
        events = read_project_events(client, project)
        verification = _verify(client, options, archive, audit_key)
    gathered = build_evidence(
        events,
        project=project,
        period=period,
        made_at=datetime.now(UTC),
    )
    page = write_pack(gathered, verification, output)
    say(f"Wrote {page} and {len(gathered.tables)} CSV files beside it.")
    say(verification.title)
    if verification.state == "unsound":
        raise typer.Exit(ExitCode.FAULTS_FOUND)


def register(app: typer.Typer) -> None:
    """Add the command to ``pseudo audit``."""
    examples = show_examples(
        "pseudo audit evidence --project asthma --from 2026-01-01 --to 2026-03-31 \\",
        "    --output evidence-2026-q1",
    )
    app.command("evidence", epilog=examples)(evidence)


def _verify(
    client: Client,
    options: ConnectionOptions,
    archive: Path | None,
    keys: Sequence[Path] | None,
) -> Verification:
    is_remote = options.server is not None and options.config is None
    if is_remote and (archive is None or not keys):
        return Verification.unverified(
            "Neither copies of the checkpoints nor the audit key were given.",
            HOW_TO_VERIFY,
        )
    check_signature = open_verifier(options, keys)
    copies = list(DirectoryArchive(find_archive(options, archive)).read())
    try:
        verdict = verify_export(client, copies, check_signature)
    except AccessDenied:
        return Verification.unverified(
            "Whoever made this pack may not read the whole trail.", HOW_TO_VERIFY
        )
    return Verification.of(verdict)
