"""What must be durable before a batch's answer leaves.

``submit`` queues the commit, ``wait`` waits for it. Between the two the next batch is
computed, so that disk flushes cost a stream nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import DatabaseReplaced
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root, SecretKey
from pseudo_service.engine.access.quota import charge_quota
from pseudo_service.engine.disclosures.writer import (
    DisclosureCollector,
    DisclosureWriter,
    PreviousRelease,
    Released,
    SealedDisclosures,
)
from pseudo_service.engine.register.known_identities import Claim, KnownIdentities
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import (
    BatchChange,
    Journal,
    PendingCommit,
    QuotaCharge,
)
from pseudo_service.ports.register import RegisterReading


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A change on its way, with the identities that it claims."""

    pending: PendingCommit
    claims: Sequence[Claim]
    known_in: RegisterReading | None

    @property
    def new(self) -> int:
        """Return how many identities the register had not seen."""
        return sum(int(claim.new.sum()) for claim in self.claims)


class BatchCommit:
    """Registers new identities, charges the quota and records the intent."""

    def __init__(
        self,
        *,
        journal: Journal,
        known: KnownIdentities,
        writer: RegisterWriter,
        service_root: Root,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._known = known
        self._writer = writer
        self._quota_key: SecretKey = service_root.derive(KeyUse.QUOTA)
        self._clock = clock
        self._disclosures = DisclosureWriter(writer=writer, clock=clock)

    def submit(
        self,
        event: AuditEvent,
        identities: Sequence[Identities],
        *,
        limit: int,
        dated: Sequence[Identities] = (),
        released: Released | None = None,
    ) -> PendingChange:
        """Claim the new identities and queue one commit for all of it.

        Args:
            event: The intent.
            identities: Who gets a pseudonym: registered and charged.
            limit: The project's daily quota.
            dated: Whose dates alone are answered: charged.
            released: Given by unary calls, whose disclosures are committed with the
                intent; a stream collects its own.
        """
        known_in = self._known.reading
        claims = [self._known.claim(one.kind.text, one.blind) for one in identities]
        try:
            sealed = [
                self._writer.seal(
                    one.canonical.filter(pa.array(claim.new)),
                    blind=one.blind[claim.new],
                    kind=one.kind.text,
                )
                for one, claim in zip(identities, claims, strict=True)
                if claim.new.any()
            ]
            members = (
                self._disclosures.seal_call(identities, dated, released=released)
                if released is not None
                else SealedDisclosures()
            )
            rows = [*(row for row, _ in sealed), *members.data_keys]
            pending = self._journal.submit(
                BatchChange(
                    event=event,
                    data_keys=list({row.data_key_id: row for row in rows}.values()),
                    segments=[segment for _, segment in sealed],
                    disclosures=members.disclosures,
                    charge=self._charge(event, [*identities, *dated], limit),
                    known_in=known_in,
                )
            )
        except BaseException:
            self.release(claims)
            raise
        for claim in claims:
            self._known.send(claim, pending)
        return PendingChange(pending=pending, claims=claims, known_in=known_in)

    def wait(self, change: PendingChange) -> None:
        """Return when everything is durable, this batch's and what it relies on.

        Raises:
            QuotaExceeded: The caller is over its daily limit.
            StoreUnavailable: The change is not known to be durable.
            DatabaseReplaced: What was known is read anew; send the batch again.
        """
        try:
            change.pending.wait()
            for claim in change.claims:
                self._known.settle(claim)
        except DatabaseReplaced:
            self.release(change.claims)
            self._known.load(refused=change.known_in)
            raise
        except BaseException:
            self.release(change.claims)
            raise

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back claims whose commit will not be waited for."""
        for claim in claims:
            self._known.abandon(claim)

    def collect(
        self,
        *,
        project: ProjectId,
        operation: OperationId,
        key_version: KeyVersion,
        previous: PreviousRelease | None = None,
    ) -> DisclosureCollector:
        """Return an empty collector of whom a stream releases."""
        return DisclosureCollector(
            writer=self._disclosures,
            project=project,
            operation=operation,
            key_version=key_version,
            previous=previous,
        )

    def record_released(self, event: AuditEvent, people: DisclosureCollector) -> None:
        """Make an event durable together with whom a stream has released so far.

        Raises:
            KeyVaultUnavailable: They cannot be sealed; nothing was written.
            StoreUnavailable, StoreFull: It is not known to be durable.
        """
        sealed = people.seal()
        self._journal.submit(
            BatchChange(
                event=event,
                data_keys=sealed.data_keys,
                disclosures=sealed.disclosures,
            )
        ).wait()
        people.mark_recorded()

    def _charge(
        self, event: AuditEvent, identities: Sequence[Identities], limit: int
    ) -> QuotaCharge | None:
        blind = [one.blind for one in identities if len(one.blind)]
        if not blind:
            return None
        return charge_quota(
            np.concatenate(blind),
            key=self._quota_key,
            caller=event.actor,
            project=ProjectId(event.project or ""),
            day=self._clock.now().date(),
            limit=limit,
        )
