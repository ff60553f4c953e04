"""A query of the register about the people whom one project released.

The recall of opt-outs and the map of key versions both read the people on record,
match them to the register, and write their pseudonyms. Their intent is durable before
the register opens, and their outcome is on record before the last answer leaves.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.arrays import Prefixes
from pseudo_service.core.arrow.sorted_macs import sort_distinct
from pseudo_service.core.audit.events import AuditKind, Detail
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.projects.project import Project
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.disclosures.released_people import (
    PseudonymWriter,
    describe_unmatched,
    open_writer,
)
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.register.opening import (
    MaintenanceGrant,
    OpenRegister,
    RegisterOpening,
    RegisterScan,
)
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.projects import ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReaders:
    """What a query reads with.

    Attributes:
        opening: Opens the register for a grant.
        disclosures: Opens disclosures with the register's data keys.
        unaccounted: Finds the operations that left no record.
        key_ring: Holds the keys of pseudonyms.
    """

    opening: RegisterOpening
    disclosures: DisclosureReader
    unaccounted: UnaccountedOperations
    key_ring: KeyRing


class RegisterQueries:
    """Authorises queries and puts their intents on record."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        readers: RegisterReaders,
        recorder: AuditRecorder,
        entropy: Entropy,
    ) -> None:
        self._access_control = access_control
        self._projects = projects
        self._readers = readers
        self._recorder = recorder
        self._entropy = entropy

    def authorise(
        self, project: ProjectId, permission: Permission, *, purpose: str, actor: Actor
    ) -> Project:
        """Return the project if the actor may query it for this purpose.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown
        """
        self._access_control.require_for_data(
            actor, permission, project=project, purpose=purpose
        )
        return self._projects.get(project)

    def begin(
        self,
        project: Project,
        intent: AuditKind,
        *,
        name: str,
        actor: Actor,
        details: Mapping[str, Detail],
    ) -> "RegisterQuery":
        """Record the intent of a query and return the query.

        Args:
            project: As ``authorise`` returned it.
            intent: The kind of the intent's event.
            name: Begins the id of the operation.
            actor: Who asks.
            details: Of the intent.
        """
        query = RegisterQuery(
            project=project,
            actor=actor,
            operation=OperationId(f"{name}-{self._entropy.draw(8).hex()}"),
            readers=self._readers,
            recorder=self._recorder,
        )
        query.record(intent, details)
        return query


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterQuery:
    """One query whose intent is on record; made by ``RegisterQueries.begin``."""

    project: Project
    actor: Actor
    operation: OperationId
    readers: RegisterReaders = field(repr=False)
    recorder: AuditRecorder = field(repr=False)

    def record(self, kind: AuditKind, details: Mapping[str, Detail]) -> None:
        """Put an event of the query on record."""
        self.recorder.record(
            kind,
            actor=self.actor.subject,
            project=self.project.project_id,
            operation=self.operation,
            **details,
        )

    def open(self) -> "OpenQuery":
        """Find what is not on record, then open the register.

        Raises:
            KeyVaultUnavailable, KeyVaultRefused: The data keys do not open.
        """
        # First: a stream that ends while this reads is then named, and not missed.
        found = self.readers.unaccounted.find(self.project.project_id)
        opened = self.readers.opening.open(MaintenanceGrant(operation=self.operation))
        return OpenQuery(
            query=self,
            opened=opened,
            unaccounted=[each.describe() for each in found],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuery:
    """A query with the register open.

    ``unaccounted`` are lines on operations that left no record of their people.
    """

    query: RegisterQuery
    opened: OpenRegister
    unaccounted: Sequence[str]

    def list_kinds(self, key_version: KeyVersion) -> Sequence[IdentifierKind]:
        """Return the kinds of which pseudonyms were released under a key version."""
        kinds = self.query.readers.disclosures.list_kinds(
            project=self.query.project.project_id,
            use=DisclosureUse.PSEUDONYM,
            key_version=key_version,
        )
        return [IdentifierKind.parse(kind) for kind in kinds]

    def gather_released(
        self, kind: IdentifierKind, *, key_version: KeyVersion | None = None
    ) -> Mapping[KeyVersion, Prefixes]:
        """Return the people who got pseudonyms, sorted and distinct, by key version.

        Args:
            kind: Of their identifiers.
            key_version: This one only; None for all.

        Raises:
            RegisterCorrupt: A disclosure was edited, or does not open.
        """
        parts: dict[KeyVersion, list[Prefixes]] = defaultdict(list)
        for disclosure, people in self.query.readers.disclosures.read(
            self.opened,
            project=self.query.project.project_id,
            kind=kind.text,
            use=DisclosureUse.PSEUDONYM,
        ):
            if key_version in (None, disclosure.key_version):
                parts[disclosure.key_version].append(people.prefixes)
        return {version: sort_distinct(parts[version]) for version in sorted(parts)}

    def open_writer(
        self, kind: IdentifierKind, key_version: KeyVersion
    ) -> PseudonymWriter:
        """Return what writes the project's pseudonyms under a key version.

        Raises:
            KeyUnknown: The project has no such version.
            KeyVaultUnavailable, KeyVaultRefused: The key does not open.
        """
        return open_writer(
            self.query.readers.key_ring, self.query.project, kind, key_version
        )

    def scan(self, kind: IdentifierKind) -> RegisterScan:
        """Return a reader of everyone of a kind in the register."""
        return self.opened.scan(kind=kind)

    def list_unaccounted(self, *, unmatched: int, faults: int) -> list[str]:
        """Return a line for all that the query could not look into.

        Args:
            unmatched: How many released people the register did not show.
            faults: How many faults its scans had.
        """
        return [*describe_unmatched(unmatched, faults), *self.unaccounted]
