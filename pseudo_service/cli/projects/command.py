"""``pseudo project``: makes, lists, shows, suspends and resumes projects.

How they end is in ``project_closing``.
"""

from typing import Annotated, Any

import typer

from pseudo_client import Closing, Project
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import (
    count,
    say,
    say_field,
    show_json,
    show_table,
)
from pseudo_service.core.access.roles import Role
from pseudo_service.core.projects.project import (
    DEFAULT_CEILING,
    HIGHEST_CEILING,
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    ShiftDirection,
    ShiftUnit,
    Uncheckable,
    check_project_id,
)

app = typer.Typer(help="Make, list, suspend and resume projects.", no_args_is_help=True)

ProjectArgument = Annotated[
    str, typer.Argument(metavar="PROJECT", help="The project's id.")
]
ReasonOption = Annotated[
    str, typer.Option(help="Why; it is kept in the audit trail.", prompt=False)
]


@app.command(
    epilog=show_examples(
        'pseudo project create asthma --title "Asthma outcomes" \\',
        '    --legal-basis "CAG 24/CAG/0001; s251 support" --opt-outs applied',
        'pseudo project create audit-2026 --title "Local audit" \\',
        '    --opt-outs not_applicable --legal-basis "direct care audit"',
    )
)
@takes_connection
def create(
    options: ConnectionOptions,
    *,
    project: ProjectArgument,
    title: Annotated[str, typer.Option(help="What people call it.")],
    opt_outs: Annotated[
        OptOutApplication,
        typer.Option(help="Whether the national data opt-out applies."),
    ],
    legal_basis: Annotated[
        str, typer.Option(help="Why opt-outs do or do not apply; 3 to 200 characters.")
    ],
    uncheckable: Annotated[
        Uncheckable,
        typer.Option(help="Rows whose patient cannot be checked for an opt-out."),
    ] = Uncheckable.REMOVE,
    shift_unit: Annotated[
        ShiftUnit, typer.Option(help="Unit of the date offset; weeks keep weekdays.")
    ] = ShiftUnit.WEEKS,
    shift_bound: Annotated[
        int, typer.Option(help="The largest offset, in that unit.")
    ] = 52,
    shift_direction: Annotated[
        ShiftDirection, typer.Option(help="Where dates may move to.")
    ] = ShiftDirection.PAST,
    daily_quota: Annotated[
        int, typer.Option(min=1, help="Distinct identifiers a caller and day.")
    ] = 5_000_000,
    linkage_ceiling: Annotated[
        int,
        typer.Option(
            min=1,
            max=HIGHEST_CEILING,
            help="The most pseudonyms that one linkage request may list.",
        ),
    ] = DEFAULT_CEILING,
    follow_merges: Annotated[
        bool,
        typer.Option(help="Take a superseded NHS number for the one that replaced it."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make a project and its keys; the date rule is fixed for its life."""
    check_project_id(project)
    date_shift = DateShiftRule(
        unit=shift_unit, bound=shift_bound, direction=shift_direction
    )
    opt_out_rule = OptOutRule(
        application=opt_outs, legal_basis=legal_basis, uncheckable=uncheckable
    )
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        made = client.create_project(
            project,
            title=title,
            date_shift=date_shift,
            opt_outs=opt_out_rule,
            daily_quota=daily_quota,
            linkage_ceiling=linkage_ceiling,
            follows_merges=follow_merges,
        )
    show_project(made, json=json)


@app.command(
    "list", epilog=show_examples("pseudo project list", "pseudo project list --json")
)
@takes_connection
def list_projects(options: ConnectionOptions, json: JsonOption = False) -> None:
    """List the projects."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        projects = client.list_projects()
    if json:
        show_json({"projects": [_describe_project(each) for each in projects]})
    elif not projects:
        say("No project yet; make one with `pseudo project create`.")
    else:
        show_table(
            ("project", "state", "tag", "key", "title"),
            [
                (
                    each.project,
                    each.state,
                    each.tag,
                    str(len(each.key_versions)),
                    each.title,
                )
                for each in projects
            ],
            numbers=frozenset({"key"}),
        )


@app.command(epilog=show_examples("pseudo project show asthma"))
@takes_connection
def show(
    options: ConnectionOptions, project: ProjectArgument, json: JsonOption = False
) -> None:
    """Show one project: its rules and its key versions."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        found = client.get_project(project)
    show_project(found, json=json)


@app.command(
    epilog=show_examples('pseudo project suspend asthma --reason "approval lapsed"')
)
@takes_connection
def suspend(
    options: ConnectionOptions,
    project: ProjectArgument,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Stop every data call of a project until it is resumed."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        changed = client.suspend_project(project, reason=reason)
    show_project(changed, json=json)


@app.command(
    epilog=show_examples('pseudo project resume asthma --reason "approval renewed"')
)
@takes_connection
def resume(
    options: ConnectionOptions,
    project: ProjectArgument,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Let a suspended project take data calls again."""
    with connect(options, roles=[Role.CUSTODIAN]) as client:
        changed = client.resume_project(project, reason=reason)
    show_project(changed, json=json)


def show_project(project: Project, *, json: bool) -> None:
    """Print one project."""
    if json:
        show_json(_describe_project(project))
        return
    rule, opt_outs = project.date_shift, project.opt_outs
    say_field("project", project.project)
    say_field("title", project.title)
    say_field("state", project.state)
    say_field("tag", f"{project.tag} (begins each of its pseudonyms)")
    say_field("dates", f"up to {rule.bound} {rule.unit}, {rule.direction}")
    say_field(
        "opt-outs", f"{opt_outs.application.replace('_', ' ')}: {opt_outs.legal_basis}"
    )
    say_field("uncheckable", opt_outs.uncheckable)
    say_field("quota", f"{count(project.daily_quota)} identifiers a caller and day")
    say_field(
        "linkage", f"at most {count(project.linkage_ceiling)} pseudonyms a request"
    )
    merges = "followed" if project.follows_merges else "not followed"
    say_field("merges", f"{merges} (superseded NHS numbers)")
    for version in project.key_versions:
        say_field(f"key {version.version}", f"made {version.created_at:%Y-%m-%d %H:%M}")
    if project.overlap_until is not None:
        until = f"{project.overlap_until:%Y-%m-%d %H:%M}"
        say_field("overlap", f"old pseudonyms beside the new until {until} UTC")
    if project.closing is not None:
        _show_closing(project.closing)


def _show_closing(closing: Closing) -> None:
    asked = f"{closing.requested_at:%Y-%m-%d %H:%M} by {closing.requested_by}"
    say_field("closing", f"asked for {asked}: {closing.reason}")
    say_field("agreed", closing.agreed_by or "nobody yet; a second custodian must")
    say_field("cooling", f"until {closing.not_before:%Y-%m-%d %H:%M} UTC")


def _describe_project(project: Project) -> dict[str, Any]:
    """Return a project as ``--json`` gives it."""
    return {
        "project": project.project,
        "title": project.title,
        "state": project.state,
        "tag": project.tag,
        "created_at": project.created_at.isoformat(),
        "daily_quota": project.daily_quota,
        "date_shift": {
            "unit": project.date_shift.unit,
            "bound": project.date_shift.bound,
            "direction": project.date_shift.direction,
        },
        "opt_outs": {
            "application": project.opt_outs.application,
            "legal_basis": project.opt_outs.legal_basis,
            "uncheckable": project.opt_outs.uncheckable,
        },
        "linkage_ceiling": project.linkage_ceiling,
        "follows_merges": project.follows_merges,
        "overlap_until": (
            project.overlap_until.isoformat() if project.overlap_until else None
        ),
        "closing": _describe_closing(project.closing),
        "key_versions": [
            {
                "version": each.version,
                "check_value": each.check_value.hex(),
                "created_at": each.created_at.isoformat(),
                "wrapping_key_id": each.wrapping_key_id,
            }
            for each in project.key_versions
        ],
    }


def _describe_closing(closing: Closing | None) -> dict[str, Any] | None:
    if closing is None:
        return None
    return {
        "requested_by": closing.requested_by,
        "requested_at": closing.requested_at.isoformat(),
        "reason": closing.reason,
        "agreed_by": closing.agreed_by,
        "not_before": closing.not_before.isoformat(),
    }
