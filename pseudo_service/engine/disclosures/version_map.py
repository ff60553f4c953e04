"""Which new pseudonym follows which old one, for the people who have the old one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.sorted_macs import sort_distinct
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.disclosures.disclosure import (
    DisclosureUse,
)
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.version_map import (
    KeyVersionPairs,
    PairsDigest,
    build_key_map_statement,
    check_versions,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.disclosures.released_people import (
    ReleasedPeople,
    open_writer,
    tell_missing,
)
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.register.opening import (
    MaintenanceGrant,
    OpenRegister,
    RegisterOpening,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.disclosures import DisclosureStore
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.projects import ProjectStore

CHUNK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersionMapEnd:
    """The signed statement over all pairs, and what the map could not look into."""

    statement: SignedStatement
    pairs: int
    unaccounted: Sequence[str]


class KeyVersionMap:
    """Opens the register for one project; pairs pseudonyms, answers no identifier."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        key_ring: KeyRing,
        opening: RegisterOpening,
        stored: DisclosureStore,
        memberships: DisclosureReader,
        unaccounted: UnaccountedOperations,
        signer: ReceiptSigner,
        journal: Journal,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._access_control = access_control
        self._projects = projects
        self._key_ring = key_ring
        self._opening = opening
        self._stored = stored
        self._memberships = memberships
        self._unaccounted = unaccounted
        self._signer = signer
        self._journal = journal
        self._clock = clock
        self._entropy = entropy

    def map(
        self,
        project_id: str,
        *,
        old_version: int,
        new_version: int,
        purpose: str,
        actor: Actor,
    ) -> Iterator[KeyVersionPairs | KeyVersionMapEnd]:
        """Yield the pairs of everyone released under the old version, then the end.

        Whoever reads no end has not got all.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown, ProjectNotActive,
            KeyUnknown, KeyVaultUnavailable, KeyVaultRefused
            InvalidArgument: These are not two versions of the project's key.
            RegisterCorrupt: A membership was edited, or does not open.
        """
        self._access_control.require_for_data(
            actor, Permission.MAP_KEY_VERSIONS, project=project_id, purpose=purpose
        )
        project = self._projects.get(project_id)
        project.check_active()
        newest = self._key_ring.newest(project_id, RootPurpose.PSEUDONYMS).version
        check_versions(old_version, new_version, newest)
        run = _Run(
            project=project,
            actor=actor,
            purpose=purpose,
            old=old_version,
            new=new_version,
            operation=f"key-map-{self._entropy.draw(8).hex()}",
        )
        self._record(AuditKind.KEY_MAP_INTENT, run, {"purpose": purpose})
        return self._answer(run)

    def _answer(self, run: "_Run") -> Iterator[KeyVersionPairs | KeyVersionMapEnd]:
        # First: a stream that ends while this reads is then named, and not missed.
        left = self._unaccounted.find(run.project.project_id)
        opened = self._opening.open(MaintenanceGrant(operation=run.operation))
        digest, unmet, faults = PairsDigest(), 0, 0
        for kind in self._find_kinds(run):
            released = self._gather_released(run, kind, opened)
            old, new = (
                open_writer(self._key_ring, run.project, kind, version)
                for version in (run.old, run.new)
            )
            scan = opened.scan(kind=kind)
            for page in scan:
                _, people = released.meet(page)
                for pairs in _cut(old.write(people), new.write(people)):
                    digest.add(pairs.old, pairs.new)
                    yield pairs
            unmet += released.unmet
            faults += len(scan.faults)
        unaccounted = [
            *tell_missing(unmet, faults),
            *(one.describe() for one in left),
        ]
        yield self._finish(run, digest, unaccounted)

    def _find_kinds(self, run: "_Run") -> Sequence[IdentifierKind]:
        kinds = {
            membership.kind
            for membership in self._stored.read(project=run.project.project_id)
            if membership.key_version == run.old
            and membership.use is DisclosureUse.PSEUDONYM
        }
        return [IdentifierKind.parse(kind) for kind in sorted(kinds)]

    def _gather_released(
        self, run: "_Run", kind: IdentifierKind, opened: OpenRegister
    ) -> ReleasedPeople:
        """Return everyone released under the old version."""
        read = self._memberships.read(
            opened,
            project=run.project.project_id,
            kind=kind.text,
            use=DisclosureUse.PSEUDONYM,
        )
        found = [
            members.prefixes
            for membership, members in read
            if membership.key_version == run.old
        ]
        return ReleasedPeople(sort_distinct(found))

    def _finish(
        self, run: "_Run", digest: PairsDigest, unaccounted: Sequence[str]
    ) -> KeyVersionMapEnd:
        # A certificate made while signing would begin after the statement's time.
        self._signer.prepare()
        statement = build_key_map_statement(
            project=run.project.project_id,
            old_version=run.old,
            new_version=run.new,
            digest=digest,
            unaccounted=unaccounted,
            actor=run.actor.subject,
            purpose=run.purpose,
            operation=run.operation,
            issued_at=self._clock.now(),
        )
        signed = self._signer.sign(statement)
        self._record(
            AuditKind.KEY_MAPPED,
            run,
            {
                "pairs": digest.pairs,
                "sha256": digest.hex(),
                "unaccounted": len(unaccounted),
            },
        )
        return KeyVersionMapEnd(
            statement=signed, pairs=digest.pairs, unaccounted=unaccounted
        )

    def _record(
        self, kind: AuditKind, run: "_Run", details: Mapping[str, Detail]
    ) -> None:
        versions = {"old_version": run.old, "new_version": run.new}
        self._journal.record(
            AuditEvent(
                kind=kind,
                at=self._clock.now(),
                actor=run.actor.subject,
                project=run.project.project_id,
                operation=run.operation,
                details={**versions, **details},
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    project: Project
    actor: Actor
    purpose: str
    old: int
    new: int
    operation: str


def _cut(old: pa.StringArray, new: pa.StringArray) -> Iterator[KeyVersionPairs]:
    """Yield pairs by old pseudonym: the register's order tells who came first."""
    order = pc.sort_indices(old)
    old, new = old.take(order), new.take(order)
    for start in range(0, len(old), CHUNK):
        yield KeyVersionPairs(
            old=old[start : start + CHUNK].to_pylist(),
            new=new[start : start + CHUNK].to_pylist(),
        )
