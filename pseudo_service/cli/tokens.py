"""``pseudo token``: access tokens of the local issuer, for laptops and tests."""

from datetime import timedelta
from typing import Annotated

import typer

from pseudo_service import bootstrap
from pseudo_service.cli.connection import ConfigOption, read_config
from pseudo_service.cli.exits import Failure, show_examples
from pseudo_service.core.access import RoleGrant

app = typer.Typer(help="Access tokens of the local issuer.", no_args_is_help=True)


@app.callback()
def tokens() -> None:
    """Make access tokens with the local issuer of a laptop."""


@app.command(
    epilog=show_examples(
        "pseudo token issue --role custodian --subject dana",
        "pseudo token issue --role pipeline:asthma --subject etl > etl.token",
    )
)
def issue(
    role: Annotated[
        list[str],
        typer.Option(
            help="custodian, auditor, or ROLE:PROJECT (pipeline, researcher, "
            "linkage_officer, guardian); may be repeated."
        ),
    ],
    subject: Annotated[
        str, typer.Option(help="Who the token is for: an opaque id, not an e-mail.")
    ],
    lifetime: Annotated[
        int, typer.Option(min=1, max=720, help="Minutes until it expires.")
    ] = 60,
    config: ConfigOption = None,
) -> None:
    """Print an access token; only a configuration with the local issuer can.

    The token is the answer on standard output; keep it as you would a password.
    """
    for text in role:
        RoleGrant.parse(text)
    settings = read_config(config)
    if not settings.identity.local_issuer:
        msg = (
            "this configuration has no local issuer (identity.local_issuer): "
            "ask your identity provider for a token"
        )
        raise Failure(msg)
    token = bootstrap.issue_local_token(
        settings,
        roles=role,
        subject=subject,
        lifetime=timedelta(minutes=lifetime),
    )
    typer.echo(token)
