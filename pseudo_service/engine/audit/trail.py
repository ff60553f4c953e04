"""Checkpoints over all audit chains, and their export for verification elsewhere."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import (
    EMPTY_CHAIN,
    AuditKind,
    ChainHead,
    Checkpoint,
    RecordedEvent,
)
from pseudo_service.core.errors import PseudoError, StateConflict
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.keys.key_ring import AUDIT_KEY
from pseudo_service.ports.audit_log import AuditLog, CheckpointArchive
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.key_vault import KeyVault


def read_events(log: AuditLog) -> Iterator[RecordedEvent]:
    """Yield every event, chain by chain, each chain in order."""
    for chain in log.chains():
        yield from log.read(chain)


class AuditTrail:
    """Signs checkpoints, copies them outside the database, and exports the trail."""

    def __init__(
        self,
        *,
        log: AuditLog,
        archive: CheckpointArchive,
        vault: KeyVault,
        recorder: AuditRecorder,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._log = log
        self._archive = archive
        self._vault = vault
        self._recorder = recorder
        self._clock = clock
        self._access_control = access_control
        self._copied = 0

    def checkpoint(self) -> Checkpoint | None:
        """Sign the heads of all chains and copy them outside the database.

        Checkpoints that an earlier failure kept from the archive are copied, too.

        Returns:
            The checkpoint; None when nothing happened since the last one, or when
            another process made one at this moment.

        Raises:
            StoreUnavailable: The archive or the database is out of reach.
            KeyVaultUnavailable: The vault does not sign.
            AuditBroken: The archive holds another checkpoint of one of the numbers.
        """
        last = self._log.last_checkpoint()
        heads = tuple(sorted(self._log.heads()))
        made = None
        if last is None or last.number < self._copied:
            self._copied = 0
        if heads and (last is None or heads != last.heads):
            made = self._sign(last, heads)
            try:
                self._log.add_checkpoint(made)
            except StateConflict:
                made = None  # another process covers the same heads
        self._copy_outside()
        return made

    def checkpoint_now(self) -> None:
        """Make a checkpoint over what was just written, if it can be made now.

        A failure is not raised: what was written stands either way. Before a release
        the next checkpoint is made, and a failure of that one refuses the release.
        """
        with contextlib.suppress(PseudoError):
            # None may mean that another process made one just before the last event.
            self.checkpoint() or self.checkpoint()

    def checkpoint_for(self, actor: Actor) -> Checkpoint:
        """Make a checkpoint on an auditor's request and return the newest.

        Raises:
            AccessDenied: The caller is no auditor.
            StateConflict: The trail is empty.
        """
        self._access_control.require(actor, Permission.READ_AUDIT)
        made = self.checkpoint() or self._log.last_checkpoint()
        if made is None:
            msg = "there is nothing to checkpoint yet"
            raise StateConflict(msg)
        return made

    def export(self, actor: Actor) -> Iterator[RecordedEvent | Checkpoint]:
        """Yield every checkpoint, then every chain's events in order.

        An event records the export before the first of its events is sent.

        Raises:
            AccessDenied: The caller is no auditor.
        """
        self._access_control.require(actor, Permission.READ_AUDIT)
        self._recorder.record(AuditKind.AUDIT_EXPORTED, actor=actor.subject)
        return self._read()

    def _read(self) -> Iterator[RecordedEvent | Checkpoint]:
        # Checkpoints are read first: a checkpoint made while the chains are read would
        # name events after those that were read.
        # They are sent first, so that a verifier can compare each event with them as
        # it arrives and needs to keep none.
        yield from list(self._log.checkpoints())
        yield from read_events(self._log)

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
        # The archive is not asked what it holds: a copy that a crash left half written
        # is completed only by appending it again.
        # What this process has copied is not read again: every vote makes a checkpoint.
        # A number that was copied and is made again is of a database that went back.
        for checkpoint in self._log.checkpoints(after=self._copied):
            self._archive.append(checkpoint)
            self._copied = checkpoint.number
