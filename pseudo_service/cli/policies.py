"""``pseudo policy``: writes, explains and registers policies."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pseudo_client import Policy
from pseudo_service.cli.connection import (
    ConnectionOptions,
    connect,
    read_text_file,
    takes_connection,
)
from pseudo_service.cli.exits import show_examples
from pseudo_service.cli.output import say, say_field, show_json, show_table
from pseudo_service.cli.projects import JsonOption, ProjectArgument
from pseudo_service.core.access import Role
from pseudo_service.core.policy import parse_policy

app = typer.Typer(help="Write, explain and register policies.", no_args_is_help=True)

PolicyFile = Annotated[
    Path, typer.Argument(metavar="POLICY.yaml", help="The policy's text.")
]


@app.command(
    epilog=show_examples(
        "pseudo policy register admissions.yaml",
        "pseudo policy register admissions.yaml --json",
    )
)
@takes_connection
def register(
    options: ConnectionOptions, file: PolicyFile, json: JsonOption = False
) -> None:
    """Register a policy for good; the same text again is no error."""
    text = read_text_file(file, "POLICY.yaml")
    parse_policy(text)
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        registered = client.register_policy(text)
    if json:
        show_json(describe_policy(registered))
        return
    say_field("registered", registered.address)
    say_field("digest", registered.digest.hex())


@app.command(
    epilog=show_examples(
        "pseudo policy show asthma admissions@1",
        "pseudo policy show asthma admissions@1 > admissions.yaml",
    )
)
@takes_connection
def show(
    options: ConnectionOptions,
    project: ProjectArgument,
    policy: Annotated[str, typer.Argument(metavar="RELEASE@N")],
    json: JsonOption = False,
) -> None:
    """Print the text of a registered policy."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        found = client.get_policy(project, policy)
    if json:
        show_json({**describe_policy(found), "text": found.text})
        return
    typer.echo(found.text, nl=not found.text.endswith("\n"))


@app.command("list", epilog=show_examples("pseudo policy list asthma"))
@takes_connection
def list_policies(
    options: ConnectionOptions, project: ProjectArgument, json: JsonOption = False
) -> None:
    """List the policies of a project."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        found = client.list_policies(project)
    if json:
        show_json({"policies": [describe_policy(each) for each in found]})
    elif not found:
        say(f"{project} has no policy yet; `pseudo policy suggest` writes a first one.")
    else:
        show_table(
            ("policy", "registered", "by", "digest"),
            [
                (
                    each.address,
                    f"{each.registered_at:%Y-%m-%d %H:%M}",
                    each.registered_by,
                    each.digest.hex()[:12],
                )
                for each in found
            ],
        )


def describe_policy(policy: Policy) -> dict[str, Any]:
    """Return a policy as ``--json`` gives it, without its text."""
    return {
        "policy": policy.address,
        "digest": policy.digest.hex(),
        "registered_at": policy.registered_at.isoformat(),
        "registered_by": policy.registered_by,
    }
