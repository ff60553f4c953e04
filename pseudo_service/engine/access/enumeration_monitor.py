"""Watches callers for signs of trying identifiers out, tells, and may refuse.

Batches of tables are judged one by one for neighbouring numbers. Unary calls are
judged over a caller's last hour in a project, for neighbours and for new people; a
table is not judged for new people, because at a first load everybody is new.
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

TOLD_AGAIN_AFTER: Final = timedelta(minutes=10)


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
        self._uses: OrderedDict[tuple[str, str], RecentCalls] = OrderedDict()

    def check_batch(
        self,
        identities: Sequence[Identities],
        *,
        actor: Actor,
        project: str,
        operation: str,
    ) -> None:
        """Judge a table's batch before anything of it is registered or answered.

        Raises:
            OracleSuspected: It tries numbers out, and the deployment blocks that.
        """
        serials = _collect_serials(identities)
        in_runs = count_in_runs(serials, run=self._settings.sequential_run)
        if is_sequential(in_runs, len(serials), self._settings):
            counts = {"looked_at": len(serials), "in_runs": in_runs}
            self._tell(
                EnumerationSign.SEQUENTIAL, counts, actor, project, operation=operation
            )

    def check_call(
        self, identities: Sequence[Identities], *, actor: Actor, project: str
    ) -> None:
        """Judge a unary call before anything of it is registered or answered.

        Raises:
            OracleSuspected: The caller's last hour, this call included, shows a sign,
                and the deployment blocks that.
        """
        now = self._clock.now()
        asked = _collect_serials(identities)
        with self._lock:
            use = self._find_use(actor, project, now)
            use.note_serials(asked, now=now, most=self._settings.remembered)
            serials = use.serials
            people, new = use.count(now)
        in_runs = count_in_runs(serials, run=self._settings.sequential_run)
        if is_sequential(in_runs, len(serials), self._settings):
            counts = {"looked_at": len(serials), "in_runs": in_runs}
            self._tell(EnumerationSign.SEQUENTIAL, counts, actor, project)
        self._judge_novelty(people, new, actor, project)

    def record_new(self, *, asked: int, new: int, actor: Actor, project: str) -> None:
        """Take in how many of a unary call's people the register had never seen.

        Raises:
            OracleSuspected: As ``check_call``; the call must not be answered.
        """
        now = self._clock.now()
        with self._lock:
            use = self._find_use(actor, project, now)
            use.note_counts(asked=asked, new=new, now=now)
            people, strangers = use.count(now)
        self._judge_novelty(people, strangers, actor, project)

    def _judge_novelty(self, asked: int, new: int, actor: Actor, project: str) -> None:
        if is_novel_burst(new, asked, self._settings):
            counts = {"looked_at": asked, "new": new}
            self._tell(EnumerationSign.NOVEL_BURST, counts, actor, project)

    def _find_use(self, actor: Actor, project: str, now: datetime) -> RecentCalls:
        """Return the caller's window as the newest; those of long ago are dropped."""
        key = (actor.subject, project)
        use = self._uses.pop(key, None) or RecentCalls(last=now)
        use.last = now
        self._uses[key] = use
        while len(self._uses) > self._settings.callers or _is_over(self._uses, now):
            self._uses.popitem(last=False)
        return use

    def _tell(
        self,
        sign: EnumerationSign,
        counts: dict[str, int],
        actor: Actor,
        project: str,
        operation: str | None = None,
    ) -> None:
        self._telemetry.count_oracle_sign(sign)
        now = self._clock.now()
        with self._lock:
            told = self._find_use(actor, project, now).told
            is_due = sign not in told or now - told[sign] >= TOLD_AGAIN_AFTER
            if is_due:
                told[sign] = now
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


def _is_over(uses: OrderedDict[tuple[str, str], RecentCalls], now: datetime) -> bool:
    return now - next(iter(uses.values())).last > WINDOW


def _collect_serials(identities: Sequence[Identities]) -> Serials:
    return read_serials(one.canonical for one in identities if one.kind == NHS_NUMBER)
