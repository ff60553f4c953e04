"""The linkage desk over stores in memory, with people in its register."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.audit.events import AuditEvent, AuditKind, RecordedEvent
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    NOTHING_PINNED,
    PinnedSupersededNumbers,
)
from pseudo_service.core.keys.material import (
    SERVICE_OWNER,
    KeyUse,
    Root,
    RootPurpose,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageTerms,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import encode_hpke_info
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ProjectState,
)
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.audit.subject_codes import SubjectCodes
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.linkage.approval_verifier import ApprovalVerifier
from pseudo_service.engine.linkage.desk import LinkageDesk
from pseudo_service.engine.linkage.event_index import LinkageEventIndex
from pseudo_service.engine.linkage.intake import LinkageIntake
from pseudo_service.engine.linkage.reading import LinkageReader
from pseudo_service.engine.linkage.release import LinkageRelease
from pseudo_service.engine.linkage.release_answers import ReleaseAnswers
from pseudo_service.engine.linkage.release_preparation import ReleasePreparer
from pseudo_service.engine.linkage.release_recorder import ReleaseRecorder
from pseudo_service.engine.linkage.translation_record import TranslationRecord
from pseudo_service.engine.linkage.views import LinkageSubmission, SealedRelease
from pseudo_service.engine.linkage.visibility import RequestVisibility
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.ports.opt_outs import OptOutListKind
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.linkage_register import fill_register
from tests.lib.stores.linkage_stores import (
    FixedLocation,
    LinkageJournal,
    LinkageLog,
    MemoryOptOuts,
    MemoryRegister,
    MemoryRequests,
    WatchedOpening,
)
from tests.lib.stores.memory import MemoryArchive, MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail
from tests.lib.values.linkage_actors import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    STROKE_GUARDIAN,
    act,
)

NHS = IdentifierKind.parse("nhs_number")
NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050")
"""Five people in the register."""

LOCAL = ("mrn@RXH", "mrn@RJ1")
"""Each of these kinds holds one person, both under the number A1."""

RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)
PURPOSE = "recall for cardiology clinic"
RECIPIENT = X25519PrivateKey.from_private_bytes(bytes(range(32)))
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


_LOCAL_KINDS = tuple(IdentifierKind.parse(kind) for kind in LOCAL)


class LinkageHarness:
    """A desk with two projects, five people and everybody who may come to it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.entropy = SeededEntropy("linkage")
        self.vault = MemoryVault()
        self.log = LinkageLog()
        self.archive = MemoryArchive()
        self.journal = LinkageJournal(self.log)
        self.requests = MemoryRequests(self.log)
        self.register = MemoryRegister()
        self.opt_out_store = MemoryOptOuts()
        self.location = FixedLocation()
        self.superseded: PinnedSupersededNumbers = NOTHING_PINNED
        for name in ("audit", "ingest", "linkage", "project-asthma", "project-stroke"):
            self.vault.create_key(name)
        trail = Trail()
        self.rows = MemoryKeyRows(trail)
        self.projects = MemoryProjects(self.rows, trail)
        self.key_ring = KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=self.entropy,
            lifetime=timedelta(days=365),
        )
        self.root = self.key_ring.ensure_service_root("test", is_new=True)
        assert self.root.owner == SERVICE_OWNER
        self.create_project("asthma", "ABCD")
        self.create_project("stroke", "EFGH")
        fill_register(
            self.register,
            root=self.root,
            vault=self.vault,
            entropy=self.entropy,
            people={NHS: NUMBERS, **dict.fromkeys(_LOCAL_KINDS, ("A1",))},
        )
        self.start()

    def start(self) -> None:
        """Start a process over the stores: nothing it remembered is left."""
        self.access_control = AccessControl(journal=self.journal, clock=self.clock)
        self.sealer = LinkageEventSealer(self.root.derive(KeyUse.LINKAGE_RECORD))
        self.codes = SubjectCodes(
            service_root=self.root, rules=RULES, read_superseded=lambda: self.superseded
        )
        self.trail = AuditTrail(
            log=self.log,
            archive=self.archive,
            vault=self.vault,
            recorder=AuditRecorder(self.journal, self.clock),
            clock=self.clock,
            access_control=self.access_control,
        )
        self.index = LinkageEventIndex(log=self.log, sealer=self.sealer)
        self.visibility = RequestVisibility(
            requests=self.requests,
            index=self.index,
            access_control=self.access_control,
            clock=self.clock,
        )
        self.opt_outs = OptOutLists(
            store=self.opt_out_store,
            service_root=self.root,
            rules=RULES,
            clock=self.clock,
            entropy=self.entropy,
            access_control=self.access_control,
        )
        self.intake = LinkageIntake(
            projects=self.projects,
            codes=self.codes,
            clock=self.clock,
            entropy=self.entropy,
        )
        self.desk = LinkageDesk(
            requests=self.requests,
            intake=self.intake,
            visibility=self.visibility,
            index=self.index,
            sealer=self.sealer,
            trail=self.trail,
            access_control=self.access_control,
            clock=self.clock,
        )
        self.reader = LinkageReader(
            requests=self.requests,
            visibility=self.visibility,
            access_control=self.access_control,
            service_root=self.root,
            clock=self.clock,
            entropy=self.entropy,
        )
        self._start_release()

    def _start_release(self) -> None:
        self.opening = WatchedOpening(
            register=self.register, vault=self.vault, service_root=self.root
        )
        self.verifier = ApprovalVerifier(
            log=self.log, archive=self.archive, vault=self.vault, sealer=self.sealer
        )
        self.preparer = ReleasePreparer(
            projects=self.projects,
            key_ring=self.key_ring,
            opt_outs=self.opt_outs,
            opening=self.opening,
            read_superseded=lambda: self.superseded,
        )
        self.answers = ReleaseAnswers(
            opening=self.opening,
            location=self.location,  # type: ignore[arg-type]
            codes=self.codes,
        )
        self.translations = TranslationRecord(
            writer=make_register_writer(
                vault=self.vault,
                clock=self.clock,
                entropy=self.entropy,
                service_root=self.root,
            ),
            service_root=self.root,
            journal=self.journal,
            clock=self.clock,
        )
        self.recorder = ReleaseRecorder(
            requests=self.requests,
            index=self.index,
            sealer=self.sealer,
            journal=self.journal,
            clock=self.clock,
        )
        self.release = LinkageRelease(
            visibility=self.visibility,
            trail=self.trail,
            verifier=self.verifier,
            preparer=self.preparer,
            answers=self.answers,
            translations=self.translations,
            recorder=self.recorder,
            clock=self.clock,
        )

    def create_project(self, project_id: str, tag: str, **fields: Any) -> None:
        project = Project(
            project_id=project_id,
            tag=tag,
            title=f"Study of {project_id}",
            state=ProjectState.ACTIVE,
            date_shift=DateShiftRule(),
            opt_outs=OptOutRule(
                application=OptOutApplication.NOT_APPLICABLE, legal_basis="consent"
            ),
            daily_quota=1000,
            created_at=self.clock.now(),
            **fields,
        )
        rows = [
            self.key_ring.make_row(project_id, purpose, version=1)
            for purpose in (RootPurpose.PSEUDONYMS, RootPurpose.STABLE)
        ]
        self.projects.create(project, rows, _make_event(self.clock.now()))

    def change_project(self, project_id: str, **fields: Any) -> None:
        project = self.projects.projects[project_id]
        self.projects.projects[project_id] = replace(project, **fields)

    def rotate(self, project_id: str) -> None:
        """Give a project pseudonym key version 2."""
        row = self.key_ring.make_row(project_id, RootPurpose.PSEUDONYMS, version=2)
        self.rows.add(row, _make_event(self.clock.now()))

    def apply_opt_outs(self, project_id: str, *numbers: str) -> None:
        """Load a list of who opted out, and have a project apply it."""
        rule = OptOutRule(application=OptOutApplication.APPLIED, legal_basis="s251")
        self.change_project(project_id, opt_outs=rule)
        self.opt_outs.load(
            OptOutListKind.OPT_OUT,
            entries=len(numbers),
            expires_at=self.clock.now() + timedelta(days=10),
            chunks=[numbers],
            actor=act("custodian", "custodian"),
        )

    def pseudonym(
        self,
        number: str = NUMBERS[0],
        project: str = "asthma",
        *,
        kind: str = "nhs_number",
        version: int = 1,
    ) -> str:
        parsed = IdentifierKind.parse(kind)
        root = self.key_ring.get(project, RootPurpose.PSEUDONYMS, version)
        key = root.derive(KeyUse.PSEUDONYM, kind)
        tag = self.projects.get(project).tag
        form = PseudonymFormat(tag=tag, kind=parsed, version=version)
        return form.encode_one(KeyedHash(key, parsed).mac_one(number))

    def submission(self, *numbers: str, **fields: Any) -> LinkageSubmission:
        asked = {
            name: fields.pop(name, usual)
            for name, usual in (
                ("pseudonyms", [self.pseudonym(n) for n in numbers or NUMBERS[:1]]),
                ("identifier", ""),
                ("kind", ""),
            )
        }
        terms: dict[str, Any] = {
            "verb": LinkageVerb.REIDENTIFY,
            "mode": LinkageMode.ROUTINE,
            "project": "asthma",
            "purpose": PURPOSE,
            "legal_basis": LegalBasis.DIRECT_CARE,
            "consent_reference": "DARS approval, amendment B",
            "recipient_key": RECIPIENT.public_key().public_bytes_raw(),
            "expires_at": self.clock.now() + timedelta(hours=3),
        }
        return LinkageSubmission(terms=LinkageTerms(**{**terms, **fields}), **asked)

    def submit(
        self, *numbers: str, actor: Actor = OFFICER, **fields: Any
    ) -> LinkageRequest:
        view = self.desk.submit(self.submission(*numbers, **fields), actor=actor)
        return view.request

    def vote(
        self,
        request: LinkageRequest,
        *reviewers: Actor,
        decision: Decision = Decision.APPROVE,
    ) -> LinkageState:
        state = LinkageState.SUBMITTED
        for reviewer in reviewers:
            self.clock.advance(minutes=1)
            view = self.desk.review(
                request.request_id,
                digest=request.digest(),
                decision=decision,
                reason="seen and considered",
                actor=reviewer,
            )
            state = view.state
        return state

    def approved(self, *numbers: str, **fields: Any) -> LinkageRequest:
        request = self.submit(*numbers, **fields)
        state = self.vote(request, COLLEAGUE, GUARDIAN)
        assert state is LinkageState.APPROVED
        return request

    def translation(self, *numbers: str) -> LinkageRequest:
        """Return an approved request to translate into the stroke project."""
        request = self.submit(
            *numbers,
            verb=LinkageVerb.TRANSLATE,
            target_project="stroke",
            legal_basis=LegalBasis.SECTION_251,
        )
        state = self.vote(request, GUARDIAN, STROKE_GUARDIAN)
        assert state is LinkageState.APPROVED
        return request

    def redeem(self, request: LinkageRequest, actor: Actor = OFFICER) -> SealedRelease:
        return self.release.redeem(request.request_id, actor=actor)

    def state(self, request: LinkageRequest) -> LinkageState:
        return self.reader.get(request.request_id, actor=AUDITOR).view.state

    def events(self, kind: AuditKind) -> list[RecordedEvent]:
        mark = f'"kind":"{kind}"'
        return [
            e for chain in self.log.events.values() for e in chain if mark in e.body
        ]


def open_result(release: SealedRelease) -> bytes:
    """Return what the officer reads."""
    info = encode_hpke_info(release.digest)
    return _SUITE.decrypt(release.sealed, RECIPIENT, info=info)


def code_subject(root: Root, number: str, kind: IdentifierKind = NHS) -> str:
    """Return the keyed code under which releases of a person are on record."""
    key = root.derive(KeyUse.SUBJECT_CODE, kind.text)
    return KeyedHash(key, kind).mac_one(number).hex()


def _make_event(at: datetime) -> AuditEvent:
    return AuditEvent(kind=AuditKind.PROJECT_CREATED, at=at, actor="test", details={})
