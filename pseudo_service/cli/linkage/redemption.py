"""``pseudo linkage redeem`` and ``open``: fetch the sealed result and open it."""

import base64
import io
import json as json_format
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pseudo_client import (
    LinkageResult,
    ResultUnreadable,
    SealedResult,
    open_linkage_result,
)
from pseudo_service.cli.console.atomic_files import (
    describe_taken,
    refuse_existing,
    write_new_file,
)
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    read_text_file,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, show_examples
from pseudo_service.cli.console.options import AsOption, RoleOption
from pseudo_service.cli.console.output import count_of, say, say_field, warn
from pseudo_service.cli.console.spreadsheets import write_rows
from pseudo_service.cli.linkage.officer_keys import PassphraseOption, read_private
from pseudo_service.cli.linkage.options import RequestArgument, open_desk

SEALED_FORMAT = "pseudo/sealed-result/v1"
_COLUMNS = (
    "subject",
    "outcome",
    "kind",
    "identifier",
    "superseded_by",
    "pseudonym",
    "project",
    "use",
    "key_version",
    "operations",
    "first",
    "last",
)
_SUFFIXES = {".csv": "csv", ".json": "json"}


@takes_connection
def redeem(
    options: ConnectionOptions,
    *,
    request: RequestArgument,
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="A new file for the sealed result.")
    ],
    person: AsOption = "",
    role: RoleOption = None,
) -> None:
    """Release an approved request and save the sealed result; again, fetch it again.

    The file opens only with the private key that the request names.
    """
    refuse_existing(output)
    with open_desk(options, person=person, roles=role) as client:
        sealed = client.redeem_linkage(request)
    save(output, write_sealed(sealed))
    done = "Released, once." if sealed.released_now else "The kept result, once more."
    say(f"{done} Only the private key of the request opens it.")
    say_field("sealed", str(output))
    say_field("digest", sealed.digest.hex())
    say_field("kept until", f"{sealed.available_until:%Y-%m-%d %H:%M} UTC")
    say_field(
        "next", f"pseudo linkage open {output} --key NAME.private.pem --output X.csv"
    )


def open_result(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `redeem` has saved.")
    ],
    *,
    key: Annotated[
        Path, typer.Option("--key", metavar="PEM", help="Your NAME.private.pem.")
    ],
    passphrase_file: PassphraseOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A new .csv or .json, for its owner's eyes only."
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print it, even on a terminal.")
    ] = False,
) -> None:
    """Open a sealed result with your private key; nothing is asked of the service."""
    kind = choose_form(output, show=show)
    sealed = read_sealed(file)
    try:
        result = open_linkage_result(sealed, read_private(key, passphrase_file))
    except ResultUnreadable as refusal:
        raise Failure(refusal.message, ExitCode.FAULTS_FOUND) from None
    text = write_csv(result) if kind == "csv" else write_json(result)
    if output is None:
        sys.stdout.write(text)
    else:
        save(output, text.encode())
        say(summarise_outcomes(result))
        say_field("opened", f"{output} (it names people; delete it when you are done)")
    if result.register_faults:
        warn(
            f"{count_of(result.register_faults, 'part')} of the register could not be "
            "read: whoever is unknown here may stand in one; tell the custodian"
        )
    if result.unaccounted_operations:
        warn(
            f"{count_of(len(result.unaccounted_operations), 'operation')} left no "
            "record of whom they released; see unaccounted_operations in the JSON"
        )


def choose_form(output: Path | None, *, show: bool) -> str:
    """Return csv or json.

    Raises:
        Failure: The file's name has another suffix or is taken, or the result would
            appear on a terminal without ``--show``.
    """
    if output is None:
        if is_screen() and not show:
            msg = (
                "the result names people and would stay on this screen: give "
                "--output FILE.csv, or --show if nobody else can see it"
            )
            raise Failure(msg)
        return "csv"
    refuse_existing(output)
    kind = _SUFFIXES.get(output.suffix.lower())
    if kind is None:
        msg = f"--output {output}: give a name that ends with .csv or .json"
        raise Failure(msg)
    return kind


def is_screen() -> bool:
    """Return whether the standard output is a terminal."""
    return sys.stdout.isatty()


def save(output: Path, content: bytes) -> None:
    """Write a new owner-only file, whole or not at all.

    Raises:
        Failure: There is a file of that name by now, or the folder cannot be written to.
    """
    try:
        is_new = write_new_file(output, content)
    except OSError:
        msg = f"--output {output}: cannot be written; check the folder and its rights"
        raise Failure(msg) from None
    if not is_new:
        raise describe_taken(output)


def write_sealed(sealed: SealedResult) -> bytes:
    """Return the sealed result and its request's id and digest, as JSON."""
    document = {
        "format": SEALED_FORMAT,
        "request_id": sealed.request_id,
        "digest": sealed.digest.hex(),
        "available_until": sealed.available_until.isoformat(),
        "sealed": base64.b64encode(sealed.sealed).decode(),
    }
    return (json_format.dumps(document, indent=2) + "\n").encode()


def read_sealed(file: Path) -> SealedResult:
    """Read what ``redeem`` saved.

    Raises:
        Failure: It is not such a file.
    """
    text = read_text_file(file, "FILE")
    with suppress(ValueError, KeyError, TypeError):
        document = json_format.loads(text)
        if document["format"] == SEALED_FORMAT:
            return SealedResult(
                request_id=document["request_id"],
                digest=bytes.fromhex(document["digest"]),
                sealed=base64.b64decode(document["sealed"], validate=True),
                available_until=datetime.fromisoformat(document["available_until"]),
                released_now=False,
            )
    msg = f"{file}: is not what `pseudo linkage redeem` saves; redeem again"
    raise Failure(msg)


def write_csv(result: LinkageResult) -> str:
    """Return the rows as CSV, with the known columns that any row has."""
    columns = [name for name in _COLUMNS if any(name in row for row in result.rows)]
    text = io.StringIO()
    cells = ([_cell(row, name) for name in columns] for row in result.rows)
    write_rows(text, columns, cells)
    return text.getvalue()


def write_json(result: LinkageResult) -> str:
    """Return the whole answer as JSON."""
    document = {
        "request_id": result.request_id,
        "digest": result.digest.hex(),
        "verb": result.verb,
        "project": result.project,
        "target_project": result.target_project,
        "released_at": result.released_at.isoformat(),
        "rows": list(result.rows),
        "unaccounted_operations": list(result.unaccounted_operations),
        "register_faults": result.register_faults,
    }
    return json_format.dumps(document, indent=2, default=str) + "\n"


def summarise_outcomes(result: LinkageResult) -> str:
    """Return how many rows have each outcome, in words."""
    outcomes = [str(row.get("outcome", "found")) for row in result.rows]
    counts = ", ".join(
        f"{outcomes.count(each):,} {each}" for each in dict.fromkeys(outcomes)
    )
    return f"{count_of(len(outcomes), 'row')}: {counts or 'nothing is held'}."


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name, "")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def register(app: typer.Typer) -> None:
    """Add the commands to ``pseudo linkage``."""
    app.command(
        epilog=show_examples(
            "pseudo linkage redeem REQUEST --output recall.sealed",
        )
    )(redeem)
    app.command(
        "open",
        epilog=show_examples(
            "pseudo linkage open recall.sealed --key officer.private.pem \\",
            "    --output recall.csv",
        ),
    )(open_result)
