"""Operations that may have released people without a record of them.

A stream that was cut off (its process killed, its database gone) leaves an opening
and intents in the audit trail, and no end that says its disclosures are recorded. So
does one that still runs: nothing tells the two apart, so both are named, with their
time. A recall or a search for one person cannot answer for them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pseudo_service.core.audit.events import AuditKind, RecordedEvent
from pseudo_service.core.ids import OperationId, ProjectId

RECORDING = "membership"
"""The detail of an event that says whether its operation's people are recorded."""

INPUT = "input"
"""The detail of a batch's intent that tells, keyed, all that came in until then."""
NO_DIGEST = ""


class Recording(StrEnum):
    """What an end says of its operation's people.

    NOW: recorded in the same transaction; BEFORE: by an earlier end of the same stream;
    MISSING: not recorded.
    """

    NOW = "recorded"
    BEFORE = "recorded_before"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaccountedOperation:
    """A part of a run whose people are not on record, or not yet."""

    project: ProjectId
    operation: OperationId
    part: int
    opened_at: datetime

    def describe(self) -> str:
        """Return one line that names it."""
        opened = f"{self.opened_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.operation} part {self.part}, opened {opened}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaccountedCalls:
    """Single calls of a project from before their people were recorded."""

    project: ProjectId
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


Place = tuple[ProjectId, OperationId, int]
"""Project, operation and part."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The opening of a stream: when, and under which pins."""

    at: datetime
    pins: tuple[object, ...]


@dataclass(slots=True)
class _Streams:
    """The streams of one part in one process; ``opened`` are those without an end.

    ``inputs`` are the running digests of what came, of all of them together.
    """

    opened: list[_Opened] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)
    has_intent: bool = False
    had_concurrent: bool = False


@dataclass(slots=True)
class _Findings:
    """Findings over all chains: a part may be sent again to another process."""

    open: list[tuple[Place, _Opened, set[str]]] = field(default_factory=list)
    whole: dict[tuple[Place, tuple[object, ...]], set[str]] = field(
        default_factory=dict
    )
    calls: dict[ProjectId, UnaccountedCalls] = field(default_factory=dict)

    def summarise_operations(self) -> list[Unaccounted]:
        """Return what is unaccounted, oldest first."""
        left = [
            UnaccountedOperation(
                project=place[0], operation=place[1], part=place[2], opened_at=opened.at
            )
            for place, opened, inputs in self.open
            if not self._was_sent_again(place, opened, inputs)
        ]
        return [*self.calls.values(), *sorted(left, key=lambda one: one.opened_at)]

    def _was_sent_again(self, place: Place, opened: _Opened, inputs: set[str]) -> bool:
        """Say whether the very same batches were finished afterwards, under equal pins.

        The sender of a part chooses its number, so only the digests show that the
        people are the same. Under another opt-out list they need not be: a person who
        opted out between the two is in the first alone.
        """
        return bool(inputs) and inputs <= self.whole.get((place, opened.pins), set())


def find_unaccounted(
    chains: Iterable[Iterable[RecordedEvent]], *, project: ProjectId | None
) -> list[Unaccounted]:
    """Return what is unaccounted in a project, or in all, oldest first.

    A part that was cut off is accounted for when the very same batches were sent
    again under equal pins, and finished.

    Args:
        chains: Every chain's events, each in order: a stream lives in one process, so
            in one chain.
        project: The project; None for all.
    """
    findings = _Findings()
    for events in chains:
        streams: dict[Place, _Streams] = {}
        for event in events:
            if not _may_matter(event.body, project):
                continue
            body = json.loads(event.body)
            if project not in (None, body["project"]):
                continue
            match body["kind"]:
                case AuditKind.VALUES_INTENT | AuditKind.TEXTS_INTENT:
                    _add_call(body, findings.calls)
                case _:
                    _follow_stream(body, streams, findings)
        for place, left in streams.items():
            if left.has_intent:
                findings.open += [(place, one, left.inputs) for one in left.opened]
    return findings.summarise_operations()


_KINDS = (
    AuditKind.TABLE_OPENED,
    AuditKind.BATCH_INTENT,
    AuditKind.TABLE_FINISHED,
    AuditKind.TABLE_FAILED,
    AuditKind.VALUES_INTENT,
    AuditKind.TEXTS_INTENT,
)
_PINS = (
    "policy_digest",
    "key_version",
    "previous_key_version",
    "opt_out_list",
    "alias_table",
)
"""What decides, besides the rows, which people a stream releases."""
_MARKS = tuple(f'"kind":"{kind}"' for kind in _KINDS)


def _may_matter(body: str, project: ProjectId | None) -> bool:
    # Bodies are canonical JSON: most events are told apart without reading them.
    if project is not None and f'"project":"{project}"' not in body:
        return False
    return any(mark in body for mark in _MARKS)


def _follow_stream(
    body: Mapping[str, Any], streams: dict[Place, _Streams], findings: _Findings
) -> None:
    """Follow the streams of a part; find those that ended unaccounted."""
    details = body["details"]
    place = (
        ProjectId(body["project"]),
        OperationId(body["operation"]),
        details.get("part", 0),
    )
    match body["kind"]:
        case AuditKind.TABLE_OPENED:
            pins = tuple(details.get(name) for name in _PINS)
            opened = _Opened(datetime.fromisoformat(body["at"]), pins)
            stream = streams.setdefault(place, _Streams())
            stream.had_concurrent |= bool(stream.opened)
            stream.opened.append(opened)
        case AuditKind.BATCH_INTENT:
            stream = streams.setdefault(place, _Streams())
            stream.has_intent = True
            stream.inputs.add(str(details.get(INPUT) or NO_DIGEST))
        case _:
            _end_stream(body, place, streams, findings)


def _end_stream(
    body: Mapping[str, Any],
    place: Place,
    streams: dict[Place, _Streams],
    findings: _Findings,
) -> None:
    recorded = body["details"].get(RECORDING)
    left = streams.get(place)
    if recorded == Recording.BEFORE or left is None or not left.opened:
        return
    # Of several streams of one part at once, any may be the one that ends: the first
    # is taken, for the later ones are the client's newer attempts.
    opened = left.opened.pop(0)
    if not left.opened:
        del streams[place]
    is_whole = recorded == Recording.NOW and body["kind"] == AuditKind.TABLE_FINISHED
    if is_whole and not left.had_concurrent:  # else their batches are not told apart
        known = findings.whole.setdefault((place, opened.pins), set())
        known |= left.inputs - {NO_DIGEST}
    if recorded != Recording.NOW and left.has_intent:
        findings.open.append((place, opened, left.inputs))


def _add_call(
    body: Mapping[str, Any], calls: dict[ProjectId, UnaccountedCalls]
) -> None:
    details = body["details"]
    if RECORDING in details or details.get("identities") == 0:
        return
    at = datetime.fromisoformat(body["at"])
    project = ProjectId(body["project"])
    before = calls.get(project)
    calls[project] = UnaccountedCalls(
        project=project,
        calls=before.calls + 1 if before else 1,
        first=min(before.first, at) if before else at,
        last=max(before.last, at) if before else at,
    )
