"""``pseudo key map`` and ``verify-map``: from old pseudonyms to new ones, proved."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pseudo_service.cli.console.atomic_files import draft_text, refuse_existing
from pseudo_service.cli.console.audit_keys import AuditKeyOption, open_verifier
from pseudo_service.cli.console.connection import (
    OPERATOR,
    ConfigOption,
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, show_examples
from pseudo_service.cli.console.options import AsOption
from pseudo_service.cli.console.output import count, say, warn
from pseudo_service.cli.console.signed_files import read_signed, write_signed
from pseudo_service.cli.projects.command import ProjectArgument
from pseudo_service.core.access.roles import Role
from pseudo_service.core.keys.statements import verify_statement
from pseudo_service.core.pseudonyms.version_map import KEY_MAP_FORMAT, PairsDigest

_HEADER = "old,new\n"
_LINES = 10_000


@takes_connection
def map_versions(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    old: Annotated[int, typer.Option(min=1, help="The key version to map from.")],
    new: Annotated[int, typer.Option(min=2, help="The key version to map to.")],
    purpose: Annotated[str, typer.Option(help="What the map is for.")],
    output: Annotated[
        Path, typer.Option(metavar="CSV", help="Where the pairs go; a new file.")
    ],
    person: AsOption = "",
) -> None:
    """Write which new pseudonym follows which old one, and the signed statement of it.

    The statement goes beside the file, as CSV.signed.json. People released in an
    operation that was cut off may be missing; such operations are named.
    """
    for path in (output, _name_statement(output)):
        refuse_existing(path)
    roles = [f"{Role.LINKAGE_OFFICER}:{project}"]
    digest = PairsDigest()
    try:
        with (
            connect(options, roles=roles, subject=person or OPERATOR) as client,
            draft_text(output) as file,
        ):
            file.write(_HEADER)

            def take(olds: Sequence[str], news: Sequence[str]) -> None:
                digest.add(olds, news)
                file.writelines(f"{a},{b}\n" for a, b in zip(olds, news, strict=True))

            end = client.map_key_versions(
                project, old_version=old, new_version=new, purpose=purpose, take=take
            )
            if end.statement.read_statement().get("sha256") != digest.hex():
                msg = "the pairs that came are not those that were signed: ask again"
                raise Failure(msg, ExitCode.FAULTS_FOUND)
            write_signed(end.statement, _name_statement(output))
    except OSError:
        msg = f"--output {output}: cannot be written; check the folder and its rights"
        raise Failure(msg) from None
    say(f"{count(end.pairs)} pairs, from key version {old} to {new}.")
    for each in end.unaccounted_operations:
        warn(f"not accounted for: {each}")


def verify_map(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="A map of pseudonyms.")],
    audit_key: AuditKeyOption = None,
    config: ConfigOption = None,
) -> None:
    """Prove that a map is what the service signed, by the statement beside it."""
    check = open_verifier(ConnectionOptions(config=config), audit_key)
    signed = read_signed(_name_statement(file))
    stated = verify_statement(signed, check, KEY_MAP_FORMAT)
    digest = PairsDigest()
    for olds, news in _read_pairs(file):
        digest.add(olds, news)
    if (digest.pairs, digest.hex()) != (stated.get("pairs"), stated.get("sha256")):
        msg = f"{file.name}: its pairs are not those that were signed"
        raise Failure(msg, ExitCode.FAULTS_FOUND)
    versions = f"from key version {stated['old_version']} to {stated['new_version']}"
    say(f"Sound: {count(digest.pairs)} pairs of {stated['project']}, {versions}.")
    for each in stated["unaccounted_operations"]:
        warn(f"not accounted for: {each}")


def _name_statement(output: Path) -> Path:
    return output.with_name(f"{output.name}.signed.json")


def _read_pairs(file: Path) -> Iterator[tuple[list[str], list[str]]]:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            header = opened.readline()
            rows = [(old, new) for old, new in csv.reader(opened)]
    except (OSError, ValueError, csv.Error):
        header, rows = "", []
    if header != _HEADER:
        msg = f"{file.name}: no map of old and new pseudonyms; it was changed"
        raise Failure(msg, ExitCode.FAULTS_FOUND)
    for start in range(0, len(rows), _LINES):
        piece = rows[start : start + _LINES]
        yield [old for old, _ in piece], [new for _, new in piece]


def register(app: typer.Typer) -> None:
    """Add the commands to ``pseudo key``."""
    app.command(
        "map",
        epilog=show_examples(
            "pseudo key map asthma --old 1 --new 2 --output map.csv \\",
            '    --purpose "carry the cohort over"',
        ),
    )(map_versions)
    app.command(
        "verify-map",
        epilog=show_examples("pseudo key verify-map map.csv --audit-key audit.pem"),
    )(verify_map)
