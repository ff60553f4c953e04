"""Who ever re-identified, translated or located one person: asked by keyed code.

The trail names nobody. Every release leaves the keyed codes of whom it found; from an
identifier the same code is computed, and the events that list it are the answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pseudo_service.core.access.roles import Actor, Permission, check_purpose
from pseudo_service.core.audit.events import BETWEEN, AuditEvent, AuditKind
from pseudo_service.core.audit.reading import LINKAGE_MARK
from pseudo_service.core.errors import IdentifierRefused
from pseudo_service.core.identifiers.canonical import canonicalise_one
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import PinnedSupersededNumbers
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.linkage.history import RequestTimeline, build_timelines
from pseudo_service.core.linkage.request import LinkageVerb
from pseudo_service.core.linkage.sealed_events import LinkageRecords
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.ports.audit_log import AuditLog
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRelease:
    """A release that found the person, or that was a search for them."""

    request_id: str
    verb: LinkageVerb
    project: str
    target_project: str
    released_at: datetime
    redeemer: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReleases:
    """What is on record of one person.

    ``open_requests`` began a release whose outcome nobody recorded, so that they may
    have concerned anybody on their lists.
    """

    releases: Sequence[SubjectRelease]
    open_requests: Sequence[str]


class SubjectTrace:
    """Answers a person's, a guardian's or an auditor's question; each is on record."""

    def __init__(
        self,
        *,
        log: AuditLog,
        journal: Journal,
        clock: Clock,
        access_control: AccessControl,
        service_root: Root,
        rules: IdentifierRules,
        read_aliases: Callable[[], PinnedSupersededNumbers],
    ) -> None:
        self._log = log
        self._journal = journal
        self._clock = clock
        self._access_control = access_control
        self._root = service_root
        self._rules = rules
        self._read_aliases = read_aliases
        self._records = LinkageRecords(service_root.derive(KeyUse.LINKAGE_RECORD))

    def trace(
        self,
        identifier: str,
        *,
        kind: str,
        project: str,
        purpose: str,
        actor: Actor,
    ) -> SubjectReleases:
        """Return the releases that found the person, the earliest first.

        A person whose records were merged is looked for under every number they had.

        Args:
            identifier: As a record writes it; canonicalised here, kept nowhere.
            kind: Its kind, such as ``nhs_number``.
            project: Only requests of, or into, this project; all if empty, which only
                an auditor may ask.
            purpose: What the answer is for.
            actor: Who asks.

        Raises:
            AccessDenied: No guardian of the project and no auditor asks.
            PurposeMissing: The purpose is not stated.
            IdentifierRefused: The identifier is none of its kind.
            GrantRefused: A linkage event of the trail is not of this service.
        """
        self._access_control.require(actor, Permission.TRACE_SUBJECT, project or None)
        check_purpose(purpose)
        code, *others = self._compute_codes(identifier, kind)
        self._journal.record(
            AuditEvent(
                kind=AuditKind.SUBJECT_TRACED,
                at=self._clock.now(),
                actor=actor.subject,
                project=project or None,
                details={
                    "purpose": purpose,
                    "kind": kind,
                    "subject_code": code,
                    "other_numbers": len(others),
                },
            )
        )
        events = list(self._read_sealed())
        visible = {
            request_id: story
            for request_id, story in build_timelines(events).items()
            if not project or project in story.request.projects
        }
        codes = frozenset({code, *others})
        found = {event.operation for event in events if _concerns(event, codes)}
        return SubjectReleases(
            releases=_list_releases(visible, found),
            open_requests=[name for name, story in visible.items() if story.is_open],
        )

    def _compute_codes(self, identifier: str, kind: str) -> list[str]:
        """Return the code of the number, then those of the person's other numbers."""
        parsed = IdentifierKind.parse(kind)
        canonical, refusal = canonicalise_one(identifier, parsed, self._rules)
        if canonical is None:
            msg = f"identifier: not accepted as {parsed.text} ({refusal})"
            raise IdentifierRefused(msg)
        numbers = [canonical]
        if parsed == NHS_NUMBER:
            numbers += self._read_aliases().table.list_others(canonical)
        key = self._root.derive(KeyUse.SUBJECT_CODE, parsed.text)
        hashing = KeyedHash(key, parsed)
        return [hashing.mac_one(number).hex() for number in numbers]

    def _read_sealed(self) -> Iterator[AuditEvent]:
        for chain in self._log.chains():
            for recorded in self._log.read(chain):
                if LINKAGE_MARK in recorded.body:
                    record = self._records.read(recorded.body)
                    if record is not None:
                        yield record.event


def _concerns(event: AuditEvent, codes: frozenset[str]) -> bool:
    """Tell whether a release found the person, or a search was for them."""
    if event.kind is AuditKind.LINKAGE_SUBMITTED:
        return event.details.get("subject_code") in codes
    is_list = event.kind is AuditKind.LINKAGE_SUBJECTS
    return is_list and not codes.isdisjoint(str(event.details["codes"]).split(BETWEEN))


def _list_releases(
    stories: Mapping[str, RequestTimeline], found: set[str | None]
) -> list[SubjectRelease]:
    released = [
        SubjectRelease(
            request_id=request_id,
            verb=story.request.verb,
            project=story.request.project,
            target_project=story.request.target_project,
            released_at=story.released_at,
            redeemer=story.request.redeemer,
            purpose=story.request.purpose,
        )
        for request_id, story in stories.items()
        if request_id in found and story.released_at is not None
    ]
    return sorted(released, key=lambda one: one.released_at)
