"""Options that linkage commands share, and the client that they open."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from pseudo_client import Client
from pseudo_service.cli.console.connection import OPERATOR, ConnectionOptions, connect
from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.inputs.lines import read_lines
from pseudo_service.core.errors import PseudonymRefused
from pseudo_service.core.linkage.request import LegalBasis
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym

_PANEL = "On a laptop, with --config"
_SHOWN_FAULTS = 10

RequestArgument = Annotated[
    str, typer.Argument(metavar="REQUEST", help="The request's id.")
]
ProjectOption = Annotated[
    str, typer.Option("--project", help="Whose pseudonyms they are.")
]
PurposeOption = Annotated[
    str, typer.Option(help="What the answer is for; reviewers and auditors read it.")
]
BasisOption = Annotated[
    LegalBasis, typer.Option(help="What justifies it; docs/linkage.md explains each.")
]
ConsentOption = Annotated[
    str, typer.Option(help="Reference of the data controller's consent.")
]
KeyOption = Annotated[
    Path,
    typer.Option("--key", metavar="PEM", help="The redeemer's NAME.public.pem."),
]
RedeemerOption = Annotated[
    str,
    typer.Option(
        metavar="SUBJECT",
        help="The linkage officer who will redeem, as their token names them; you, "
        "if absent.",
    ),
]
HoursOption = Annotated[
    float,
    typer.Option(
        "--valid-hours", min=0.1, max=720, help="After that nothing is released."
    ),
]
EitherHoursOption = Annotated[
    float | None,
    typer.Option(
        "--valid-hours",
        min=0.1,
        max=720,
        help="After that nothing is released; 72 if absent, in an emergency 2.",
    ),
]
IdentifierFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A file with the person's number; otherwise it is asked for, or read "
        "from standard input. It is never an argument, which others can see.",
    ),
]


@contextmanager
def open_desk(
    options: ConnectionOptions,
    *,
    person: str,
    roles: Sequence[str] | None,
    usually: Sequence[str] = (),
) -> Iterator[Client]:
    """Open a client as one person.

    Args:
        options: From the command line.
        person: ``--as``.
        roles: ``--role``.
        usually: The roles if ``--role`` is not given.

    Raises:
        Failure: On a laptop, neither ``--role`` nor the command names a role.
    """
    chosen = list(roles or usually)
    if options.server is None and not chosen:
        msg = (
            "say who you are on this laptop: --as PERSON --role ROLE:PROJECT, for "
            "example --as gwen --role guardian:asthma"
        )
        raise Failure(msg)
    with connect(options, roles=chosen, subject=person or OPERATOR) as client:
        yield client


def read_pseudonyms(file: Path) -> list[str]:
    """Read one pseudonym a line, and check each before anything is sent.

    Raises:
        Failure: Some lines hold no pseudonym; the message names their numbers only.
    """
    lines = read_lines(file)
    faults = [
        f"line {number}, {fault}"
        for number, text in lines
        if (fault := find_fault(text))
    ]
    if faults:
        more = f"; and {len(faults) - _SHOWN_FAULTS:,} more" * (
            len(faults) > _SHOWN_FAULTS
        )
        msg = (
            f"{file}: {'; '.join(faults[:_SHOWN_FAULTS])}{more}. Give one pseudonym a "
            "line as the table writes it, without header, quotes or other columns"
        )
        raise Failure(msg)
    return [text for _, text in lines]


def find_fault(text: str) -> str:
    """Return the fault of a pseudonym as it was typed; empty if there is none."""
    try:
        parse_pseudonym(text)
    except PseudonymRefused as refusal:
        return refusal.message
    return ""


def expire_after(hours: float) -> datetime:
    """Return the moment so many hours from now."""
    return datetime.now(UTC) + timedelta(hours=hours)
