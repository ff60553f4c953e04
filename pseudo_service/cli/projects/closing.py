"""How a project ends: asked for, agreed to, called off, or carried out and proved."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pseudo_client import Project
from pseudo_service.cli.console.audit_keys import AuditKeyOption, open_verifier
from pseudo_service.cli.console.connection import (
    OPERATOR,
    ConfigOption,
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import Failure, show_examples
from pseudo_service.cli.console.options import AsOption, JsonOption
from pseudo_service.cli.console.output import say, say_field, show_json
from pseudo_service.cli.console.signed_files import read_signed, write_signed
from pseudo_service.cli.projects.command import (
    ProjectArgument,
    ReasonOption,
    show_project,
)
from pseudo_service.core.access.roles import Role
from pseudo_service.core.keys.statements import verify_statement
from pseudo_service.core.projects.closing import CLOSURE_FORMAT


@takes_connection
def close(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    reason: ReasonOption,
    cooling_days: Annotated[
        int,
        typer.Option(min=7, max=365, help="Days until its keys may be destroyed."),
    ] = 30,
    person: AsOption = "",
    json: JsonOption = False,
) -> None:
    """Ask for a project's end: data calls stop at once, the cooling time begins.

    Nothing is lost yet. Another custodian must agree before anything can be.
    """
    with connect(options, roles=[Role.CUSTODIAN], subject=person or OPERATOR) as client:
        changed = client.close_project(
            project, reason=reason, cooling_days=cooling_days
        )
    show_project(changed, json=json)


@takes_connection
def agree_close(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    person: AsOption = "",
    json: JsonOption = False,
) -> None:
    """Agree to a project's end, as another custodian than the one who asked."""
    with connect(options, roles=[Role.CUSTODIAN], subject=person or OPERATOR) as client:
        changed = client.agree_to_close(project)
    show_project(changed, json=json)


@takes_connection
def cancel_close(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    reason: ReasonOption,
    person: AsOption = "",
    json: JsonOption = False,
) -> None:
    """Call a project's end off. It is suspended; resume it to let data calls in."""
    with connect(options, roles=[Role.CUSTODIAN], subject=person or OPERATOR) as client:
        changed = client.cancel_closing(project, reason=reason)
    show_project(changed, json=json)


@takes_connection
def destroy(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    confirm: Annotated[
        str, typer.Option(metavar="PROJECT", help="The project's id once more.")
    ],
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the certificate goes, as JSON.")
    ],
    person: AsOption = "",
    json: JsonOption = False,
) -> None:
    """Delete a project's keys for ever, once a second custodian agreed and time passed.

    No pseudonym of it can be made or reversed afterwards. Do it again to complete
    what was cut off, or to get the certificate once more.
    """
    if confirm != project:
        msg = "--confirm: it names another project; nothing was destroyed"
        raise Failure(msg)
    with connect(options, roles=[Role.CUSTODIAN], subject=person or OPERATOR) as client:
        destroyed, certificate = client.destroy_project(project)
    write_signed(certificate, output)
    _print_destroyed(destroyed, certificate.read_statement(), json=json)


def _print_destroyed(project: Project, stated: dict[str, Any], *, json: bool) -> None:
    """Print what a certificate states."""
    if json:
        show_json({"project": project.project, "state": project.state, **stated})
        return
    _print_certificate(stated)


def verify_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate.")],
    audit_key: AuditKeyOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Prove that a certificate of a project's end is what the service signed."""
    check = open_verifier(ConnectionOptions(config=config), audit_key)
    stated = verify_statement(read_signed(file), check, CLOSURE_FORMAT)
    if json:
        show_json({"sound": True, **stated})
        return
    _print_certificate(stated)
    say("Sound: signed by a process that the audit key certified.")


def _print_certificate(stated: dict[str, Any]) -> None:
    say_field("project", f"{stated['project']} (tag {stated['tag']})")
    for what in ("requested", "agreed"):
        say_field(what, f"{stated[f'{what}_at']} by {stated[f'{what}_by']}")
    say_field("destroyed", f"{stated['issued_at']} by {stated['destroyed_by']}")
    for key in stated["keys"]:
        name = f"{key['purpose']} {key['version']}"
        say_field("key", f"{name}, check value {key['check_value']}")
    purged = stated["vault_key_purged_at"]
    say_field("vault key", f"{stated['vault_key']}, purged: {purged}")
    for each in stated["survives"]:
        say_field("survives", each)


def register(app: typer.Typer) -> None:
    """Add the commands to ``pseudo project``."""
    app.command(
        epilog=show_examples(
            'pseudo project close asthma --reason "study ended" --cooling-days 30'
        )
    )(close)
    app.command(
        "agree-close", epilog=show_examples("pseudo project agree-close asthma")
    )(agree_close)
    app.command(
        "cancel-close",
        epilog=show_examples('pseudo project cancel-close asthma --reason "extended"'),
    )(cancel_close)
    app.command(
        epilog=show_examples(
            "pseudo project destroy asthma --confirm asthma --output asthma-end.json"
        )
    )(destroy)
    app.command(
        "verify-certificate",
        epilog=show_examples(
            "pseudo project verify-certificate asthma-end.json --audit-key audit.pem"
        ),
    )(verify_certificate)
