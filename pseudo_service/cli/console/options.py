"""Options that commands of every subject share."""

from typing import Annotated

import typer

_PANEL = "On a laptop, with --config"


JsonOption = Annotated[
    bool, typer.Option("--json", help="Answer with JSON of stable keys.")
]


AsOption = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="PERSON",
        help="Who you are towards the local issuer's service.",
        rich_help_panel=_PANEL,
    ),
]


RoleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE:PROJECT",
        help="With which role, for example guardian:asthma; may be repeated.",
        rich_help_panel=_PANEL,
    ),
]
