"""``pseudo linkage list``, ``show``, ``review`` and ``withdraw``."""

import sys
from itertools import islice
from typing import Annotated

import typer

from pseudo_client import Linkage, LinkageDetails
from pseudo_service.cli.console.connection import ConnectionOptions, takes_connection
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, show_examples
from pseudo_service.cli.console.options import AsOption, JsonOption, RoleOption
from pseudo_service.cli.console.output import say, say_field, show_json, show_table
from pseudo_service.cli.linkage.options import RequestArgument, open_desk
from pseudo_service.cli.linkage.rendering import (
    describe_details,
    describe_linkage,
    describe_missing,
    is_what_is_shown,
    print_request,
    summarise_request,
)
from pseudo_service.core.access.roles import Role
from pseudo_service.core.linkage.request import Decision, LinkageState, LinkageVerb


@takes_connection
def list_linkages(
    options: ConnectionOptions,
    *,
    project: Annotated[str, typer.Option(help="Requests that name this project.")],
    state: Annotated[
        list[LinkageState] | None,
        typer.Option(help="Only these states; may be repeated."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """List a project's requests, the newest first."""
    states = [each.value for each in state or ()]
    usually = [f"{Role.LINKAGE_OFFICER}:{project}"]
    with open_desk(options, person=person, roles=role, usually=usually) as client:
        found = list(islice(client.list_linkages(project, states=states), most))
    if json:
        show_json({"linkages": [describe_linkage(each) for each in found]})
    elif not found:
        say(f"No request of {project} to show.")
    else:
        show_table(
            ("request", "state", "asked by", "on", "what"),
            [
                (
                    each.request_id,
                    each.state.replace("_", " "),
                    each.requester,
                    f"{each.submitted_at:%Y-%m-%d}",
                    f"{each.verb} {each.subject_count:,}",
                )
                for each in found
            ],
            whole=frozenset({"request"}),
        )


@takes_connection
def show(
    options: ConnectionOptions,
    *,
    request: RequestArgument,
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """Show one request: what is asked, by whom, and what is missing."""
    usually = [str(Role.AUDITOR)]
    with open_desk(options, person=person, roles=role, usually=usually) as client:
        details = client.get_linkage(request)
    if json:
        show_json(describe_details(details))
    else:
        print_request(details)
    check_shown(details)


@takes_connection
def review(
    options: ConnectionOptions,
    *,
    request: RequestArgument,
    reason: Annotated[str, typer.Option(help="Why; it is kept for ever.")],
    approve: Annotated[
        bool | None,
        typer.Option("--approve/--reject", help="Your decision.", show_default=False),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask again; needed in a script.")
    ] = False,
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """Approve or reject a request; it is shown first, and the vote is for exactly that."""
    if approve is None:
        msg = "say --approve or --reject"
        raise Failure(msg)
    decision = Decision.APPROVE if approve else Decision.REJECT
    with open_desk(options, person=person, roles=role) as client:
        details = client.get_linkage(request)
        if not json:
            print_request(details)
        check_shown(details)
        check_everything_is_shown(details)
        confirm(decision, yes=yes)
        changed = client.review_linkage(
            request,
            digest=details.linkage.digest,
            decision=decision.value,
            reason=reason,
        )
    print_changed(changed, json=json)


@takes_connection
def withdraw(
    options: ConnectionOptions,
    *,
    request: RequestArgument,
    reason: Annotated[str, typer.Option(help="Why; it is kept for ever.")],
    person: AsOption = "",
    role: RoleOption = None,
    json: JsonOption = False,
) -> None:
    """Take your own request back before it is released."""
    with open_desk(options, person=person, roles=role) as client:
        changed = client.withdraw_linkage(request, reason=reason)
    print_changed(changed, json=json)


def check_shown(details: LinkageDetails) -> None:
    """Raise if the digest is not that of the request as it was shown.

    Raises:
        Failure: The service shows another request than the one to be approved.
    """
    if is_what_is_shown(details) is False:
        msg = (
            "the digest is not that of the request as shown: approve nothing, and "
            "tell those who run the service"
        )
        raise Failure(msg, ExitCode.FAULTS_FOUND)


def check_everything_is_shown(details: LinkageDetails) -> None:
    """Raise if the reviewer does not see the pseudonyms of the request.

    Raises:
        Failure: There are pseudonyms, and the caller may not see them.
    """
    located = details.linkage.verb == LinkageVerb.LOCATE
    if not details.pseudonyms and not located:
        msg = "you are not shown what is asked for, so that you cannot review it"
        raise Failure(msg, ExitCode.REFUSED)


def confirm(decision: Decision, *, yes: bool) -> None:
    """Ask the reviewer to confirm the decision.

    Raises:
        Failure: The reviewer does not confirm it, or no terminal is there to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "nobody can be asked here: give --yes to decide without a question"
        raise Failure(msg)
    if not typer.confirm(f"Record that you {decision} exactly this?", err=True):
        msg = "nothing was recorded"
        raise Failure(msg)


def print_changed(changed: Linkage, *, json: bool) -> None:
    """Print the state of a request that was changed."""
    if json:
        show_json(describe_linkage(changed))
        return
    say(f"\nRecorded. {summarise_request(changed)}")
    say_field("state", changed.state)
    say_field("missing", describe_missing(changed))


def register(app: typer.Typer) -> None:
    """Add the commands to ``pseudo linkage``."""
    for name, command, examples in (
        (
            "list",
            list_linkages,
            ("pseudo linkage list --project asthma --state approved",),
        ),
        ("show", show, ("pseudo linkage show REQUEST --json",)),
        (
            "review",
            review,
            (
                "pseudo linkage review REQUEST --approve --reason 'recall is clinical care'",
                "pseudo linkage review REQUEST --reject --reason 'no consent on file'",
            ),
        ),
        (
            "withdraw",
            withdraw,
            ("pseudo linkage withdraw REQUEST --reason 'sent twice'",),
        ),
    ):
        app.command(name, epilog=show_examples(*examples))(command)
