"""Merges segments under one fresh data key, and takes people out of them.

Each page is one transaction: what is not rewritten yet stays as it was, so that an
interrupted run loses nothing and the next one goes on. What does not open, or does
not agree with its blind index, is never touched.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from pseudo_service.core.arrow.arrays import BlindIndices, Mask
from pseudo_service.core.arrow.sorted_macs import MacSet, MacWords, SortedMacs
from pseudo_service.core.audit.events import AuditEvent, Detail
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.matching import MacIndex
from pseudo_service.core.register.reports import RegisterProgress
from pseudo_service.core.register.segments import RegisterFault, Segment
from pseudo_service.engine.register.opening import (
    OpenedIdentities,
    OpenRegister,
    RegisterScan,
)
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from pseudo_service.ports.register import RegisterKeeper

SEGMENT_IDENTITIES = 1 << 18
"""The most identities in a segment that a rewrite makes: 7 MB of them."""

Describe = Callable[[Mapping[str, Detail]], AuditEvent]


class SeenIdentities:
    """The people whom a scan has met, by blind index: 16 bytes a person."""

    def __init__(self) -> None:
        self._seen: dict[str, MacSet] = defaultdict(MacSet)

    def add(self, kind: str, blind: BlindIndices) -> Mask:
        """Add people of a kind; return the rows that name somebody for the first time."""
        words, seen = MacWords.read(blind), self._seen[kind]
        new = words.find_first()
        new[new] = ~seen.contains(words.take(new))
        if new.any():
            seen.add(SortedMacs.sort(words.take(new)))
        return new


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
            rows[rows] = seen.add(page.kind, page.blind[rows])
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
            rows, which = wanted.find(page.blind)
            holds = np.zeros(len(page.segments), dtype=np.bool_)
            holds[page.owner[rows]] = True
            holds &= sound
            if holds.any():
                stays = holds[page.owner]
                stays[rows] = False
                self._replace(page, holds, stays, renew=True)
                found |= set(which[holds[page.owner[rows]]].tolist())
        return found

    def _read(self, scan: RegisterScan) -> Iterator[tuple[OpenedIdentities, Mask]]:
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
        segments: Mask,
        rows: Mask,
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

    def _seal(self, page: OpenedIdentities, rows: Mask) -> list[Segment]:
        canonical, blind = page.canonical.filter(pa.array(rows)), page.blind[rows]
        return [
            self._sealer.seal(
                canonical[start : start + SEGMENT_IDENTITIES],
                blind[start : start + SEGMENT_IDENTITIES],
                kind=page.kind,
            )
            for start in range(0, len(blind), SEGMENT_IDENTITIES)
        ]
