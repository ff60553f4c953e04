"""The unary calls over keys that every test shares, and stores in memory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pseudo_service.core.access.roles import Actor, Role, RoleGrant
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    NOTHING_SUPERSEDED,
    PinnedSupersededNumbers,
    ProjectSupersededNumbers,
)
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.policies.policy import Policy, parse_policy
from pseudo_service.core.projects.project import DateShiftRule, Project
from pseudo_service.core.redaction import RedactTexts, withhold_texts
from pseudo_service.core.tables.batch_values import BatchOutcome
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.keys.project_keys import PinnedRoots
from pseudo_service.engine.projects.policy_registry import RegisteredPolicy
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.engine.tables.project_context import ProjectContext
from pseudo_service.engine.tables.pseudonymise_values import (
    PseudonymiseValues,
    ValuesAnswer,
)
from pseudo_service.engine.tables.redact_texts import (
    RedactFreeText,
    TextsAnswer,
    TextToRedact,
)
from pseudo_service.engine.tables.unary_calls import UnaryCalls
from tests.lib.harnesses.deidentification import VERSION, WEEKS, make_context
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.memory import MemoryJournal, MemoryVault
from tests.lib.stores.stored_values import make_project

PROJECT = "study-a"
PURPOSE = "a study of asthma"
CALLER = Actor(
    subject="loader",
    grants=frozenset({RoleGrant(role=Role.PIPELINE, project=PROJECT)}),
    expires_at=None,
)
RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)


@dataclass(kw_only=True)
class RecordingMonitor:
    """Remembers whom calls ask for, and how many of them were new."""

    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    counted: list[tuple[int, int]] = field(default_factory=list)

    def check_call(
        self, identities: Sequence[Identities], *, actor: Actor, project: str
    ) -> None:
        assert (actor, project) == (CALLER, PROJECT)
        self.asked += [
            (one.kind.text, tuple(sorted(one.canonical.to_pylist())))
            for one in identities
        ]

    def record_new(self, *, asked: int, new: int, actor: Actor, project: str) -> None:
        assert (actor, project) == (CALLER, PROJECT)
        self.counted.append((asked, new))


@dataclass(kw_only=True)
class FixedResolver:
    """``ProjectResolver`` of one project, whose keys and lists a test chooses."""

    policy: Policy | None
    opt_outs: OptOutCheck | None
    superseded: ProjectSupersededNumbers
    quota: int

    def find_active(self, project_id: str) -> Project:
        return replace(
            make_project(project_id),
            date_shift=DateShiftRule(bound=WEEKS),
            follows_merges=self.superseded.follows_merges,
            daily_quota=self.quota,
        )

    def find_policy(self, project_id: str, address: str) -> RegisteredPolicy:
        assert self.policy is not None
        assert self.policy.address == f"{project_id}/{address}"
        return RegisteredPolicy(policy=self.policy, digest=self.policy.digest)

    def pin(self, project: Project, kinds: Iterable[IdentifierKind]) -> ProjectContext:
        texts = tuple(kind.text for kind in kinds)
        return ProjectContext(
            project=project,
            roots=PinnedRoots(
                pseudonyms=_make_root(RootPurpose.PSEUDONYMS),
                stable=_make_root(RootPurpose.STABLE),
            ),
            keys=make_context(kinds=texts).keys,
            pinned_superseded=PinnedSupersededNumbers(table=self.superseded.table),
            opt_outs=self.opt_outs,
            opt_out_list=None,
        )


class UnaryHarness:
    """Answers unary calls; ``journal`` and ``monitor`` tell what was recorded."""

    def __init__(
        self,
        *,
        policy: str | None = None,
        opt_outs: OptOutCheck | None = None,
        superseded: ProjectSupersededNumbers = NOTHING_SUPERSEDED,
        redact: RedactTexts = withhold_texts,
        quota: int = 1_000_000,
    ) -> None:
        self.journal = MemoryJournal()
        self.monitor = RecordingMonitor()
        clock = FakeClock()
        resolver: Any = FixedResolver(
            policy=parse_policy(policy) if policy else None,
            opt_outs=opt_outs,
            superseded=superseded,
            quota=quota,
        )
        monitor: Any = self.monitor
        self.known = _load_known(self.journal)
        self._commit = _make_commit(self.journal, self.known, clock)
        self._recorder = AuditRecorder(self.journal, clock)
        calls = UnaryCalls(
            commit=self._commit, monitor=monitor, recorder=self._recorder
        )
        access_control = AccessControl(journal=self.journal, clock=clock)
        self.values = PseudonymiseValues(
            access_control=access_control, resolver=resolver, calls=calls, rules=RULES
        )
        redactor: Any = _Redactor(redact)
        self.texts = RedactFreeText(
            access_control=access_control,
            resolver=resolver,
            calls=calls,
            redactor=redactor,
            rules=RULES,
        )

    def pseudonymise(
        self, identifiers: Sequence[str], kind: str = "nhs_number"
    ) -> ValuesAnswer:
        return self.values.pseudonymise(
            identifiers, kind=kind, project_id=PROJECT, purpose=PURPOSE, actor=CALLER
        )

    def redact(self, texts: Sequence[TextToRedact], *, policy: str) -> TextsAnswer:
        return self.texts.redact(
            texts,
            project_id=PROJECT,
            policy=policy,
            column="note",
            purpose=PURPOSE,
            actor=CALLER,
        )

    def release_table(self, outcome: BatchOutcome) -> None:
        """Commit a table of one batch, as a stream does."""
        describe = self._recorder.describe
        people = self._commit.collect(
            project=ProjectId(PROJECT),
            operation=OperationId("run-1"),
            key_version=KeyVersion(VERSION),
        )
        change = self._commit.submit(
            describe(AuditKind.BATCH_INTENT, actor=CALLER.subject, project=PROJECT),
            outcome.identities,
            limit=1_000_000,
            dated=outcome.dated,
        )
        self._commit.wait(change)
        people.add(outcome.identities, outcome.dated)
        self._commit.record_released(
            describe(AuditKind.TABLE_FINISHED, actor=CALLER.subject, project=PROJECT),
            people,
        )

    def read_record(self) -> "ReleaseRecord":
        """Return what all calls and tables so far have left on record."""
        changes = [commit.change for commit in self.journal.commits if commit.change]
        record = ReleaseRecord()
        for change in changes:
            for segment in change.segments:
                record.registered[segment.kind] += segment.count
            for members in change.disclosures:
                record.released[members.kind, members.use.value] += members.count
            if change.charge is not None:
                record.charged.update(change.charge.codes.tolist())
        return record


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord:
    """How many people are registered, by kind, and released, by kind and use.

    ``charged`` are the codes of the people that the quota counts.
    """

    registered: Counter[str] = field(default_factory=Counter)
    released: Counter[tuple[str, str]] = field(default_factory=Counter)
    charged: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Redactor:
    redact: RedactTexts


def _make_root(purpose: RootPurpose) -> Root:
    return Root(
        owner=PROJECT, version=VERSION, purpose=purpose, key=SecretKey(b"r" * 32)
    )


SERVICE_ROOT = replace(_make_root(RootPurpose.SERVICE), owner="_service")


def _load_known(journal: MemoryJournal) -> KnownIdentities:
    mac_key = SERVICE_ROOT.derive(KeyUse.SEGMENT_MAC)
    known = KnownIdentities(register=journal, mac_key=mac_key, patience=5)
    known.load()
    return known


def _make_commit(
    journal: MemoryJournal, known: KnownIdentities, clock: FakeClock
) -> BatchCommit:
    vault = MemoryVault()
    vault.create_key("linkage")
    return BatchCommit(
        journal=journal,
        known=known,
        writer=make_register_writer(
            vault=vault,
            clock=clock,
            entropy=SeededEntropy(),
            service_root=SERVICE_ROOT,
        ),
        service_root=SERVICE_ROOT,
        clock=clock,
    )
