"""``pseudo token``: access tokens of the local issuer, for laptops and tests."""

from datetime import timedelta
from typing import Annotated

import typer

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.bootstrap.external_services import open_local_issuer
from pseudo_service.cli.console.connection import ConfigOption, read_config
from pseudo_service.cli.console.exit_codes import Failure, show_examples

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
    issuer = open_local_issuer(read_config(config))
    if issuer is None:
        msg = (
            "this configuration has no local issuer (identity.local_issuer): "
            "ask your identity provider for a token"
        )
        raise Failure(msg)
    token = issuer.issue(
        subject,
        role,
        lifetime=timedelta(minutes=lifetime),
        now=SystemClock().now(),
    )
    typer.echo(token)
