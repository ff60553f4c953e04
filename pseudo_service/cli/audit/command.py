"""``pseudo audit``: verifies, exports and anchors the audit trail."""

import json as json_format
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Annotated, Any

import typer

import pseudo_client
from pseudo_client import Client
from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.bootstrap.trust import read_audit_public_key
from pseudo_service.cli.console.audit_keys import (
    AuditKeyOption,
    VerifyVaultSignature,
    open_verifier,
)
from pseudo_service.cli.console.connection import (
    ConfigOption,
    ConnectionOptions,
    connect,
    read_config,
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
)
from pseudo_service.core.access.roles import Role
from pseudo_service.core.audit.events import (
    AuditVerdict,
    ChainHead,
    Checkpoint,
    RecordedEvent,
    encode_checkpoint,
)
from pseudo_service.core.audit.verification import verify_trail
from pseudo_service.core.errors import PseudoError

app = typer.Typer(
    help="Prove, export and anchor the audit trail.", no_args_is_help=True
)

MEANINGS = {
    "event_edited": "was changed after it was written",
    "event_missing": "is missing",
    "event_reordered": "is out of its order",
    "link_broken": "does not continue the event before it",
    "chain_forked": "has two versions, or is not the one that was signed",
    "chain_truncated": "and what follows were cut off",
    "checkpoint_missing": "is missing",
    "checkpoint_edited": "was changed, or differs from its copy",
    "checkpoint_signature": "bears a signature that does not verify",
}


@app.command(
    epilog=show_examples(
        "pseudo audit verify",
        "pseudo audit verify --server pseudo.example:8443 --token-file auditor.token \\",
        "    --archive /append-only/checkpoints --audit-key audit.pem --json",
    )
)
@takes_connection
def verify(
    options: ConnectionOptions,
    archive: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The checkpoints outside the database; otherwise of --config.",
        ),
    ] = None,
    audit_key: AuditKeyOption = None,
    json: JsonOption = False,
) -> None:
    """Prove that no event was removed, changed, reordered or forked.

    Every event is recomputed here, not by the service, and held against the
    signed checkpoints outside the database. Exits with 1 if anything is found.
    """
    check_signature = open_verifier(options, audit_key)
    copies = DirectoryArchive(find_archive(options, archive)).read()
    with connect(options, roles=[Role.AUDITOR]) as client:
        verdict = verify_export(client, list(copies), check_signature)
    if json:
        show_json(describe_verdict(verdict))
    else:
        print_verdict(verdict)
    if verdict.findings:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


@app.command(
    epilog=show_examples(
        "pseudo audit export trail.jsonl",
        "pseudo audit export - | grep table_finished",
    )
)
@takes_connection
def export(
    options: ConnectionOptions,
    file: Annotated[
        Path, typer.Argument(help="Where to write JSON lines; - for standard output.")
    ],
) -> None:
    """Write every event and checkpoint as JSON lines; never over an existing file."""
    with connect(options, roles=[Role.AUDITOR]) as client:
        lines = (write_line(each) for each in client.export_audit())
        if str(file) == "-":
            for line in lines:
                typer.echo(line)
            return
        written = _write_lines(file, lines)
    say(f"Wrote {count(written)} events and checkpoints to {file}.")


@app.command(epilog=show_examples("pseudo audit checkpoint"))
@takes_connection
def checkpoint(options: ConnectionOptions, json: JsonOption = False) -> None:
    """Have the heads of all chains signed now and copied outside the database."""
    with connect(options, roles=[Role.AUDITOR]) as client:
        made = client.checkpoint_audit()
    if json:
        show_json(json_format.loads(encode_checkpoint(read_checkpoint(made))))
        return
    say_field("checkpoint", str(made.number))
    say_field("at", f"{made.at:%Y-%m-%d %H:%M:%S} UTC")
    say_field("chains", str(len(made.heads)))
    say_field("signed by", made.signing_key_id)


@app.command(
    "key", epilog=show_examples("pseudo audit key --config pseudo.yaml > audit.pem")
)
def show_key(config: ConfigOption = None) -> None:
    """Write the vault's audit public key in PEM, for --audit-key elsewhere.

    It is what a verifier trusts: hand it over by another way than the data.
    """
    typer.echo(read_audit_public_key(read_config(config)).decode(), nl=False)


def verify_export(
    client: Client,
    copies: Iterable[Checkpoint],
    check_signature: VerifyVaultSignature,
) -> AuditVerdict:
    """Verify the trail that the service exports against the copies outside its database."""
    stream = client.export_audit()
    inside: list[Checkpoint] = []
    first: list[RecordedEvent] = []
    for each in stream:
        if isinstance(each, pseudo_client.Checkpoint):
            inside.append(read_checkpoint(each))
        else:
            first.append(read_event(each))
            break
    events = chain(first, map(_expect_event, stream))
    return verify_trail(
        groupby(events, key=lambda event: event.chain),
        inside=inside,
        outside=copies,
        is_signed=_make_signature_check(check_signature),
    )


def _expect_event(
    received: pseudo_client.RecordedEvent | pseudo_client.Checkpoint,
) -> RecordedEvent:
    # Events before a checkpoint could not be compared with it any more.
    if isinstance(received, pseudo_client.Checkpoint):
        msg = "audit export: a checkpoint after the events; use the service's version"
        raise Failure(msg, ExitCode.FAULTS_FOUND)
    return read_event(received)


def _make_signature_check(
    check_signature: VerifyVaultSignature,
) -> Callable[[Checkpoint], bool]:
    def is_signed(checkpoint: Checkpoint) -> bool:
        try:
            check_signature(
                checkpoint.signed_bytes(),
                checkpoint.signature,
                checkpoint.signing_key_id,
            )
        except PseudoError:
            return False
        return True

    return is_signed


def find_archive(options: ConnectionOptions, archive: Path | None) -> Path:
    """Return the folder of the checkpoints outside the database.

    Raises:
        Failure: It is not there, or nothing says where it is.
    """
    if archive is not None:
        if not archive.is_dir():
            msg = f"--archive: no folder {archive}; give that of the checkpoints"
            raise Failure(msg)
        return archive
    if options.server is not None and options.config is None:
        msg = (
            "give --archive DIR: without the checkpoints outside the database "
            "nothing proves that the end of the trail was not cut off"
        )
        raise Failure(msg)
    return read_config(options.config).archive_directory


def read_event(event: pseudo_client.RecordedEvent) -> RecordedEvent:
    """Return the service's value of what the client received."""
    return RecordedEvent(
        chain=event.chain,
        sequence=event.sequence,
        body=event.body,
        previous=event.previous,
        digest=event.digest,
    )


def read_checkpoint(received: pseudo_client.Checkpoint) -> Checkpoint:
    """Return the service's value of what the client received."""
    return Checkpoint(
        number=received.number,
        at=received.at,
        heads=tuple(
            ChainHead(chain=each.chain, sequence=each.sequence, digest=each.digest)
            for each in received.heads
        ),
        previous=received.previous,
        signing_key_id=received.signing_key_id,
        signature=received.signature,
    )


def write_line(each: pseudo_client.RecordedEvent | pseudo_client.Checkpoint) -> str:
    """Return an event or a checkpoint as one line of JSON.

    ``body`` stays the exact text that was hashed, so that the lines can be verified.
    """
    if isinstance(each, pseudo_client.Checkpoint):
        return (
            '{"checkpoint": ' + encode_checkpoint(read_checkpoint(each)).rstrip() + "}"
        )
    event = {
        "chain": each.chain,
        "sequence": each.sequence,
        "body": each.body,
        "previous": each.previous.hex(),
        "digest": each.digest.hex(),
    }
    return json_format.dumps({"event": event})


def _write_lines(file: Path, lines: Iterator[str]) -> int:
    try:
        with file.open("x", encoding="utf-8") as target:
            return sum(target.write(line + "\n") > 0 for line in lines)
    except FileExistsError:
        msg = f"{file} exists already: name another file"
        raise Failure(msg) from None
    except OSError:
        msg = f"{file} cannot be written: check the folder and its space"
        raise Failure(msg) from None


def describe_verdict(verdict: AuditVerdict) -> dict[str, Any]:
    """Return a verdict as ``--json`` gives it."""
    until = verdict.anchored_until
    return {
        "sound": not verdict.findings,
        "events": verdict.events,
        "chains": verdict.chains,
        "checkpoints": verdict.checkpoints,
        "unanchored_events": verdict.unanchored_events,
        "anchored_until": until.isoformat() if until else None,
        "findings": [
            {"fault": each.fault, "chain": each.chain, "sequence": each.sequence}
            for each in verdict.findings
        ],
    }


def print_verdict(verdict: AuditVerdict, most: int = 20) -> None:
    """Print a verdict in words for a person responsible for the data."""
    faults = len(verdict.findings)
    if not faults:
        say("The audit trail is sound.", style="bold green")
        say(
            f"Recomputed {count_of(verdict.events, 'event')} in "
            f"{count_of(verdict.chains, 'chain')}: none is missing, changed, out of "
            "order or doubled."
        )
    else:
        say(
            f"The audit trail is NOT sound: {count_of(faults, 'fault')}.",
            style="bold red",
        )
        show_table(
            ("where", "number", "what is wrong"),
            [
                (each.chain, str(each.sequence), MEANINGS[each.fault])
                for each in verdict.findings[:most]
            ],
            numbers=frozenset({"number"}),
        )
        if faults > most:
            say(f"and {count(faults - most)} more; --json lists them all.")
        say("Tell the Caldicott Guardian, and keep the database as it is.")
    _print_anchors(verdict)


def _print_anchors(verdict: AuditVerdict) -> None:
    if verdict.anchored_until is None:
        say(
            "No checkpoint lies outside the database yet, so nothing proves that the "
            "end was not cut off: run `pseudo audit checkpoint`."
        )
        return
    say(
        f"Checkpoint {count(verdict.checkpoints)}, signed and kept outside the "
        f"database, anchors it until {verdict.anchored_until:%Y-%m-%d %H:%M:%S} UTC."
    )
    if verdict.unanchored_events:
        say(
            f"Not anchored yet: {count_of(verdict.unanchored_events, 'later event')}, "
            "which the next checkpoint covers."
        )
