"""Merges segments under one fresh data key, and takes people out of them.

Each page is one transaction: what is not rewritten yet stays as it was, so that an
interrupted run loses nothing and the next one goes on. What does not open, or does
not agree with its blind index, is never touched.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.audit.events import AuditEvent, Detail
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.matching import MacIndex, find_wanted
from pseudo_service.core.register.reports import RegisterProgress
from pseudo_service.core.register.segments import RegisterFault, Segment
from pseudo_service.engine.register.known_identities import SortedRun, split
from pseudo_service.engine.register.opening import (
    OpenedIdentities,
    OpenRegister,
    RegisterScan,
)
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from pseudo_service.ports.register import RegisterKeeper

SEGMENT_IDENTITIES = 1 << 18
"""The most identities in a segment that care writes: 7 MB of them."""

Describe = Callable[[Mapping[str, Detail]], AuditEvent]


class SeenIdentities:
    """Who was met before, by blind index: 16 bytes a person, as ingestion holds it."""

    def __init__(self) -> None:
        self._runs: dict[str, list[SortedRun]] = defaultdict(list)

    def note(self, kind: str, blind: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Return which rows name somebody for the first time, and remember them."""
        high, low = split(blind)
        order = np.lexsort((low, high))
        repeated = np.zeros(len(blind), dtype=np.bool_)
        same = (np.diff(high[order]) == 0) & (np.diff(low[order]) == 0)
        repeated[order[1:][same]] = True  # of equal ones the order keeps the first
        new: npt.NDArray[np.bool_] = ~repeated
        for run in self._runs[kind]:
            new[new] = ~run.contains(high[new], low[new])
        if new.any():
            self._add(self._runs[kind], SortedRun.build(blind[new]))
        return new

    def _add(self, runs: list[SortedRun], run: SortedRun) -> None:
        while runs and len(runs[-1].high) <= 2 * len(run.high):
            run = runs.pop().merge(run)
        runs.append(run)


class SegmentRewriting:
    """Rewrites segments page by page; ``describe`` makes each transaction's event."""

    def __init__(
        self,
        *,
        opened: OpenRegister,
        keeper: RegisterKeeper,
        sealer: RewriteSealer,
        describe: Describe,
    ) -> None:
        self.removed = 0
        self.written = 0
        self.identities = 0
        self.faults: list[RegisterFault] = []
        self.segments = 0
        self._opened = opened
        self._keeper = keeper
        self._sealer = sealer
        self._describe = describe

    def merge(self) -> Iterator[RegisterProgress]:
        """Put large segments in the place of all others, everyone once.

        Raises:
            StateConflict: Another run rewrites the register at this moment.
        """
        seen = SeenIdentities()
        scan = self._opened.scan(leave_out=self._sealer.owns, rewrites=True)
        for page, sound in self._read(scan):
            rows = sound[page.owner]
            rows[rows] = seen.note(page.kind, page.blind[rows])
            self._replace(page, sound, rows, renew=False)
            yield RegisterProgress(segments=self.segments, identities=self.identities)

    def erase(self, wanted: MacIndex, *, kind: IdentifierKind) -> set[int]:
        """Write the segments that hold wanted people anew, without them.

        Args:
            wanted: Their blind indices.
            kind: Their kind.

        Returns:
            Which of the wanted were found.
        """
        found: set[int] = set()
        scan = self._opened.scan(kind=kind, leave_out=self._sealer.owns, rewrites=True)
        for page, sound in self._read(scan):
            rows, which = find_wanted(page.blind, wanted)
            holds = np.zeros(len(page.segments), dtype=np.bool_)
            holds[page.owner[rows]] = True
            holds &= sound
            if holds.any():
                stays = holds[page.owner]
                stays[rows] = False
                self._replace(page, holds, stays, renew=True)
                found |= set(which[holds[page.owner[rows]]].tolist())
        return found

    def _read(
        self, scan: RegisterScan
    ) -> Iterator[tuple[OpenedIdentities, npt.NDArray[np.bool_]]]:
        """Yield each page, and which of its segments have no fault."""
        for page in scan:
            faulty = {fault.where for fault in scan.faults}
            sound = np.array([name not in faulty for name in page.segments])
            self.segments, self.faults = scan.segments, list(scan.faults)
            yield page, sound
        self.segments, self.faults = scan.segments, list(scan.faults)

    def _replace(
        self,
        page: OpenedIdentities,
        segments: npt.NDArray[np.bool_],
        rows: npt.NDArray[np.bool_],
        *,
        renew: bool,
    ) -> None:
        """Put new segments of these rows in the place of these segments."""
        pairs = zip(page.segments, segments, strict=True)
        old = [name for name, replaced in pairs if replaced]
        if not old:
            return
        new = self._seal(page, rows)
        counted = {"segments": len(old), "written": len(new), "rows": int(rows.sum())}
        self._keeper.replace_segments(
            old=old,
            new=new,
            data_keys=self._sealer.rows if new else (),
            audit=[self._describe(counted)],
            renew=renew,
        )
        self.removed += len(old)
        self.written += len(new)
        self.identities += int(rows.sum())

    def _seal(
        self, page: OpenedIdentities, rows: npt.NDArray[np.bool_]
    ) -> list[Segment]:
        canonical, blind = page.canonical.filter(pa.array(rows)), page.blind[rows]
        return [
            self._sealer.seal(
                canonical[start : start + SEGMENT_IDENTITIES],
                blind[start : start + SEGMENT_IDENTITIES],
                kind=page.kind,
            )
            for start in range(0, len(blind), SEGMENT_IDENTITIES)
        ]
