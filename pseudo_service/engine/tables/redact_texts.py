"""The unary call for free text: a few texts in, redacted texts or codes out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import BatchTooLarge, InvalidArgument
from pseudo_service.core.identifiers.kinds import (
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.policies.call_plans import (
    TEXT,
    TextCallShape,
    find_text_treatment,
    name_known,
    name_patients,
    plan_texts,
)
from pseudo_service.core.policies.plan import Plan
from pseudo_service.core.policies.policy import Policy
from pseudo_service.core.redaction import NOTHING_KNOWN, KnownIdentifiers, KnownKind
from pseudo_service.core.tables.batch_values import BatchOutcome
from pseudo_service.core.tables.identified_batch import identify_batch
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.projects.policy_registry import RegisteredPolicy
from pseudo_service.engine.tables.project_context import ProjectResolver
from pseudo_service.engine.tables.unary_calls import UnaryCalls, check_count
from pseudo_service.ports.text_redactor import TextRedactor

MOST_TEXTS = 1000
MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToRedact:
    """A text as a caller sends it; ``patient`` is empty where there is none."""

    text: str = field(repr=False)
    patient: str = field(repr=False, default="")
    patient_kind: str = ""
    known: KnownIdentifiers = field(repr=False, default_factory=lambda: NOTHING_KNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """A redacted text, or the code that says why there is none."""

    text: str | None = field(repr=False)
    withheld: str | None
    patient_refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsAnswer:
    """One result a text, in order, and what was found in them by label."""

    results: Sequence[TextResult]
    found: Mapping[str, int]
    key_version: KeyVersion


class RedactFreeText:
    """Redacts texts as a registered policy says of one of its columns."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        resolver: ProjectResolver,
        calls: UnaryCalls,
        redactor: TextRedactor,
        rules: IdentifierRules,
    ) -> None:
        self._access_control = access_control
        self._resolver = resolver
        self._calls = calls
        self._redactor = redactor
        self._rules = rules

    def redact(
        self,
        texts: Sequence[TextToRedact],
        *,
        project_id: str,
        policy: str,
        column: str,
        purpose: str,
        actor: Actor,
    ) -> TextsAnswer:
        """Return one result a text; its patient is on record before it leaves.

        Raises:
            InvalidArgument: No such text column, none or too many texts, a kind of
                number that the policy does not have for patients.
            BatchTooLarge: The texts have too many bytes.
            As ``DeidentifyTable.open`` and ``BatchCommit.wait`` do.
        """
        self._access_control.require_for_data(
            actor, Permission.DEIDENTIFY, project=project_id, purpose=purpose
        )
        check_count("texts", len(texts), MOST_TEXTS)
        _check_bytes(texts)
        project = self._resolver.find_active(project_id)
        registered = self._resolver.find_policy(project_id, policy)
        resolved = registered.policy
        find_text_treatment(resolved, column)
        kinds = _choose_kinds(texts, resolved)
        plan = plan_texts(_describe_shape(registered, column, texts, kinds))
        within = self._resolver.pin(project, plan.kinds)
        outcome = self._calls.answer(
            AuditKind.TEXTS_INTENT,
            identify_batch(
                plan,
                _build_batch(texts, kinds, plan),
                within.make_batch_context(self._rules, redact=self._redactor.redact),
            ),
            within=within,
            by=actor,
            purpose=purpose,
            policy=resolved.address,
            policy_digest=registered.digest.hex(),
            asked=len(texts),
        )
        rules = resolved.adapt_rules(self._rules)
        return TextsAnswer(
            results=_list_results(outcome, _find_refusals(outcome, kinds, rules)),
            found=outcome.found.get(TEXT, {}),
            key_version=within.key_version,
        )


def _check_bytes(texts: Sequence[TextToRedact]) -> None:
    size = sum(
        len(each.text.encode())
        + sum(len(v.encode()) for values in each.known.values() for v in values)
        for each in texts
    )
    if size > MOST_BYTES:
        msg = f"texts: more than {MOST_BYTES} bytes together; send fewer at a time"
        raise BatchTooLarge(msg)


def _describe_shape(
    registered: RegisteredPolicy,
    column: str,
    texts: Sequence[TextToRedact],
    kinds: Sequence[IdentifierKind | None],
) -> TextCallShape:
    """Return what the call's plan depends on, which the order of its texts is not."""
    known = {kind for each in texts for kind in each.known}
    return TextCallShape(
        policy=registered.policy,
        digest=registered.digest,
        column=column,
        kinds=tuple(
            kind for kind in _map_kinds(registered.policy).values() if kind in kinds
        ),
        known=tuple(kind for kind in KnownKind if kind in known),
    )


def _map_kinds(policy: Policy) -> dict[str, IdentifierKind]:
    """Return the kinds that a patient's number may have, by text, in their order."""
    sources = policy.patient.sources() if policy.patient else ()
    return {source.kind.text: source.kind for source in sources}


def _choose_kinds(
    texts: Iterable[TextToRedact], policy: Policy
) -> list[IdentifierKind | None]:
    """Return the kind of each text's patient; None where it names no patient."""
    kinds = _map_kinds(policy)
    return [_choose_kind(text, kinds) if text.patient else None for text in texts]


def _choose_kind(
    text: TextToRedact, kinds: Mapping[str, IdentifierKind]
) -> IdentifierKind:
    kind = kinds.get(text.patient_kind or next(iter(kinds), ""))
    if kind is None:
        listed = ", ".join(kinds) or "none"
        msg = f"patient_kind: give one that the policy has for patients: {listed}"
        raise InvalidArgument(msg)
    return kind


def _build_batch(
    texts: Sequence[TextToRedact], kinds: Sequence[IdentifierKind | None], plan: Plan
) -> pa.RecordBatch:
    """Return the texts with their patients and known identifiers, one a row."""
    columns: dict[str, Sequence[str | list[str] | None]] = {
        TEXT: [each.text for each in texts]
    }
    for kind in plan.kinds:
        columns[name_patients(kind)] = [
            each.patient if own == kind else None
            for each, own in zip(texts, kinds, strict=True)
        ]
    for known, _ in plan.texts[0].known:
        columns[name_known(known)] = [list(each.known.get(known, ())) for each in texts]
    schema = plan.input_schema
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.record_batch(arrays, schema)


def _find_refusals(
    outcome: BatchOutcome,
    kinds: Sequence[IdentifierKind | None],
    rules: IdentifierRules,
) -> list[str | None]:
    """Return what each patient's number turned out to be, where it is not accepted."""
    classes = {
        kind: outcome.cells[name_patients(kind)].list_by_row(outcome.rows_in)
        for kind in set(kinds)
        if kind is not None
    }
    refusals: list[str | None] = []
    for row, kind in enumerate(kinds):
        found = classes[kind][row] if kind is not None else None
        is_refused = (
            kind is not None
            and found is not None
            and not rules.accepts(IdentifierClass(found), kind)
        )
        refusals.append(found if is_refused else None)
    return refusals


def _list_results(
    outcome: BatchOutcome, refusals: Sequence[str | None]
) -> list[TextResult]:
    """Return one result a row, removed or not."""
    texts = iter(outcome.batch.column(TEXT).to_pylist())
    codes = outcome.cells[TEXT].list_by_row(outcome.rows_in)
    results = []
    for reason, code, refusal in zip(
        outcome.removals.list_reasons(), codes, refusals, strict=True
    ):
        if reason is not None:
            results.append(TextResult(text=None, withheld=reason.value))
            continue
        text = next(texts)
        withheld = None if text is not None else code
        results.append(
            TextResult(text=text, withheld=withheld, patient_refusal=refusal)
        )
    return results
