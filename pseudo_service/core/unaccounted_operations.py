"""Which operations may have released people without recording whom.

A stream that was cut off (its process killed, its database gone) leaves an opening
and intents in the audit trail, and no end that says its memberships are recorded. So
does one that still runs: nothing tells the two apart, so both are named, with their
time. A recall or a search for one person cannot answer for them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pseudo_service.core.audit import AuditKind, RecordedEvent

MEMBERSHIP = "membership"
"""The detail of an event that says whether its operation's people are recorded."""


class Recorded(StrEnum):
    """NOW: in the same transaction; BEFORE: by an earlier end of the same stream."""

    NOW = "recorded"
    BEFORE = "recorded_before"
    NOT = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaccountedOperation:
    """A part of a run whose people are not on record, or not yet."""

    project: str
    operation: str
    part: int
    opened_at: datetime

    def describe(self) -> str:
        """Return one line that names it."""
        opened = f"{self.opened_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.operation} part {self.part}, opened {opened}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaccountedCalls:
    """Single calls of a project from before their people were recorded."""

    project: str
    calls: int
    first: datetime
    last: datetime

    def describe(self) -> str:
        """Return one line that names them."""
        calls = f"{self.calls} single call" + ("" if self.calls == 1 else "s")
        return (
            f"{calls} from {self.first:%Y-%m-%d %H:%M:%S} to "
            f"{self.last:%Y-%m-%d %H:%M:%S} UTC"
        )


Unaccounted = UnaccountedOperation | UnaccountedCalls


@dataclass(slots=True)
class _Streams:
    """The streams of one part in one process; ``open`` are those without an end."""

    opened: list[datetime] = field(default_factory=list)
    has_intent: bool = False


def find_unaccounted(
    chains: Iterable[Iterable[RecordedEvent]], *, project: str | None
) -> list[Unaccounted]:
    """Return what is unaccounted in a project, or in all, oldest first.

    Args:
        chains: Every chain's events, each in order: a stream lives in one process, so
            in one chain.
        project: The project; None for all.
    """
    found: list[Unaccounted] = []
    calls: dict[str, UnaccountedCalls] = {}
    for events in chains:
        streams: dict[tuple[str, str, int], _Streams] = {}
        for event in events:
            if not _may_matter(event.body, project):
                continue
            body = json.loads(event.body)
            if project not in (None, body["project"]):
                continue
            match body["kind"]:
                case AuditKind.VALUES_INTENT | AuditKind.TEXTS_INTENT:
                    _note_call(body, calls)
                case _:
                    found += _note_stream(body, streams)
        for (owner, operation, part), left in streams.items():
            if left.has_intent:
                found += [
                    UnaccountedOperation(
                        project=owner, operation=operation, part=part, opened_at=opened
                    )
                    for opened in left.opened
                ]
    found.sort(key=_tell_time)
    return [*calls.values(), *found]


_KINDS = (
    AuditKind.TABLE_OPENED,
    AuditKind.BATCH_INTENT,
    AuditKind.TABLE_FINISHED,
    AuditKind.TABLE_FAILED,
    AuditKind.VALUES_INTENT,
    AuditKind.TEXTS_INTENT,
)
_MARKS = tuple(f'"kind":"{kind}"' for kind in _KINDS)


def _may_matter(body: str, project: str | None) -> bool:
    # Bodies are canonical JSON: most events are told apart without reading them.
    if project is not None and f'"project":"{project}"' not in body:
        return False
    return any(mark in body for mark in _MARKS)


def _note_stream(
    body: Mapping[str, Any], streams: dict[tuple[str, str, int], _Streams]
) -> list[Unaccounted]:
    """Follow the streams of a part; return those that ended unaccounted."""
    details = body["details"]
    place = (body["project"], body["operation"], details.get("part", 0))
    match body["kind"]:
        case AuditKind.TABLE_OPENED:
            opened = datetime.fromisoformat(body["at"])
            streams.setdefault(place, _Streams()).opened.append(opened)
        case AuditKind.BATCH_INTENT:
            streams.setdefault(place, _Streams()).has_intent = True
        case _:
            return _note_end(details.get(MEMBERSHIP), place, streams)
    return []


def _note_end(
    recorded: str | None,
    place: tuple[str, str, int],
    streams: dict[tuple[str, str, int], _Streams],
) -> list[Unaccounted]:
    left = streams.get(place)
    if recorded == Recorded.BEFORE or left is None or not left.opened:
        return []
    # Of several streams of one part at once, any may be the one that ends: the first
    # is taken, for the later ones are the client's newer attempts.
    opened = left.opened.pop(0)
    has_intent = left.has_intent
    if not left.opened:
        del streams[place]
    if recorded == Recorded.NOW or not has_intent:
        return []
    owner, operation, part = place
    return [
        UnaccountedOperation(
            project=owner, operation=operation, part=part, opened_at=opened
        )
    ]


def _note_call(body: Mapping[str, Any], calls: dict[str, UnaccountedCalls]) -> None:
    details = body["details"]
    if MEMBERSHIP in details or details.get("identities") == 0:
        return
    at = datetime.fromisoformat(body["at"])
    project = body["project"]
    before = calls.get(project)
    calls[project] = UnaccountedCalls(
        project=project,
        calls=before.calls + 1 if before else 1,
        first=min(before.first, at) if before else at,
        last=max(before.last, at) if before else at,
    )


def _tell_time(one: Unaccounted) -> datetime:
    return one.opened_at if isinstance(one, UnaccountedOperation) else one.first
