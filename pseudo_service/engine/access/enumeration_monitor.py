"""Finds callers that enumerate identifiers, records them, and may refuse them.

A batch of a table is checked by itself, for neighbouring numbers. A unary call is
checked with the caller's last hour in the project, for neighbours and for new people.
A table is not checked for new people: at a first load all people are new.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pseudo_service.core.access.enumeration import (
    WINDOW,
    EnumerationSettings,
    EnumerationSign,
    Serials,
    count_in_runs,
    is_novel_burst,
    is_sequential,
    read_serials,
)
from pseudo_service.core.access.recent_calls import RecentCalls
from pseudo_service.core.access.roles import Actor
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import OracleSuspected
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.telemetry import Telemetry

_REPORT_INTERVAL: Final = timedelta(minutes=10)


class EnumerationMonitor:
    """Remembers each caller's last hour, in this process and in memory only.

    The numbers themselves are kept no longer than the window and reach neither log,
    event nor metric.
    """

    def __init__(
        self,
        *,
        settings: EnumerationSettings,
        journal: Journal,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._telemetry = telemetry
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: OrderedDict[tuple[str, str], RecentCalls] = OrderedDict()

    def check_batch(
        self,
        identities: Sequence[Identities],
        *,
        actor: Actor,
        project: str,
        operation: str,
    ) -> None:
        """Check a table's batch before any of it is registered or answered.

        Raises:
            OracleSuspected: It shows a sign, and the deployment blocks such calls.
        """
        serials = _collect_serials(identities)
        in_runs = count_in_runs(serials, run=self._settings.sequential_run)
        if is_sequential(in_runs, len(serials), self._settings):
            counts = {"looked_at": len(serials), "in_runs": in_runs}
            self._report(
                EnumerationSign.SEQUENTIAL, counts, actor, project, operation=operation
            )

    def check_call(
        self, identities: Sequence[Identities], *, actor: Actor, project: str
    ) -> None:
        """Check a unary call before any of it is registered or answered.

        Raises:
            OracleSuspected: The caller's last hour, with this call, shows a sign, and
                the deployment blocks such calls.
        """
        now = self._clock.now()
        asked = _collect_serials(identities)
        with self._lock:
            calls = self._find_calls(actor, project, now)
            calls.add_serials(asked, now=now, most=self._settings.remembered)
            serials = calls.serials
            people, new = calls.count(now)
        in_runs = count_in_runs(serials, run=self._settings.sequential_run)
        if is_sequential(in_runs, len(serials), self._settings):
            counts = {"looked_at": len(serials), "in_runs": in_runs}
            self._report(EnumerationSign.SEQUENTIAL, counts, actor, project)
        self._check_novelty(people, new, actor, project)

    def record_new(self, *, asked: int, new: int, actor: Actor, project: str) -> None:
        """Record how many people of a unary call are new to the register.

        Args:
            asked: How many people the call asked for.
            new: How many of them the register had never seen.
            actor: The caller.
            project: The project of the call.

        Raises:
            OracleSuspected: See ``check_call``; the call must not be answered.
        """
        now = self._clock.now()
        with self._lock:
            calls = self._find_calls(actor, project, now)
            calls.add_counts(asked=asked, new=new, now=now)
            people, strangers = calls.count(now)
        self._check_novelty(people, strangers, actor, project)

    def _check_novelty(self, asked: int, new: int, actor: Actor, project: str) -> None:
        if is_novel_burst(new, asked, self._settings):
            counts = {"looked_at": asked, "new": new}
            self._report(EnumerationSign.NOVEL_BURST, counts, actor, project)

    def _find_calls(self, actor: Actor, project: str, now: datetime) -> RecentCalls:
        """Return the caller's window and drop the windows that are over."""
        key = (actor.subject, project)
        calls = self._calls.pop(key, None) or RecentCalls(last=now)
        calls.last = now
        self._calls[key] = calls
        while len(self._calls) > self._settings.callers or _is_over(self._calls, now):
            self._calls.popitem(last=False)
        return calls

    def _report(
        self,
        sign: EnumerationSign,
        counts: dict[str, int],
        actor: Actor,
        project: str,
        operation: str | None = None,
    ) -> None:
        self._telemetry.count_enumeration_sign(sign)
        now = self._clock.now()
        with self._lock:
            reported_at = self._find_calls(actor, project, now).reported_at
            is_due = (
                sign not in reported_at or now - reported_at[sign] >= _REPORT_INTERVAL
            )
            if is_due:
                reported_at[sign] = now
        if is_due:
            self._journal.record(
                AuditEvent(
                    kind=AuditKind.ORACLE_SUSPECTED,
                    at=now,
                    actor=actor.subject,
                    project=project,
                    operation=operation,
                    details={
                        "sign": sign.value,
                        "blocked": self._settings.block,
                        **counts,
                    },
                )
            )
        if self._settings.block:
            msg = (
                f"this use looks like trying identifiers out ({sign}), which this "
                "deployment refuses: send records as they are kept, or have the "
                "custodian of the deployment look at the audit trail"
            )
            raise OracleSuspected(msg)


def _is_over(
    all_calls: OrderedDict[tuple[str, str], RecentCalls], now: datetime
) -> bool:
    return now - next(iter(all_calls.values())).last > WINDOW


def _collect_serials(identities: Sequence[Identities]) -> Serials:
    return read_serials(one.canonical for one in identities if one.kind == NHS_NUMBER)
