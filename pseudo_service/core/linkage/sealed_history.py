"""The sealed records of one linkage request, as the desk and a release use them.

``core.linkage.history`` reads events that its caller trusts, ordered by time. This one
holds records whose seals were verified, ordered by the step that the seal covers: the
clocks of two processes may differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.linkage.request import Vote
from pseudo_service.core.linkage.sealed_events import LinkageRecord, read_vote


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHistory:
    """The decisive records of one request, by step; empty for an unknown request."""

    records: tuple[LinkageRecord, ...] = ()

    @classmethod
    def of(cls, records: Iterable[LinkageRecord]) -> Self:
        """Return the history of records that come in any order."""
        return cls(records=tuple(sorted(records, key=lambda record: record.step)))

    @property
    def digest(self) -> bytes:
        """The digest of the first record; empty if there is none."""
        return self.records[0].digest if self.records else b""

    @property
    def subject_count(self) -> int:
        """How many subjects the submission names; 0 if it is not on record."""
        first = self.records[0] if self.records else None
        is_submission = first is not None and first.kind is AuditKind.LINKAGE_SUBMITTED
        return first.subject_count if first is not None and is_submission else 0

    @property
    def next_step(self) -> int:
        """The step of the next record."""
        return len(self.records) + 1

    @property
    def release_step(self) -> int | None:
        """The step of the first release's intent; None if there was no release."""
        return next(
            (
                record.step
                for record in self.records
                if record.kind is AuditKind.LINKAGE_RELEASE_INTENT
            ),
            None,
        )

    @property
    def votes(self) -> tuple[Vote, ...]:
        """All votes, those after a release included."""
        return _read_votes(self.records)

    @property
    def votes_before_release(self) -> tuple[Vote, ...]:
        """The votes before the first release; all if there was no release.

        A vote whose step is above the number of records is left out: it stands behind
        a record that is missing.
        """
        until = self.release_step or self.next_step
        return _read_votes(record for record in self.records if record.step < until)


def _read_votes(records: Iterable[LinkageRecord]) -> tuple[Vote, ...]:
    return tuple(
        read_vote(record)
        for record in records
        if record.kind is AuditKind.LINKAGE_REVIEWED
    )
