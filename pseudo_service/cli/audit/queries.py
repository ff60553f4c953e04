"""``pseudo audit releases, subject, open-intents, latency``: one command a question."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from pseudo_client import SubjectHistory
from pseudo_service.cli.audit.events import (
    FromOption,
    ProjectOption,
    ToOption,
    choose_period,
    read_all_events,
    read_project_events,
)
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, show_examples
from pseudo_service.cli.console.options import JsonOption
from pseudo_service.cli.console.output import (
    count,
    count_of,
    say,
    show_json,
    show_table,
)
from pseudo_service.cli.inputs.lines import read_identifier
from pseudo_service.cli.linkage.options import IdentifierFileOption
from pseudo_service.core.access.roles import Role
from pseudo_service.core.evidence.open_intents import (
    LATENCY_HEADERS,
    OpenMatter,
    find_open_matters,
    list_released,
    measure_latency,
    write_duration,
    write_step,
)
from pseudo_service.core.evidence.tables import write_moment
from pseudo_service.core.linkage.history import RequestTimeline, build_timelines


@takes_connection
def releases(
    options: ConnectionOptions,
    *,
    project: ProjectOption,
    since: FromOption = None,
    until: ToOption = None,
    json: JsonOption = False,
) -> None:
    """Tell who re-identified, translated or located anybody in a project.

    Translations into the project count. Times are UTC.
    """
    with connect(options, roles=[Role.AUDITOR]) as client:
        stories = build_timelines(read_project_events(client, project))
    period = choose_period(since, until)
    found = [
        story
        for story in list_released(stories.values())
        if period.holds(story.intent_at)
    ]
    if json:
        show_json([_describe_release(story) for story in found])
        return
    if not found:
        say("Nobody was re-identified, translated or located in this time.")
        return
    for story in found:
        _say_release(story)
    say(f"{count_of(len(found), 'release')}. `pseudo audit verify` proves the trail.")


@takes_connection
def subject(
    options: ConnectionOptions,
    *,
    purpose: Annotated[
        str, typer.Option(help="What the answer is for; it is kept in the trail.")
    ],
    project: Annotated[
        str, typer.Option(help="Only this project's releases; an auditor may omit it.")
    ] = "",
    kind: Annotated[str, typer.Option(help="What the number is.")] = "nhs_number",
    identifier_file: IdentifierFileOption = None,
    json: JsonOption = False,
) -> None:
    """Tell who ever re-identified, translated or located one person.

    Needs the linkage service; a guardian names the project. The question itself is on record, by a keyed code.
    """
    identifier = read_identifier(identifier_file)
    with connect(options, roles=[Role.AUDITOR]) as client:
        history = client.trace_subject(
            identifier, kind=kind, purpose=purpose, project=project
        )
    if json:
        show_json(_describe_history(history))
    else:
        _show_history(history)


def _describe_history(history: SubjectHistory) -> dict[str, Any]:
    return {
        "releases": [
            {
                "request": each.request_id,
                "verb": each.verb,
                "project": each.project,
                "target_project": each.target_project,
                "released_at": each.released_at.isoformat(),
                "redeemer": each.redeemer,
                "purpose": each.purpose,
            }
            for each in history.releases
        ],
        "open_requests": list(history.open_requests),
    }


def _show_history(history: SubjectHistory) -> None:
    if not history.releases:
        say("No release on record found this person.")
    for each in history.releases:
        into = f" into {each.target_project}" if each.target_project else ""
        when = write_moment(each.released_at)
        say(f"{when}  {each.verb} in {each.project}{into}", style="bold")
        say(f"  {each.purpose}")
        say(f"  received by {each.redeemer}; request {each.request_id}")
    if history.open_requests:
        say(
            "Releases whose outcome was never recorded may have concerned anybody on "
            "their lists: " + ", ".join(history.open_requests)
        )


@takes_connection
def open_intents(
    options: ConnectionOptions,
    *,
    project: Annotated[
        str,
        typer.Option(
            help="The project's id; an auditor may omit it, and sees every project "
            "and the care of the register, too."
        ),
    ] = "",
    json: JsonOption = False,
) -> None:
    """Find what was begun and has no end on record.

    Releases, destructions, care of the register, recalls and key maps without their
    result, and emergency releases that await their second review. Something may be
    at work at this moment: look at its age. Exits with 1 if anything is found.
    """
    with connect(options, roles=[Role.AUDITOR]) as client:
        events = (
            read_project_events(client, project) if project else read_all_events(client)
        )
    now = datetime.now(UTC)
    matters = find_open_matters(events, build_timelines(events), now=now)
    if json:
        show_json([_describe_matter(matter) for matter in matters])
    elif matters:
        _show_matters(matters, now)
    else:
        say("Everything that was begun was ended.")
    if matters:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


@takes_connection
def latency(
    options: ConnectionOptions,
    *,
    project: ProjectOption,
    since: FromOption = None,
    until: ToOption = None,
    json: JsonOption = False,
) -> None:
    """Measure how long requests wait: for reviewers, and for whoever redeems.

    Requests count by the day of their submission.
    """
    with connect(options, roles=[Role.AUDITOR]) as client:
        stories = build_timelines(read_project_events(client, project))
    period = choose_period(since, until)
    durations = measure_latency(
        story for story in stories.values() if period.holds(story.request.submitted_at)
    )
    if json:
        show_json(
            [
                {
                    "step": each.step,
                    "mode": each.mode.value,
                    "requests": each.requests,
                    "median_seconds": each.median.total_seconds(),
                    "ninth_decile_seconds": each.ninth_decile.total_seconds(),
                    "longest_seconds": each.longest.total_seconds(),
                }
                for each in durations
            ]
        )
        return
    if not durations:
        say("No request of this time was reviewed or released.")
        return
    show_table(
        LATENCY_HEADERS,
        [write_step(each) for each in durations],
        numbers=frozenset({"requests"}),
    )


def register(app: typer.Typer) -> None:
    """Add the commands to ``pseudo audit``."""
    for command, name, examples in (
        (releases, "releases", "pseudo audit releases --project asthma"),
        (
            subject,
            "subject",
            'pseudo audit subject --purpose "subject access request"',
        ),
        (open_intents, "open-intents", "pseudo audit open-intents --project asthma"),
        (latency, "latency", "pseudo audit latency --project asthma --json"),
    ):
        app.command(name, epilog=show_examples(examples))(command)


def _describe_release(story: RequestTimeline) -> dict[str, Any]:
    request = story.request
    return {
        "request": request.request_id,
        "verb": request.verb.value,
        "mode": request.mode.value,
        "project": request.project,
        "target_project": request.target_project,
        "purpose": request.purpose,
        "legal_basis": request.legal_basis.value,
        "consent_reference": request.consent_reference,
        "requester": request.requester,
        "redeemer": request.redeemer,
        "reviewers": [
            {
                "reviewer": vote.reviewer,
                "guardian_of": list(vote.guardian_of),
                "decision": vote.decision.value,
                "at": vote.at.isoformat(),
            }
            for vote in story.votes
        ],
        "subjects": story.subject_count,
        "outcomes": dict(story.outcomes),
        "begun_at": story.intent_at.isoformat() if story.intent_at else None,
        "released_at": story.released_at.isoformat() if story.released_at else None,
        "fetched_again": story.fetched,
    }


def _say_release(story: RequestTimeline) -> None:
    request = story.request
    into = f" into {request.target_project}" if request.target_project else ""
    emergency = ", BREAK GLASS" if request.mode == "break_glass" else ""
    when = (
        write_moment(story.released_at)
        or f"{write_moment(story.intent_at)} (outcome not recorded)"
    )
    say(f"{when}  {request.verb} in {request.project}{into}{emergency}", style="bold")
    found = story.outcomes.get("found", 0)
    say(f"  found {count(found)} of {count(story.subject_count)} asked for")
    say(f"  {request.legal_basis}: {request.purpose} ({request.consent_reference})")
    reviewers = ", ".join(f"{vote.reviewer}: {vote.decision}" for vote in story.votes)
    say(f"  asked {request.requester}; reviewed {reviewers}")
    say(f"  received by {request.redeemer}; request {request.request_id}")
    say()


def _describe_matter(matter: OpenMatter) -> dict[str, Any]:
    return {
        "since": matter.since.isoformat(),
        "what": matter.what,
        "actor": matter.actor,
        "project": matter.project,
        "operation": matter.operation,
    }


def _show_matters(matters: Iterable[OpenMatter], now: datetime) -> None:
    show_table(
        ("since", "for", "what", "by", "project", "operation"),
        [
            (
                write_moment(matter.since),
                write_duration(now - matter.since),
                matter.what.replace("_", " "),
                matter.actor,
                matter.project,
                matter.operation,
            )
            for matter in matters
        ],
        whole=frozenset({"operation"}),
    )
