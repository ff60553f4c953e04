"""Reads events of the audit trail as values."""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Final

from pseudo_service.core.audit.events import AuditEvent, AuditKind, RecordedEvent
from pseudo_service.core.errors import AuditBroken

LINKAGE_MARK: Final = '"linkage_'
"""Stands in the body of every linkage event, so that most bodies need no parsing."""


def decode_event(body: str) -> AuditEvent:
    """Return the event that ``encode_event`` wrote.

    Raises:
        AuditBroken: The text is no event.
    """
    try:
        fields = json.loads(body)
        event = AuditEvent(
            kind=AuditKind(fields["kind"]),
            at=datetime.fromisoformat(fields["at"]),
            actor=str(fields["actor"]),
            project=fields["project"],
            operation=fields["operation"],
            details=dict(fields["details"]),
        )
    except (ValueError, TypeError, KeyError):
        event = None
    if event is None or event.at.tzinfo is None:
        msg = "an event of the audit trail cannot be read: run `pseudo audit verify`"
        raise AuditBroken(msg)
    return event


def find_linkage(events: Iterable[RecordedEvent]) -> Iterator[AuditEvent]:
    """Yield the linkage events of a trail."""
    for recorded in events:
        if LINKAGE_MARK in recorded.body:
            event = decode_event(recorded.body)
            if event.kind.value.startswith("linkage_"):
                yield event


def find_of_project(
    events: Iterable[RecordedEvent], project: str, requests: Collection[str]
) -> Iterator[tuple[RecordedEvent, AuditEvent]]:
    """Yield a project's events and those of linkage requests, each with its value.

    Args:
        events: The trail, or a part of it.
        project: The project's id.
        requests: Ids of requests that concern the project.
    """
    name = f'"project":"{project}"'
    for recorded in events:
        if name in recorded.body or LINKAGE_MARK in recorded.body:
            event = decode_event(recorded.body)
            if event.project == project or event.operation in requests:
                yield recorded, event
