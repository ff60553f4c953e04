"""The unary call for free text: a few texts in, redacted texts or codes out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.disclosures.unrecorded import MEMBERSHIP, Recording
from pseudo_service.core.errors import BatchTooLarge, InvalidArgument
from pseudo_service.core.identifiers.canonical import canonicalise_one
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    ProjectSupersededNumbers,
)
from pseudo_service.core.policies.policy import Policy
from pseudo_service.core.policies.treatments import Pseudonymise, RedactText
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.kind_keys import KindKeys
from pseudo_service.core.redaction import (
    NOTHING_KNOWN,
    KnownIdentifiers,
    KnownKind,
    TextAnswer,
    TextCode,
    TextRow,
    redact_fail_closed,
)
from pseudo_service.core.tables.row_removal import RemovalReason
from pseudo_service.core.tables.text_cells import make_surrogate_key, merge_known
from pseudo_service.core.transforms.date_shift import choose_offsets
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.disclosures.writer import Released
from pseudo_service.engine.keys.project_keys import ProjectKeys
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.engine.tables.deidentify_table import choose_rules
from pseudo_service.engine.tables.pseudonymise_values import check_count
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.projects import ProjectStore
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
    key_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    """Whose a text is: nobody's, where ``canonical`` is None.

    ``former`` are numbers that ``canonical`` superseded: a text may have them still.
    """

    kind: IdentifierKind | None = None
    canonical: str | None = field(repr=False, default=None)
    former: tuple[str, ...] = field(repr=False, default=())
    refusal: str | None = None
    removed: RemovalReason | None = None


class RedactFreeText:
    """Redacts texts as a registered policy says of one of its columns."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        policies: PolicyRegistry,
        keys: ProjectKeys,
        opt_outs: OptOutLists,
        ledger: BatchCommit,
        redactor: TextRedactor,
        clock: Clock,
        rules: IdentifierRules,
        watch: EnumerationMonitor,
        aliases: SupersededLists,
    ) -> None:
        self._access_control = access_control
        self._projects = projects
        self._policies = policies
        self._keys = keys
        self._opt_outs = opt_outs
        self._ledger = ledger
        self._redactor = redactor
        self._clock = clock
        self._rules = rules
        self._watch = watch
        self._aliases = aliases

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
            As ``DeidentifyTable.open`` and ``BatchCommit.settle`` do.
        """
        self._access_control.require_for_data(
            actor, Permission.DEIDENTIFY, project=project_id, purpose=purpose
        )
        check_count("texts", len(texts), MOST_TEXTS)
        _check_bytes(texts)
        project = self._projects.get(project_id)
        project.check_active()
        resolved = self._policies.resolve(project_id, policy)
        treatment = _find_treatment(resolved, column)
        patients = self._read_patients(texts, resolved, project)
        roots = self._keys.pin(project)
        kinds = {each.kind for each in patients if each.kind and each.canonical}
        keys = self._keys.derive(project, roots, kinds)
        event = AuditEvent(
            kind=AuditKind.TEXTS_INTENT,
            at=self._clock.now(),
            actor=actor.subject,
            project=project_id,
            details={
                "purpose": purpose,
                "policy": resolved.address,
                "policy_digest": resolved.digest.hex(),
                "asked": len(texts),
                "key_version": roots.pseudonyms.version,
                MEMBERSHIP: Recording.NOW,
            },
        )
        named, dated = _collect_identities(resolved, patients, keys)
        self._watch.check_call([*named, *dated], actor=actor, project=project_id)
        entry = self._ledger.begin(
            event,
            named,
            limit=project.daily_quota,
            dated=dated,
            released=Released(
                project=project.project_id, key_version=roots.pseudonyms.version
            ),
        )
        rows = [
            _make_row(text, patient, resolved, project, keys)
            for text, patient in zip(texts, patients, strict=True)
            if patient.removed is None
        ]
        answers = redact_fail_closed(self._redactor.redact, rows, treatment.style)
        self._ledger.settle(entry)
        self._watch.record_new(
            asked=sum(len(one.canonical) for one in named),
            new=entry.new,
            actor=actor,
            project=project_id,
        )
        return _answer(patients, answers, roots.pseudonyms.version)

    def _read_patients(
        self, texts: Sequence[TextToRedact], policy: Policy, project: Project
    ) -> list[_Patient]:
        sources = policy.patient.sources() if policy.patient else ()
        kinds = {source.kind.text: source.kind for source in sources}
        rules = choose_rules(policy, self._rules)
        pinned = self._aliases.current()
        aliases = pinned.for_project(follows_merges=project.follows_merges)
        patients = [_read_patient(text, kinds, rules) for text in texts]
        marked = self._mark_opted_out(patients, project, pinned)
        return [_follow(one, aliases) for one in marked]

    def _mark_opted_out(
        self,
        patients: Sequence[_Patient],
        project: Project,
        aliases: PinnedSupersededNumbers,
    ) -> list[_Patient]:
        found = self._opt_outs.check_for(project, aliases)
        if found is None:
            return list(patients)
        check = found[0]
        numbers = [
            one.canonical
            for one in patients
            if one.kind == NHS_NUMBER and one.canonical is not None
        ]
        asked = pa.array(numbers, pa.string())
        opted_out = set(asked.filter(pa.array(check.find_opted_out(asked))).to_pylist())
        reissued = ~check.find_checkable(asked)
        unsure = set(asked.filter(pa.array(reissued)).to_pylist())
        marked = []
        for one in patients:
            removed = None
            if one.kind == NHS_NUMBER and one.canonical is not None:
                if one.canonical in opted_out:
                    removed = RemovalReason.OPT_OUT
                elif check.removes_uncheckable and one.canonical in unsure:
                    removed = RemovalReason.UNCHECKABLE
            elif check.removes_uncheckable:
                removed = RemovalReason.UNCHECKABLE
            marked.append(one if removed is None else _Patient(removed=removed))
        return marked


def _check_bytes(texts: Sequence[TextToRedact]) -> None:
    size = sum(
        len(each.text.encode())
        + sum(len(v.encode()) for values in each.known.values() for v in values)
        for each in texts
    )
    if size > MOST_BYTES:
        msg = f"texts: more than {MOST_BYTES} bytes together; send fewer at a time"
        raise BatchTooLarge(msg)


def _find_treatment(policy: Policy, column: str) -> RedactText:
    for rule in policy.columns:
        if rule.name == column and isinstance(rule.treatment, RedactText):
            return rule.treatment
    msg = f"column: policy {policy.address} has no text column of this name"
    raise InvalidArgument(msg)


def _read_patient(
    text: TextToRedact, kinds: Mapping[str, IdentifierKind], rules: IdentifierRules
) -> _Patient:
    if not text.patient:
        return _Patient()
    kind = kinds.get(text.patient_kind or next(iter(kinds), ""))
    if kind is None:
        listed = ", ".join(kinds) or "none"
        msg = f"patient_kind: give one that the policy has for patients: {listed}"
        raise InvalidArgument(msg)
    canonical, found = canonicalise_one(text.patient, kind, rules)
    refusal = None if canonical is not None else found.value
    return _Patient(kind=kind, canonical=canonical, refusal=refusal)


def _follow(patient: _Patient, aliases: ProjectSupersededNumbers) -> _Patient:
    """Return whom the project takes a patient for; nobody, if a number is re-issued."""
    kind = patient.kind
    if kind is None or patient.canonical is None:
        return patient
    canonical, refused = aliases.resolve_one(patient.canonical, kind)
    if canonical is None:
        return _Patient(kind=kind, refusal=refused)
    former = aliases.find_former(pa.array([canonical], pa.string()), kind)
    return _Patient(kind=kind, canonical=canonical, former=former.get(0, ()))


def _name_answered(policy: Policy) -> set[IdentifierKind]:
    """Return the patient's kinds whose pseudonyms the policy answers."""
    treatments = {rule.name: rule.treatment for rule in policy.columns}
    sources = policy.patient.sources() if policy.patient else ()
    return {
        source.kind
        for source in sources
        if isinstance(treatments[source.column], Pseudonymise)
    }


def _collect_identities(
    policy: Policy, patients: Sequence[_Patient], keys: Mapping[str, KindKeys]
) -> tuple[list[Identities], list[Identities]]:
    """Return who gets a pseudonym, and who only gets shifted dates or surrogates."""
    answered = _name_answered(policy)
    tells = policy.shifts_dates or policy.draws_surrogates
    by_kind: dict[IdentifierKind, set[str]] = {}
    for one in patients:
        if one.kind is not None and one.canonical is not None:
            by_kind.setdefault(one.kind, set()).add(one.canonical)
    named, dated = [], []
    for kind, numbers in by_kind.items():
        distinct = sorted(numbers)
        blind = [keys[kind.text].blind.mac_one(number) for number in distinct]
        identities = Identities(
            kind=kind,
            canonical=pa.array(distinct, pa.string()),
            blind=np.frombuffer(b"".join(blind), np.uint8).reshape(-1, 16),
        )
        if kind in answered:
            named.append(identities)
        elif tells:
            dated.append(identities)
    return named, dated


def _make_row(
    text: TextToRedact,
    patient: _Patient,
    policy: Policy,
    project: Project,
    keys: Mapping[str, KindKeys],
) -> TextRow:
    if patient.kind is None or patient.canonical is None:
        return TextRow(text=text.text, known=text.known)
    own, number = keys[patient.kind.text], patient.canonical
    numbers = (number, *patient.former)
    pseudonyms = {}
    if patient.kind in _name_answered(policy):
        pseudonym = own.form.encode_one(own.pseudonym.mac_one(number))
        pseudonyms = dict.fromkeys(numbers, pseudonym)
    mac = np.frombuffer(own.date.mac_one(number), np.uint8).reshape(1, -1)
    offset = int(choose_offsets(mac, project.date_shift)[0])
    return TextRow(
        text=text.text,
        known=merge_known([text.known, {KnownKind.NUMBERS: numbers}]),
        shift_days=offset if policy.shifts_dates else None,
        pseudonyms=pseudonyms,
        surrogate_key=(
            make_surrogate_key(own.surrogate.mac_one(number))
            if policy.draws_surrogates
            else None
        ),
    )


def _answer(
    patients: Sequence[_Patient], answers: Sequence[TextAnswer], version: int
) -> TextsAnswer:
    left = iter(answers)
    results: list[TextResult] = []
    found: Counter[str] = Counter()
    for patient in patients:
        if patient.removed is not None:
            results.append(TextResult(text=None, withheld=patient.removed.value))
            continue
        answer = next(left)
        is_ok = answer.code is TextCode.OK
        if is_ok:
            found.update(answer.found)
        results.append(
            TextResult(
                text=answer.text if is_ok else None,
                withheld=None if is_ok else answer.code.value,
                patient_refusal=patient.refusal,
            )
        )
    return TextsAnswer(results=results, found=found, key_version=version)
