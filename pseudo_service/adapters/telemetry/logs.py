"""A log that cannot quote a patient: named fields only, and no library's text.

Every line, ours or a library's, goes through one list of permitted field names.
A library's text is dropped, because a driver or an SDK may quote a row or a secret.
The line keeps the library's name, the level, and the place in its code.
"""

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from enum import Enum
from typing import Any, TextIO

import structlog
from structlog.typing import Processor, WrappedLogger

from pseudo_service.core.digit_runs import LOG_ID, LOG_TEXT
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.telemetry import Level

MASK = "[masked]"
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_ .,:;/()\[\]<>+\-]{0,400}")
_ID = re.compile(r"[A-Za-z0-9._:/@|\-]{1,260}")
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")


class FieldKind(Enum):
    """What a field may hold."""

    ID = "an id that the service or a custodian gave"
    TEXT = "a code or a name from our own source, never with a long number"
    NUMBER = "a count, a size, a time"


FIELDS: Mapping[str, FieldKind] = {
    "audit_chain": FieldKind.ID,
    "certificate_id": FieldKind.ID,
    "key_id": FieldKind.ID,
    "operation_id": FieldKind.ID,
    "policy": FieldKind.ID,
    "process": FieldKind.ID,
    "project": FieldKind.ID,
    "release": FieldKind.ID,
    "request_id": FieldKind.ID,
    "segment_id": FieldKind.ID,
    "subject": FieldKind.ID,
    "address": FieldKind.TEXT,
    "cause_type": FieldKind.TEXT,
    "code": FieldKind.TEXT,
    "exception_type": FieldKind.TEXT,
    "kind": FieldKind.TEXT,
    "logger": FieldKind.TEXT,
    "method": FieldKind.TEXT,
    "outcome": FieldKind.TEXT,
    "place": FieldKind.TEXT,
    "reason": FieldKind.TEXT,
    "state": FieldKind.TEXT,
    "task": FieldKind.TEXT,
    "version": FieldKind.TEXT,
    "attempt": FieldKind.NUMBER,
    "batches": FieldKind.NUMBER,
    "bytes": FieldKind.NUMBER,
    "count": FieldKind.NUMBER,
    "dropped_fields": FieldKind.NUMBER,
    "events": FieldKind.NUMBER,
    "exit_code": FieldKind.NUMBER,
    "identities": FieldKind.NUMBER,
    "port": FieldKind.NUMBER,
    "process_id": FieldKind.NUMBER,
    "rows_in": FieldKind.NUMBER,
    "rows_out": FieldKind.NUMBER,
    "rows_removed": FieldKind.NUMBER,
    "seconds": FieldKind.NUMBER,
    "workers": FieldKind.NUMBER,
}
"""The allow-list. A field that is not here does not exist in a log."""


class SafeLog:
    """Writes lines of permitted fields, as JSON or for a person's eyes."""

    def __init__(
        self,
        *,
        clock: Clock,
        stream: TextIO | None = None,
        as_json: bool = True,
        level: Level = Level.INFO,
        on_dropped: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Write to ``stream``, or to the standard error of the moment.

        Args:
            clock: Dates the lines.
            stream: Where the lines go.
            as_json: One JSON object a line, else text for a console.
            level: Quieter lines are left out.
            on_dropped: Is told how many fields a line lost.
        """
        self._clock = clock
        self._on_dropped = on_dropped
        self._threshold = _LOUDNESS[level]
        renderer: Processor = (
            structlog.processors.JSONRenderer(sort_keys=True)
            if as_json
            else structlog.dev.ConsoleRenderer(colors=False)
        )
        self._logger = structlog.wrap_logger(
            structlog.PrintLogger(stream or sys.stderr),
            processors=[self._filter_fields, renderer],
            wrapper_class=structlog.BoundLogger,
        )

    def write(self, event: str, level: Level, fields: Mapping[str, object]) -> None:
        """Write one line; never raises, since a lost line must stop no call."""
        if _LOUDNESS[level] < self._threshold:
            return
        try:
            self._logger.info(event, severity=level, **fields)
        except (OSError, ValueError):  # the stream is closed or its disk full
            return

    def _filter_fields(
        self, _logger: WrappedLogger, _name: str, line: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        event = str(line.pop("event"))
        level = line.pop("severity")
        kept = filter_fields(line)
        dropped = sum(1 for value in line.values() if value is not None) - len(kept)
        if dropped:
            self._on_dropped(dropped)
            kept["dropped_fields"] = dropped
        return {
            "event": event if _EVENT.fullmatch(event) else MASK,
            "level": str(level),
            "timestamp": self._clock.now().isoformat(timespec="milliseconds"),
            **kept,
        }


_LOUDNESS: Mapping[Level, int] = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}


def filter_fields(fields: Mapping[str, object]) -> dict[str, str | float | bool]:
    """Return what may be written: known fields, each with a value of its kind."""
    kept: dict[str, str | float | bool] = {}
    for name, value in fields.items():
        kind = FIELDS.get(name)
        if kind is None or value is None:
            continue
        allowed = _filter_value(kind, value)
        if allowed is not None:
            kept[name] = allowed
    return kept


def _filter_value(kind: FieldKind, value: object) -> str | float | bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if kind is FieldKind.NUMBER else None
    if not isinstance(value, str) or kind is FieldKind.NUMBER:
        return None
    if kind is FieldKind.ID:
        # Clients choose some ids, and could choose a patient's.
        unsafe = LOG_ID.is_in(value) or not _ID.fullmatch(value)
        return MASK if unsafe else value
    masked = LOG_TEXT.replace(value, MASK)
    return masked if _PLAIN_TEXT.fullmatch(masked) else MASK
