"""``pseudo audit releases, subject, open-intents, latency``: questions to the trail."""

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
from pseudo_service.core.evidence.latency import (
    LATENCY_HEADERS,
    format_step,
    measure_latency,
)
from pseudo_service.core.evidence.linkage import list_released
from pseudo_service.core.evidence.open_intents import OpenMatter, find_open_matters
from pseudo_service.core.evidence.tables import format_duration, format_moment
from pseudo_service.core.linkage.history import RequestTimeline, build_timelines
from pseudo_service.core.linkage.request import LinkageMode, terms_to_fields

_TERMS_LEFT_OUT = frozenset({"recipient_key", "expires_at"})
"""Terms that say nothing of a release that is over."""


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
        timelines = build_timelines(read_project_events(client, project))
    period = choose_period(since, until)
    found = [
        timeline
        for timeline in list_released(timelines.values())
        if period.holds(timeline.intent_at)
    ]
    if json:
        show_json([_describe_release(timeline) for timeline in found])
        return
    if not found:
        say("Nobody was re-identified, translated or located in this time.")
        return
    for timeline in found:
        _print_release(timeline)
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
        _print_history(history)


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


def _print_history(history: SubjectHistory) -> None:
    if not history.releases:
        say("No release on record found this person.")
    for each in history.releases:
        into = f" into {each.target_project}" if each.target_project else ""
        when = format_moment(each.released_at)
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
            "and the register's maintenance, too."
        ),
    ] = "",
    json: JsonOption = False,
) -> None:
    """Find what was begun and has no end on record.

    Releases, destructions, maintenance of the register, recalls and key maps without their
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
        _print_matters(matters, now)
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
    """Measure how long requests wait for their reviewers and their redeemers.

    Requests count by the day of their submission.
    """
    with connect(options, roles=[Role.AUDITOR]) as client:
        timelines = build_timelines(read_project_events(client, project))
    period = choose_period(since, until)
    durations = measure_latency(
        timeline
        for timeline in timelines.values()
        if period.holds(timeline.request.submitted_at)
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
        [format_step(each) for each in durations],
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


def _describe_release(timeline: RequestTimeline) -> dict[str, Any]:
    request = timeline.request
    terms = terms_to_fields(request.terms)
    return {
        "request": request.request_id,
        **{name: terms[name] for name in terms if name not in _TERMS_LEFT_OUT},
        "requester": request.requester,
        "reviewers": [
            {
                "reviewer": vote.reviewer,
                "guardian_of": list(vote.guardian_of),
                "decision": vote.decision.value,
                "at": vote.at.isoformat(),
            }
            for vote in timeline.votes
        ],
        "subjects": timeline.subject_count,
        "outcomes": dict(timeline.outcomes),
        "begun_at": timeline.intent_at.isoformat() if timeline.intent_at else None,
        "released_at": timeline.released_at.isoformat()
        if timeline.released_at
        else None,
        "fetched_again": timeline.fetched,
    }


def _print_release(timeline: RequestTimeline) -> None:
    request, terms = timeline.request, timeline.request.terms
    into = f" into {terms.target_project}" if terms.target_project else ""
    is_urgent = terms.mode is LinkageMode.BREAK_GLASS
    emergency = ", BREAK GLASS" if is_urgent else ""
    when = (
        format_moment(timeline.released_at)
        or f"{format_moment(timeline.intent_at)} (outcome not recorded)"
    )
    say(f"{when}  {terms.verb} in {terms.project}{into}{emergency}", style="bold")
    found = timeline.outcomes.get("found", 0)
    say(f"  found {count(found)} of {count(timeline.subject_count)} asked for")
    say(f"  {terms.legal_basis}: {terms.purpose} ({terms.consent_reference})")
    reviewers = ", ".join(
        f"{vote.reviewer}: {vote.decision}" for vote in timeline.votes
    )
    say(f"  asked {request.requester}; reviewed {reviewers}")
    say(f"  received by {terms.redeemer}; request {request.request_id}")
    say()


def _describe_matter(matter: OpenMatter) -> dict[str, Any]:
    return {
        "since": matter.since.isoformat(),
        "what": matter.what,
        "actor": matter.actor,
        "project": matter.project,
        "operation": matter.operation,
    }


def _print_matters(matters: Iterable[OpenMatter], now: datetime) -> None:
    show_table(
        ("since", "for", "what", "by", "project", "operation"),
        [
            (
                format_moment(matter.since),
                format_duration(now - matter.since),
                matter.what.replace("_", " "),
                matter.actor,
                matter.project,
                matter.operation,
            )
            for matter in matters
        ],
        whole=frozenset({"operation"}),
    )
