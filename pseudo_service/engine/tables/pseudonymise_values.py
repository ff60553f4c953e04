"""The unary calls: a few identifiers in, pseudonyms or refusals out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import PseudonymRefused
from pseudo_service.core.identifiers.kinds import (
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.policies.call_plans import IDENTIFIER, plan_identifiers
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym
from pseudo_service.core.tables.batch_values import BatchOutcome
from pseudo_service.core.tables.identified_batch import identify_batch
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.tables.project_context import ProjectResolver
from pseudo_service.engine.tables.unary_calls import UnaryCalls, check_count
from pseudo_service.ports.projects import KeyRowStore, ProjectStore

MOST_IDENTIFIERS = 1000
MOST_PSEUDONYMS = 10_000
OPTED_OUT: Final = "OPTED_OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueResult:
    """A pseudonym, or the class of what was not accepted."""

    pseudonym: str | None = field(repr=False)
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesAnswer:
    """One result an identifier, in order."""

    results: Sequence[ValueResult]
    key_version: KeyVersion


class PseudonymOutcome(StrEnum):
    """What a check of one pseudonym finds."""

    OK = "OK"
    FORM = "FORM"
    PROJECT_TAG = "PROJECT_TAG"
    KEY_VERSION = "KEY_VERSION"


class PseudonymiseValues:
    """Pseudonymises single identifiers."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        resolver: ProjectResolver,
        calls: UnaryCalls,
        rules: IdentifierRules,
    ) -> None:
        self._access_control = access_control
        self._resolver = resolver
        self._calls = calls
        self._rules = rules

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
            As ``DeidentifyTable.open`` and ``BatchCommit.wait`` do.
        """
        self._access_control.require_for_data(
            actor, Permission.PSEUDONYMISE, project=project_id, purpose=purpose
        )
        check_count("identifiers", len(identifiers), MOST_IDENTIFIERS)
        parsed = IdentifierKind.parse(kind)
        project = self._resolver.find_active(project_id)
        plan = plan_identifiers(parsed)
        within = self._resolver.pin(project, plan.kinds)
        batch = identify_batch(
            plan,
            pa.record_batch([pa.array(identifiers, pa.string())], plan.input_schema),
            within.make_batch_context(self._rules),
        )
        outcome = self._calls.answer(
            AuditKind.VALUES_INTENT,
            batch,
            within=within,
            by=actor,
            purpose=purpose,
            kind=parsed.text,
            asked=len(identifiers),
            identities=sum(len(one.canonical) for one in batch.identities),
        )
        return ValuesAnswer(
            results=self._list_results(outcome, parsed), key_version=within.key_version
        )

    def _list_results(
        self, outcome: BatchOutcome, kind: IdentifierKind
    ) -> list[ValueResult]:
        """Return one result a row, removed or not."""
        pseudonyms = iter(outcome.batch.column(IDENTIFIER).to_pylist())
        reasons = outcome.removals.list_reasons()
        classes = outcome.cells[IDENTIFIER].list_by_row(outcome.rows_in)
        results = []
        for reason, found in zip(reasons, classes, strict=True):
            pseudonym = next(pseudonyms) if reason is None else None
            refusal = None if pseudonym is not None else self._find_refusal(found, kind)
            results.append(ValueResult(pseudonym=pseudonym, refusal=refusal))
        return results

    def _find_refusal(self, found: str | None, kind: IdentifierKind) -> str:
        """Return why a row has no pseudonym: what was not accepted, or the opt-out.

        The identifiers of the opted-out have no class. An accepted one whose row is
        removed is of a kind that cannot be checked for an opt-out.
        """
        is_accepted = found is None or self._rules.accepts(IdentifierClass(found), kind)
        return OPTED_OUT if found is None or is_accepted else found


class CheckPseudonyms:
    """Tells what is wrong with a pseudonym, and nothing of whose it is."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        rows: KeyRowStore,
    ) -> None:
        self._access_control = access_control
        self._projects = projects
        self._rows = rows

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
