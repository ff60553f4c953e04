"""``pseudo register``: proves the sealed register whole, compacts it, erases from it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pseudo_client.register_values import (
    CompactionReport,
    RegisterFault,
    RegisterProgress,
    RegisterVerdict,
)
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    read_text_file,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import (
    count,
    count_of,
    say,
    say_field,
    show_json,
    show_table,
    warn,
)
from pseudo_service.core.access.roles import Role

MOST_SHOWN = 20
STANDARD_INPUT = "-"
MEANINGS = {
    "data_key_does_not_open": "the vault does not unwrap this data key",
    "segment_mac": "the segment was edited, or not written by the service",
    "segment_does_not_open": "the segment does not open under its data key",
    "blind_index_disagrees": "an identity stands under another's index",
    "membership_mac": "the disclosure was edited, or not written by the service",
    "membership_does_not_open": "the disclosure does not open under its data key",
}

app = typer.Typer(
    help="Verify, compact and erase from the register.", no_args_is_help=True
)


@app.command(epilog=show_examples("pseudo register verify"))
@takes_connection
def verify(options: ConnectionOptions, json: JsonOption = False) -> None:
    """Open everything in the register and prove it whole; nothing is changed.

    Exits with 1 if anything does not open, was edited or does not agree.
    """
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        verdict = client.verify_register(watch=_show_progress)
    if json:
        show_json(_describe_verdict(verdict))
    else:
        _print_verdict(verdict)
    if verdict.faults:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


@app.command(
    epilog=show_examples('pseudo register compact --reason "monthly maintenance"')
)
@takes_connection
def compact(
    options: ConnectionOptions,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit trail.")],
    json: JsonOption = False,
) -> None:
    """Merge segments, data keys and disclosures, so that opening stays quick.

    Interrupted, it loses nothing: run it again. Exits with 1 if it left something
    alone because it does not open.
    """
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        report = client.compact_register(reason=reason, watch=_show_progress)
    if json:
        show_json(_describe_report(report))
    else:
        _print_report(report)
    if report.faults:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


@app.command(
    epilog=show_examples(
        "pseudo register erase people.txt --order DPO-2026-17",
        "pseudo register erase - --order DPO-2026-17 --yes < people.txt",
    )
)
@takes_connection
def erase(
    options: ConnectionOptions,
    *,
    file: Annotated[
        Path, typer.Argument(help="One identifier a line; - for standard input.")
    ],
    order: Annotated[
        str, typer.Option(help="Reference of the order; kept in the audit trail.")
    ],
    kind: Annotated[
        str, typer.Option(help="Their kind, such as mrn@RXH.")
    ] = "nhs_number",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; needed with standard input.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Take people out of the register for ever: nobody can re-identify them then.

    Identifiers come from a file or standard input, never from the command line.
    """
    identifiers = read_identifiers(file, asks=not yes)
    if not yes:
        typer.confirm(
            f"Erase {count_of(len(identifiers), 'identifier')}? It cannot be undone",
            abort=True,
            err=True,
        )
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        report = client.erase_identities(identifiers, kind=kind, order=order)
    if json:
        show_json({"erased": report.erased, "not_registered": report.not_registered})
        return
    say(
        f"Erased {count(report.erased)}; {count(report.not_registered)} were not in "
        "the register. Backups of the database hold them until they expire."
    )


def read_identifiers(file: Path, *, asks: bool) -> list[str]:
    """Read the lines that are not blank.

    Raises:
        Failure: The file cannot be read or is empty, or standard input would have to
            give both the identifiers and a person's consent.
    """
    if str(file) == STANDARD_INPUT:
        if asks:
            msg = "with identifiers on standard input nobody can be asked: add --yes"
            raise Failure(msg)
        text = sys.stdin.read()
    else:
        text = read_text_file(file, "FILE")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        msg = f"{file}: no identifier in it; give one a line"
        raise Failure(msg)
    return lines


def _show_progress(progress: RegisterProgress) -> None:
    if sys.stderr.isatty():
        warn(
            f"{count(progress.segments)} segments, {count(progress.identities)} people"
        )


def _print_verdict(verdict: RegisterVerdict) -> None:
    say_field("segments", count(verdict.segments))
    say_field("people", count(verdict.distinct_identities))
    say_field("repeated", count(verdict.identities - verdict.distinct_identities))
    say_field("data keys", count(verdict.data_keys))
    say_field("disclosures", count(verdict.memberships))
    if not verdict.faults:
        say("The register is whole: everything opens and agrees.")
    _print_faults(verdict.faults)


def _print_report(report: CompactionReport) -> None:
    for name, before, after in (
        ("segments", report.segments_before, report.segments_after),
        ("data keys", report.data_keys_before, report.data_keys_after),
        ("disclosures", report.memberships_before, report.memberships_after),
    ):
        say_field(name, f"{count(before)} before, {count(after)} now")
    say_field("people", count(report.identities))
    _print_faults(report.faults)


def _print_faults(faults: tuple[RegisterFault, ...]) -> None:
    if not faults:
        return
    say(f"{count_of(len(faults), 'fault')}; restore what is named from a backup:")
    show_table(
        ("fault", "where", "what it means"),
        [
            (each.fault, each.where, MEANINGS.get(each.fault, each.fault))
            for each in faults[:MOST_SHOWN]
        ],
    )
    if len(faults) > MOST_SHOWN:
        say(f"and {count(len(faults) - MOST_SHOWN)} more; --json lists them.")


def _describe_verdict(verdict: RegisterVerdict) -> dict[str, object]:
    return {
        "segments": verdict.segments,
        "identities": verdict.identities,
        "distinct_identities": verdict.distinct_identities,
        "data_keys": verdict.data_keys,
        "memberships": verdict.memberships,
        "faults": _describe_faults(verdict.faults),
    }


def _describe_report(report: CompactionReport) -> dict[str, object]:
    return {
        "segments_before": report.segments_before,
        "segments_after": report.segments_after,
        "data_keys_before": report.data_keys_before,
        "data_keys_after": report.data_keys_after,
        "memberships_before": report.memberships_before,
        "memberships_after": report.memberships_after,
        "identities": report.identities,
        "faults": _describe_faults(report.faults),
    }


def _describe_faults(faults: tuple[RegisterFault, ...]) -> list[dict[str, str]]:
    return [{"fault": each.fault, "where": each.where} for each in faults]
