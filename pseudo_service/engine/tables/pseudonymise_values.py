"""The unary calls: a few identifiers in, pseudonyms or refusals out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.disclosures.unrecorded import MEMBERSHIP, Recording
from pseudo_service.core.errors import InvalidArgument, PseudonymRefused
from pseudo_service.core.identifiers.canonical import canonicalise_one
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import PinnedSupersededNumbers
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.disclosures.writer import Released
from pseudo_service.engine.keys.project_keys import ProjectKeys
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.projects import KeyRowStore, ProjectStore

MOST_IDENTIFIERS = 1000
MOST_PSEUDONYMS = 10_000
OPTED_OUT = "OPTED_OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueResult:
    """A pseudonym, or the class of what was not accepted."""

    pseudonym: str | None
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesAnswer:
    """One result an identifier, in order."""

    results: Sequence[ValueResult]
    key_version: int


class PseudonymOutcome(StrEnum):
    """What a check of one pseudonym finds."""

    OK = "OK"
    FORM = "FORM"
    PROJECT_TAG = "PROJECT_TAG"
    KEY_VERSION = "KEY_VERSION"


class DeidentifyValues:
    """Pseudonymises single identifiers, and checks pseudonyms."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        rows: KeyRowStore,
        keys: ProjectKeys,
        opt_outs: OptOutLists,
        ledger: BatchCommit,
        clock: Clock,
        rules: IdentifierRules,
        watch: EnumerationMonitor,
        aliases: SupersededLists,
    ) -> None:
        self._access_control = access_control
        self._projects = projects
        self._rows = rows
        self._keys = keys
        self._opt_outs = opt_outs
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self._watch = watch
        self._aliases = aliases

    def pseudonymise(
        self,
        identifiers: Sequence[str],
        *,
        kind: str,
        project_id: str,
        purpose: str,
        actor: Actor,
    ) -> ValuesAnswer:
        """Return one result an identifier; each is registered before it leaves.

        Raises:
            InvalidArgument: None or more than 1,000 identifiers.
            As ``DeidentifyTable.open`` and ``BatchCommit.settle`` do.
        """
        self._access_control.require_for_data(
            actor, Permission.PSEUDONYMISE, project=project_id, purpose=purpose
        )
        check_count("identifiers", len(identifiers), MOST_IDENTIFIERS)
        parsed = IdentifierKind.parse(kind)
        project = self._projects.get(project_id)
        project.check_active()
        roots = self._keys.pin(project)
        keys = self._keys.derive(project, roots, [parsed])[parsed.text]
        refusals, canonical = self._canonicalise(identifiers, parsed, project)
        distinct = sorted({text for text in canonical if text is not None})
        blind = [keys.blind.mac_one(text) for text in distinct]
        event = AuditEvent(
            kind=AuditKind.VALUES_INTENT,
            at=self._clock.now(),
            actor=actor.subject,
            project=project_id,
            details={
                "purpose": purpose,
                "kind": parsed.text,
                "asked": len(identifiers),
                "identities": len(distinct),
                "key_version": roots.pseudonyms.version,
                MEMBERSHIP: Recording.NOW,
            },
        )
        identities = [
            Identities(
                kind=parsed,
                canonical=pa.array(distinct, pa.string()),
                blind=np.frombuffer(b"".join(blind), np.uint8).reshape(-1, 16),
            )
        ]
        self._watch.check_call(identities, actor=actor, project=project_id)
        entry = self._ledger.begin(
            event,
            identities,
            limit=project.daily_quota,
            released=Released(
                project=project.project_id, key_version=roots.pseudonyms.version
            ),
        )
        pseudonyms = {
            text: keys.form.encode_one(keys.pseudonym.mac_one(text))
            for text in distinct
        }
        self._ledger.settle(entry)
        self._watch.record_new(
            asked=len(distinct), new=entry.new, actor=actor, project=project_id
        )
        return ValuesAnswer(
            results=[
                ValueResult(
                    pseudonym=pseudonyms[text] if text is not None else None,
                    refusal=refusal,
                )
                for text, refusal in zip(canonical, refusals, strict=True)
            ],
            key_version=roots.pseudonyms.version,
        )

    def check(
        self, pseudonyms: Sequence[str], *, project_id: str, actor: Actor
    ) -> Sequence[tuple[PseudonymOutcome, int]]:
        """Return, for each text, what is wrong with it and its key version.

        It tells the right form, tag, version and check symbol; whether anybody has
        such a pseudonym is not told.
        """
        self._access_control.require(actor, Permission.CHECK_PSEUDONYMS, project_id)
        check_count("pseudonyms", len(pseudonyms), MOST_PSEUDONYMS)
        project = self._projects.get(project_id)
        rows = self._rows.versions(project_id, RootPurpose.PSEUDONYMS)
        versions = {row.version for row in rows}
        return [_check_one(text, project, versions) for text in pseudonyms]

    def _canonicalise(
        self, identifiers: Sequence[str], kind: IdentifierKind, project: Project
    ) -> tuple[list[str | None], list[str | None]]:
        refusals: list[str | None] = []
        canonical: list[str | None] = []
        for identifier in identifiers:
            text, found = canonicalise_one(identifier, kind, self._rules)
            canonical.append(text)
            refusals.append(None if text is not None else found.value)
        pinned = self._aliases.current()
        aliases = pinned.for_project(follows_merges=project.follows_merges)
        removed = self._find_opted_out(canonical, kind, project, pinned)
        for position, leaves in enumerate(removed):
            given = canonical[position]
            if given is None:
                continue
            if leaves:
                canonical[position], refusals[position] = None, OPTED_OUT
            else:
                canonical[position], refusals[position] = aliases.resolve_one(
                    given, kind
                )
        return refusals, canonical

    def _find_opted_out(
        self,
        canonical: Sequence[str | None],
        kind: IdentifierKind,
        project: Project,
        aliases: PinnedSupersededNumbers,
    ) -> list[bool]:
        found = self._opt_outs.check_for(project, aliases)
        if found is None:
            return [False] * len(canonical)
        check = found[0]
        if kind != NHS_NUMBER:  # only NHS numbers can be checked against the list
            return [check.removes_uncheckable] * len(canonical)
        present = [text for text in canonical if text is not None]
        opted_out = iter(check.find_opted_out(pa.array(present, pa.string())).tolist())
        return [text is not None and next(opted_out) for text in canonical]


def check_count(field: str, count: int, most: int) -> None:
    """Raise unless 1 to ``most`` items were sent."""
    if not 1 <= count <= most:
        msg = f"{field}: send 1 to {most} at a time, not {count}"
        raise InvalidArgument(msg)


def _check_one(
    text: str, project: Project, versions: set[KeyVersion]
) -> tuple[PseudonymOutcome, int]:
    try:
        pseudonym = parse_pseudonym(text)
    except PseudonymRefused:
        return PseudonymOutcome.FORM, 0
    if pseudonym.tag != project.tag:
        return PseudonymOutcome.PROJECT_TAG, pseudonym.version
    if pseudonym.version not in versions:
        return PseudonymOutcome.KEY_VERSION, pseudonym.version
    return PseudonymOutcome.OK, pseudonym.version
