"""Where one person was released: which projects, under which key versions, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pseudo_service.core.arrow.arrays import MAC_BYTES
from pseudo_service.core.arrow.sorted_macs import read_prefixes
from pseudo_service.core.disclosures.disclosure import (
    NO_OPERATION,
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.disclosures.location import ProjectLocation
from pseudo_service.core.disclosures.unrecorded import Unaccounted
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.register.opening import RegisterGrant, RegisterOpening


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedSubject:
    """Where a person was released, and the operations that left no record."""

    rows: Sequence[ProjectLocation]
    unaccounted: Sequence[Unaccounted]


class SubjectLocation:
    """Looks for one person in the disclosures of all projects.

    It needs the data keys only; no identity of the register is opened.
    """

    def __init__(
        self,
        *,
        opening: RegisterOpening,
        disclosures: DisclosureReader,
        unaccounted: UnaccountedOperations,
    ) -> None:
        self._opening = opening
        self._disclosures = disclosures
        self._unaccounted = unaccounted

    def locate(
        self, grant: RegisterGrant, *, subjects: Sequence[str]
    ) -> LocatedSubject:
        """Return where a person was released, by project, use and key version.

        Args:
            grant: Spent by this.
            subjects: ``<kind>:<blind index, 32 hexadecimal digits>``, all of one kind:
                one for each number that the person has had.

        Raises:
            InvalidArgument: A subject is something else.
            GrantSpent: The grant was used before.
            RegisterCorrupt: A disclosure was edited, or does not open.
            KeyVaultUnavailable, KeyVaultRefused: The data keys do not open.
        """
        parsed = [parse_subject(subject) for subject in subjects]
        (kind,) = {kind for kind, _ in parsed}
        joined = b"".join(blind for _, blind in parsed)
        wanted = read_prefixes(np.frombuffer(joined, np.uint8).reshape(-1, MAC_BYTES))
        # First: a stream that ends while this reads is then named, and not missed.
        unaccounted = self._unaccounted.find(None)
        opened = self._opening.open(grant)
        found: dict[tuple[ProjectId, DisclosureUse, KeyVersion], _Found] = {}
        for disclosure, members in self._disclosures.read(
            opened, project=None, kind=kind.text
        ):
            is_member, places = members.find(wanted)
            place = (disclosure.project, disclosure.use, disclosure.key_version)
            for at in places[is_member].tolist():
                found.setdefault(place, _Found()).add(disclosure, members, at)
        return LocatedSubject(
            rows=[
                each.describe(project, use, version)
                for (project, use, version), each in sorted(found.items())
            ],
            unaccounted=unaccounted,
        )


def parse_subject(subject: str) -> tuple[IdentifierKind, bytes]:
    """Return the kind and the blind index of a subject.

    Raises:
        InvalidArgument: It is not ``<kind>:<32 hexadecimal digits>``.
    """
    kind, _, digits = subject.rpartition(":")
    try:
        blind = bytes.fromhex(digits)
    except ValueError:
        blind = b""
    if len(blind) != MAC_BYTES or digits != blind.hex():
        msg = "subject: not a kind, a colon and a blind index of 32 hexadecimal digits"
        raise InvalidArgument(msg)
    return IdentifierKind.parse(kind), blind


class _Found:
    """The disclosures that name one person, added up."""

    def __init__(self) -> None:
        self._named: set[OperationId] = set()
        self._calls = 0
        self._first = self._last = -1

    def add(self, disclosure: Disclosure, members: DisclosedPeople, at: int) -> None:
        if disclosure.operation == NO_OPERATION:
            self._calls += int(members.operations[at])
        else:
            self._named.add(disclosure.operation)
        first, last = int(members.first[at]), int(members.last[at])
        self._first = first if self._first < 0 else min(first, self._first)
        self._last = max(last, self._last)

    def describe(
        self, project: ProjectId, use: DisclosureUse, key_version: KeyVersion
    ) -> ProjectLocation:
        return ProjectLocation(
            project=project,
            use=use,
            key_version=key_version,
            operations=len(self._named) + self._calls,
            first=datetime.fromtimestamp(self._first, UTC),
            last=datetime.fromtimestamp(self._last, UTC),
        )
