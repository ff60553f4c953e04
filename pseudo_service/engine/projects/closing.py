"""How a project is closed: request, agreement, cooling time and certificate."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.errors import KeyRowRefused, KeyUnknown, StateConflict
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.closing import (
    PURGE_TIME_UNKNOWN,
    agree_to_closing,
    begin_closing,
    build_closure_certificate,
    check_destruction,
    require_closing,
)
from pseudo_service.core.projects.project import (
    Closing,
    Project,
    ProjectState,
    check_project_id,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing, name_wrapping_key
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.projects.lifecycle import ProjectFacts
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.key_vault import DeletedKey, KeyVault
from pseudo_service.ports.projects import KeyRowStore, ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedProject:
    """A project without keys, and the certificate that says so."""

    project: Project
    certificate: SignedStatement


class ProjectClosing:
    """Closes projects; two custodians and a cooling time before anything is lost."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        rows: KeyRowStore,
        key_ring: KeyRing,
        vault: KeyVault,
        signer: ReceiptSigner,
        journal: Journal,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._projects = projects
        self._rows = rows
        self._key_ring = key_ring
        self._vault = vault
        self._signer = signer
        self._journal = journal
        self._clock = clock
        self._access_control = access_control

    def close(
        self, project_id: str, *, reason: str, cooling_days: int, actor: Actor
    ) -> ProjectFacts:
        """Stop the project's data calls and begin its cooling time.

        Raises:
            InvalidArgument: The reason or the cooling time cannot stand.
            StateConflict: It is closing already, or destroyed.
        """
        project = self._get_for_custodian(project_id, actor)
        note = parse_justification("reason", reason)
        closing = begin_closing(
            project,
            custodian=actor.subject,
            reason=note,
            cooling_days=cooling_days,
            now=self._clock.now(),
        )
        details: dict[str, Detail] = {
            "reason": note,
            "not_before": closing.not_before.isoformat(),
        }
        event = self._make_event(AuditKind.PROJECT_CLOSING, project_id, actor, details)
        self._projects.begin_closing(
            project_id, old=project.state, closing=closing, audit=event
        )
        return self._get_facts(project_id)

    def agree(self, project_id: str, *, actor: Actor) -> ProjectFacts:
        """Record that a second custodian agrees.

        Raises:
            ClosingRefused: It is the custodian who asked, or a third one.
        """
        project = self._get_for_custodian(project_id, actor)
        closing = agree_to_closing(
            project, custodian=actor.subject, now=self._clock.now()
        )
        details: dict[str, Detail] = {
            "requested_by": closing.requested_by,
            "not_before": closing.not_before.isoformat(),
        }
        event = self._make_event(
            AuditKind.PROJECT_CLOSING_AGREED, project_id, actor, details
        )
        self._projects.agree_to_closing(project_id, closing=closing, audit=event)
        return self._get_facts(project_id)

    def cancel(self, project_id: str, *, reason: str, actor: Actor) -> ProjectFacts:
        """Cancel the closing; the project is suspended, and can be resumed.

        Raises:
            StateConflict: It is not closing, or its vault key is deleted already.
        """
        project = self._get_for_custodian(project_id, actor)
        note = parse_justification("reason", reason)
        closing = require_closing(project)
        self._require_vault_key(project_id)
        event = self._make_event(
            AuditKind.PROJECT_CLOSING_CANCELLED, project_id, actor, {"reason": note}
        )
        self._projects.cancel_closing(project_id, closing=closing, audit=event)
        return self._get_facts(project_id)

    def destroy(self, project_id: str, *, actor: Actor) -> DestroyedProject:
        """Delete the project's keys for ever, and certify it.

        A call that was cut off is completed by the next one. Once the keys are gone,
        every call returns the same certificate.

        Raises:
            ClosingRefused: Nobody agreed, or the cooling time is not over.
            KeyVaultRefused, KeyVaultUnavailable: The vault key is not deleted yet.
        """
        project = self._get_for_custodian(project_id, actor)
        if project.state is ProjectState.DESTROYED:
            return self._get_destroyed(project)
        closing = check_destruction(project, self._clock.now())
        keys = self._list_keys(project_id)
        # A certificate made while signing would begin after the statement's time.
        self._signer.prepare()
        # 1. On record before anything is lost.
        name = name_wrapping_key(project_id)
        self._journal.record(
            self._make_event(
                AuditKind.PROJECT_DESTROY_INTENT, project_id, actor, {"vault_key": name}
            )
        )
        # 2. Without the vault's key the rows are noise, in every backup as well.
        deleted = self._delete_vault_key(name)
        # 3. The rows go, and their certificate comes, in one transaction.
        signed = self._certify(project, closing, keys, deleted, actor)
        self._store(project_id, signed, deleted, actor, count=len(keys))
        self._key_ring.forget(project_id)
        return self._get_destroyed(self._projects.get(project_id))

    def _get_for_custodian(self, project_id: str, actor: Actor) -> Project:
        self._access_control.require(actor, Permission.CLOSE_PROJECTS)
        check_project_id(project_id)  # an id that is none may be anything, a number too
        return self._projects.get(project_id)

    def _list_keys(self, project_id: str) -> Sequence[KeyRow]:
        """Return all rows; refuse those that this vault's key does not wrap.

        Were the process connected to another vault, that one would know no such
        key, and the certificate would state what did not happen.
        """
        purposes = (RootPurpose.PSEUDONYMS, RootPurpose.STABLE)
        keys = [row for p in purposes for row in self._rows.versions(project_id, p)]
        for row in keys:
            name = self._vault.key_name(row.wrapping_key_id)
            if name != name_wrapping_key(project_id):
                msg = (
                    f"key row {row.owner}/{row.purpose}/{row.version} is wrapped by a "
                    "foreign key: nothing was destroyed; tell the security officer"
                )
                raise KeyRowRefused(msg)
        return keys

    def _delete_vault_key(self, name: str) -> DeletedKey:
        try:
            return self._vault.delete_key(name)
        except KeyUnknown:  # purged already, after a call that was cut off
            return DeletedKey(name=name, purged_at=None)

    def _certify(
        self,
        project: Project,
        closing: Closing,
        keys: Sequence[KeyRow],
        deleted: DeletedKey,
        actor: Actor,
    ) -> SignedStatement:
        statement = build_closure_certificate(
            project,
            closing=closing,
            keys=keys,
            vault_key=deleted.name,
            purged_at=deleted.purged_at,
            destroyed_by=actor.subject,
            issued_at=self._clock.now(),
        )
        return self._signer.sign(statement)

    def _store(
        self,
        project_id: str,
        signed: SignedStatement,
        deleted: DeletedKey,
        actor: Actor,
        *,
        count: int,
    ) -> None:
        purged_at = deleted.purged_at
        details: dict[str, Detail] = {
            "vault_key": deleted.name,
            "purged_at": purged_at.isoformat() if purged_at else PURGE_TIME_UNKNOWN,
            "key_rows": count,
            "certificate": hashlib.sha256(signed.statement).hexdigest(),
        }
        event = self._make_event(
            AuditKind.PROJECT_DESTROYED, project_id, actor, details
        )
        try:
            self._projects.destroy(project_id, certificate=signed, audit=event)
        except StateConflict:
            # Two destroyed it at once: the first one's certificate is the certificate.
            if self._projects.get(project_id).state is not ProjectState.DESTROYED:
                raise

    def _get_destroyed(self, project: Project) -> DestroyedProject:
        certificate = self._projects.find_certificate(project.project_id)
        if certificate is None:
            msg = (
                f"project {project.project_id} is destroyed and its certificate is "
                "gone from the database: restore it from a backup"
            )
            raise StateConflict(msg)
        return DestroyedProject(project=project, certificate=certificate)

    def _require_vault_key(self, project_id: str) -> None:
        name = name_wrapping_key(project_id)
        try:
            self._vault.current_key(name)
        except KeyUnknown:
            msg = (
                f"project {project_id}: its vault key {name} is deleted, so its "
                "destruction has begun: recover the key in the vault and try again, "
                "or finish with `pseudo project destroy`"
            )
            raise StateConflict(msg) from None

    def _get_facts(self, project_id: str) -> ProjectFacts:
        return ProjectFacts(
            project=self._projects.get(project_id),
            keys=self._rows.versions(project_id, RootPurpose.PSEUDONYMS),
        )

    def _make_event(
        self, kind: AuditKind, project_id: str, actor: Actor, details: dict[str, Detail]
    ) -> AuditEvent:
        return AuditEvent(
            kind=kind,
            at=self._clock.now(),
            actor=actor.subject,
            project=project_id,
            details=details,
        )
