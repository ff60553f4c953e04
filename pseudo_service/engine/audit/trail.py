"""Checkpoints over all audit chains, and their export for verification elsewhere."""

from collections.abc import Iterator
from dataclasses import replace

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import (
    EMPTY_CHAIN,
    AuditEvent,
    AuditKind,
    ChainHead,
    Checkpoint,
    RecordedEvent,
)
from pseudo_service.core.errors import StateConflict
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import AUDIT_KEY
from pseudo_service.ports.audit_log import AuditLog, CheckpointArchive
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.key_vault import KeyVault


class AuditTrail:
    """Signs checkpoints, copies them outside, and hands the trail to auditors."""

    def __init__(
        self,
        *,
        log: AuditLog,
        archive: CheckpointArchive,
        vault: KeyVault,
        journal: Journal,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._log = log
        self._archive = archive
        self._vault = vault
        self._journal = journal
        self._clock = clock
        self._access_control = access_control
        self._copied = 0

    def checkpoint(self) -> Checkpoint | None:
        """Sign the heads of all chains and copy them outside the database.

        Copies that an earlier failure left out are made up for.

        Returns:
            The checkpoint; None when nothing happened since the last one, or when
            another process made one at this moment.
        """
        last = self._log.last_checkpoint()
        heads = tuple(sorted(self._log.heads()))
        made = None
        if heads and (last is None or heads != last.heads):
            made = self._sign(last, heads)
            try:
                self._log.add_checkpoint(made)
            except StateConflict:
                made = None  # another process covers the same heads
        self._copy_outside()
        return made

    def checkpoint_for(self, actor: Actor) -> Checkpoint:
        """Make a checkpoint at an auditor's wish and return the newest."""
        self._access_control.require(actor, Permission.READ_AUDIT)
        made = self.checkpoint() or self._log.last_checkpoint()
        if made is None:
            msg = "there is nothing to checkpoint yet"
            raise StateConflict(msg)
        return made

    def export(self, actor: Actor) -> Iterator[RecordedEvent | Checkpoint]:
        """Yield every checkpoint, then every chain's events in order.

        The export is itself on record, before its first event leaves.
        """
        self._access_control.require(actor, Permission.READ_AUDIT)
        self._journal.record(
            AuditEvent(
                kind=AuditKind.AUDIT_EXPORTED,
                at=self._clock.now(),
                actor=actor.subject,
                details={},
            )
        )
        return self._read()

    def _read(self) -> Iterator[RecordedEvent | Checkpoint]:
        # Checkpoints are fixed first: one made while the chains are read would
        # point past what was read of them.
        # They also leave first, so that a verifier holds each event against them
        # as it comes and keeps none.
        yield from list(self._log.checkpoints())
        for chain in self._log.chains():
            yield from self._log.read(chain)

    def _sign(
        self, last: Checkpoint | None, heads: tuple[ChainHead, ...]
    ) -> Checkpoint:
        key = self._vault.current_key(AUDIT_KEY)
        unsigned = Checkpoint(
            number=1 if last is None else last.number + 1,
            at=self._clock.now(),
            heads=heads,
            previous=EMPTY_CHAIN if last is None else last.digest(),
            signing_key_id=key.key_id,
            signature=b"",
        )
        signature = self._vault.sign(AUDIT_KEY, unsigned.signed_bytes())
        if signature.key_id != key.key_id:
            msg = "the audit key was rotated just now: try again"
            raise StateConflict(msg)
        return replace(unsigned, signature=signature.value)

    def _copy_outside(self) -> None:
        # Never by what the archive holds already: a copy that a crash left half
        # written is completed by appending it again, and by nothing else.
        # What this process copied before is not read again: every vote comes by here.
        for checkpoint in self._log.checkpoints(after=self._copied):
            self._archive.append(checkpoint)
            self._copied = checkpoint.number
