"""Events of the audit trail as commands read them, and the options that choose them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

import pseudo_client
from pseudo_client import Client
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.audit.reading import decode_event
from pseudo_service.core.evidence.tables import Period

_DAY = timedelta(days=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)

ProjectOption = Annotated[str, typer.Option("--project", help="The project's id.")]
FromOption = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="The first day (UTC); from the beginning if absent.",
    ),
]
ToOption = Annotated[
    datetime | None,
    typer.Option(
        "--to",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="The last day, which counts (UTC); until now if absent.",
    ),
]


def choose_period(since: datetime | None, until: datetime | None) -> Period:
    """Return what ``--from`` and ``--to`` name, in UTC; without bounds if absent."""
    return Period(
        since=since.replace(tzinfo=UTC) if since else _EARLIEST,
        until=until.replace(tzinfo=UTC) + _DAY if until else _LATEST,
    )


def read_project_events(client: Client, project: str) -> list[AuditEvent]:
    """Return a project's events from its beginning on.

    Raises:
        AuditBroken: One cannot be read.
    """
    return [decode_event(each.body) for each in client.read_project_audit(project)]


def read_all_events(client: Client) -> list[AuditEvent]:
    """Return every event of every chain; for auditors only."""
    return [
        decode_event(each.body)
        for each in client.export_audit()
        if isinstance(each, pseudo_client.RecordedEvent)
    ]
