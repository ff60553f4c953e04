"""``pseudo key``: the key versions of a project."""

from typing import Annotated

import typer

from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import count_of, say, show_json
from pseudo_service.cli.projects.command import ProjectArgument, ReasonOption
from pseudo_service.core.access.roles import Role
from pseudo_service.engine.keys.rotation import LONGEST_OVERLAP

app = typer.Typer(help="The key versions of a project.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Manage the key versions of a project."""


@app.command(
    epilog=show_examples(
        'pseudo key rotate asthma --current-version 1 --reason "yearly rotation"',
        "pseudo key rotate asthma --current-version 1 --overlap-days 90 \\",
        '    --reason "yearly rotation"',
    )
)
@takes_connection
def rotate(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    reason: ReasonOption,
    current_version: Annotated[
        int,
        typer.Option(
            min=1,
            help="The version you believe is current; another is refused, so that "
            "two people do not rotate twice.",
        ),
    ],
    overlap_days: Annotated[
        int,
        typer.Option(
            min=0,
            max=LONGEST_OVERLAP,
            help="For how many days tables may ask for the old pseudonyms, too.",
        ),
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Make the next version of a project's pseudonym key.

    Pseudonyms made from now on differ from those made before; dates keep their
    offsets. Running tables end under the version they began with.
    """
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        made = client.rotate_key(
            project,
            current_version=current_version,
            reason=reason,
            overlap_days=overlap_days,
        )
    if json:
        show_json(
            {
                "project": project,
                "version": made.version,
                "check_value": made.check_value.hex(),
                "created_at": made.created_at.isoformat(),
                "wrapping_key_id": made.wrapping_key_id,
            }
        )
        return
    say(f"{project}: pseudonyms are made with key version {made.version} from now on.")
    if overlap_days:
        say(
            f"For {count_of(overlap_days, 'day')} tables may carry the old ones, too: "
            "register a policy whose pseudonymise columns say previous: NAME."
        )
