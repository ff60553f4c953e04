"""Pairs old pseudonyms with the new ones of the same people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.sorted_macs import sort_distinct
from pseudo_service.core.audit.events import AuditKind, Detail
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.pseudonyms.version_map import (
    KeyVersionPairs,
    PairsDigest,
    build_key_map_statement,
    check_versions,
)
from pseudo_service.engine.disclosures.register_query import (
    RegisterQueries,
    RegisterQuery,
)
from pseudo_service.engine.disclosures.released_people import ReleasedPeople
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.ports.clock import Clock

CHUNK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersionMapEnd:
    """The signed statement over all pairs; ``unaccounted`` is what was not looked into."""

    statement: SignedStatement
    pairs: int
    unaccounted: Sequence[str]


class KeyVersionMap:
    """Opens the register for one project; pairs pseudonyms, answers no identifier."""

    def __init__(
        self,
        *,
        queries: RegisterQueries,
        key_ring: KeyRing,
        signer: ReceiptSigner,
        clock: Clock,
    ) -> None:
        self._queries = queries
        self._key_ring = key_ring
        self._signer = signer
        self._clock = clock

    def map(
        self,
        project_id: ProjectId,
        *,
        old_version: KeyVersion,
        new_version: KeyVersion,
        purpose: str,
        actor: Actor,
    ) -> Iterator[KeyVersionPairs | KeyVersionMapEnd]:
        """Yield the pairs of everyone released under the old version, then the end.

        A reader that gets no end has not got everything.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown, ProjectNotActive,
            KeyUnknown, KeyVaultUnavailable, KeyVaultRefused
            InvalidArgument: These are not two versions of the project's key.
            RegisterCorrupt: A disclosure was edited, or does not open.
        """
        project = self._queries.authorise(
            project_id, Permission.MAP_KEY_VERSIONS, purpose=purpose, actor=actor
        )
        project.check_active()
        newest = self._key_ring.newest(project_id, RootPurpose.PSEUDONYMS).version
        check_versions(old_version, new_version, newest)
        versions = _Versions(old=old_version, new=new_version)
        query = self._queries.begin(
            project,
            AuditKind.KEY_MAP_INTENT,
            name="key-map",
            actor=actor,
            details={**versions.describe(), "purpose": purpose},
        )
        return self._answer(query, versions, purpose)

    def _answer(
        self, query: RegisterQuery, versions: "_Versions", purpose: str
    ) -> Iterator[KeyVersionPairs | KeyVersionMapEnd]:
        opened = query.open()
        digest, unmatched, faults = PairsDigest(), 0, 0
        for kind in opened.list_kinds(versions.old):
            found = opened.gather_released(kind, key_version=versions.old)
            released = ReleasedPeople(sort_distinct(found.values()))
            old, new = (
                opened.open_writer(kind, version)
                for version in (versions.old, versions.new)
            )
            scan = opened.scan(kind)
            for page in scan:
                _, people = released.match(page)
                for pairs in _cut(old.write(people), new.write(people)):
                    digest.add(pairs.old, pairs.new)
                    yield pairs
            unmatched += released.unmatched
            faults += len(scan.faults)
        unaccounted = opened.list_unaccounted(unmatched=unmatched, faults=faults)
        signed = self._sign(query, versions, purpose, digest, unaccounted)
        query.record(
            AuditKind.KEY_MAPPED,
            {
                **versions.describe(),
                "pairs": digest.pairs,
                "sha256": digest.hex(),
                "unaccounted": len(unaccounted),
            },
        )
        yield KeyVersionMapEnd(
            statement=signed, pairs=digest.pairs, unaccounted=unaccounted
        )

    def _sign(
        self,
        query: RegisterQuery,
        versions: "_Versions",
        purpose: str,
        digest: PairsDigest,
        unaccounted: Sequence[str],
    ) -> SignedStatement:
        # A certificate made while signing would begin after the statement's time.
        self._signer.prepare()
        statement = build_key_map_statement(
            project=query.project.project_id,
            old_version=versions.old,
            new_version=versions.new,
            digest=digest,
            unaccounted=unaccounted,
            actor=query.actor.subject,
            purpose=purpose,
            operation=query.operation,
            issued_at=self._clock.now(),
        )
        return self._signer.sign(statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Versions:
    old: KeyVersion
    new: KeyVersion

    def describe(self) -> dict[str, Detail]:
        return {"old_version": self.old, "new_version": self.new}


def _cut(old: pa.StringArray, new: pa.StringArray) -> Iterator[KeyVersionPairs]:
    """Yield pairs by old pseudonym: the register's order would show who came first."""
    order = pc.sort_indices(old)
    old, new = old.take(order), new.take(order)
    for start in range(0, len(old), CHUNK):
        yield KeyVersionPairs(
            old=old[start : start + CHUNK].to_pylist(),
            new=new[start : start + CHUNK].to_pylist(),
        )
