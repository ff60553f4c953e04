"""The linkage desk over stores in memory, with people in its register."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from pseudo_service.core.access.roles import Actor, RoleGrant
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
    SecretKey,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import name_context
from pseudo_service.core.linkage.sealed_events import LinkageRecords
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ProjectState,
)
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import DataKeyRow, seal_segment
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.linkage.desk import LinkageDesk
from pseudo_service.engine.linkage.intake import LinkageIntake
from pseudo_service.engine.linkage.release import ReleaseDesk
from pseudo_service.engine.linkage.release_answers import ReleaseAnswers
from pseudo_service.engine.linkage.translation_record import TranslationRecord
from pseudo_service.engine.linkage.verified_history import (
    ApprovalVerifier,
    LinkageEventIndex,
)
from pseudo_service.engine.linkage.views import LinkageSubmission, SealedRelease
from pseudo_service.engine.linkage.visibility import RequestVisibility
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.ports.opt_outs import OptOutListKind
from pseudo_service.ports.register import StoredSegment
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
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

NHS = IdentifierKind.parse("nhs_number")
NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050")
"""Five people in the register."""

LOCAL = ("mrn@RXH", "mrn@RJ1")
"""Each of these kinds holds one person, both under the number A1."""

RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)
PURPOSE = "recall for cardiology clinic"
RECIPIENT = X25519PrivateKey.from_private_bytes(bytes(range(32)))
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def act(subject: str, *roles: str) -> Actor:
    grants = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(subject=subject, grants=grants, expires_at=None)


OFFICER = act("officer", "linkage_officer:asthma")
COLLEAGUE = act("colleague", "linkage_officer:asthma")
THIRD = act("third", "linkage_officer:asthma")
GUARDIAN = act("guardian", "guardian:asthma")
SECOND_GUARDIAN = act("guardian-2", "guardian:asthma")
STROKE_GUARDIAN = act("guardian-3", "guardian:stroke")
RESEARCHER = act("researcher", "researcher:asthma")
AUDITOR = act("auditor", "auditor")
STRANGER = act("stranger", "linkage_officer:stroke", "guardian:stroke")


class Bench:
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
        self.aliases: PinnedSupersededNumbers = NOTHING_PINNED
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
        self._fill_register()
        self.start()

    def start(self) -> None:
        """Start a process over the stores: nothing it remembered is left."""
        access_control = AccessControl(journal=self.journal, clock=self.clock)
        self.records = LinkageRecords(self.root.derive(KeyUse.LINKAGE_RECORD))
        self.trail = AuditTrail(
            log=self.log,
            archive=self.archive,
            vault=self.vault,
            journal=self.journal,
            clock=self.clock,
            access_control=access_control,
        )
        self.book = LinkageEventIndex(log=self.log, records=self.records)
        self.history = ApprovalVerifier(
            log=self.log, archive=self.archive, vault=self.vault, records=self.records
        )
        self.opening = WatchedOpening(
            register=self.register, vault=self.vault, service_root=self.root
        )
        self.opt_outs = OptOutLists(
            store=self.opt_out_store,
            service_root=self.root,
            rules=RULES,
            clock=self.clock,
            entropy=self.entropy,
            access_control=access_control,
        )
        self.desk = LinkageDesk(
            requests=self.requests,
            intake=LinkageIntake(
                projects=self.projects,
                service_root=self.root,
                rules=RULES,
                clock=self.clock,
                entropy=self.entropy,
            ),
            showing=RequestVisibility(
                requests=self.requests,
                book=self.book,
                access_control=access_control,
                clock=self.clock,
            ),
            release=ReleaseDesk(
                requests=self.requests,
                history=self.history,
                book=self.book,
                records=self.records,
                answers=ReleaseAnswers(
                    projects=self.projects,
                    key_ring=self.key_ring,
                    opt_outs=self.opt_outs,
                    opening=self.opening,
                    location=self.location,
                    service_root=self.root,
                    read_aliases=lambda: self.aliases,
                ),
                translations=TranslationRecord(
                    writer=make_register_writer(
                        vault=self.vault,
                        clock=self.clock,
                        entropy=self.entropy,
                        service_root=self.root,
                    ),
                    service_root=self.root,
                    journal=self.journal,
                    clock=self.clock,
                ),
                trail=self.trail,
                journal=self.journal,
                clock=self.clock,
            ),
            records=self.records,
            trail=self.trail,
            service_root=self.root,
            access_control=access_control,
            clock=self.clock,
            entropy=self.entropy,
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
        chosen: dict[str, Any] = {
            "verb": LinkageVerb.REIDENTIFY,
            "mode": LinkageMode.ROUTINE,
            "project": "asthma",
            "pseudonyms": [self.pseudonym(n) for n in numbers or NUMBERS[:1]],
            "purpose": PURPOSE,
            "legal_basis": LegalBasis.DIRECT_CARE,
            "consent_reference": "DARS approval, amendment B",
            "recipient_key": RECIPIENT.public_key().public_bytes_raw(),
            "expires_at": self.clock.now() + timedelta(hours=3),
        }
        return LinkageSubmission(**{**chosen, **fields})

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
        return self.desk.redeem(request.request_id, actor=actor)

    def state(self, request: LinkageRequest) -> LinkageState:
        return self.desk.get(request.request_id, actor=AUDITOR).view.state

    def events(self, kind: AuditKind) -> list[RecordedEvent]:
        mark = f'"kind":"{kind}"'
        return [
            e for chain in self.log.events.values() for e in chain if mark in e.body
        ]

    def _fill_register(self) -> None:
        row, data_key = self._make_data_key()
        self.register.data_keys.append(row)
        for kind, numbers in [(NHS, NUMBERS), *((k, ("A1",)) for k in _LOCAL_KINDS)]:
            blind = KeyedHash(self.root.derive(KeyUse.BLIND_INDEX, kind.text), kind)
            macs = blind.mac(pa.array(numbers))
            position = len(self.register.segments) + 1
            segment = seal_segment(
                pack_identities(pa.array(numbers)),
                blind_index=macs,
                segment_id=f"segment-{position}",
                kind=kind.text,
                data_key_id=row.data_key_id,
                data_key=data_key,
                mac_key=self.root.derive(KeyUse.SEGMENT_MAC),
                nonce=self.entropy.draw(12),
            )
            stored = StoredSegment(position=position, segment=segment)
            self.register.segments.append(stored)

    def _make_data_key(self) -> tuple[DataKeyRow, SecretKey]:
        secret = self.entropy.draw(32)
        wrapped = self.vault.wrap("linkage", secret)
        row = DataKeyRow(
            data_key_id="data-key-1",
            wrapping_key_id=wrapped.key_id,
            wrapped=wrapped.ciphertext,
            created_at=self.clock.now(),
        )
        return row, SecretKey(secret)


_LOCAL_KINDS = tuple(IdentifierKind.parse(kind) for kind in LOCAL)


def open_result(release: SealedRelease) -> bytes:
    """Return what the officer reads."""
    info = name_context(release.digest)
    return _SUITE.decrypt(release.sealed, RECIPIENT, info=info)


def code_subject(root: Root, number: str, kind: IdentifierKind = NHS) -> str:
    """Return the keyed code under which releases of a person are on record."""
    key = root.derive(KeyUse.SUBJECT_CODE, kind.text)
    return KeyedHash(key, kind).mac_one(number).hex()


def _make_event(at: datetime) -> AuditEvent:
    return AuditEvent(kind=AuditKind.PROJECT_CREATED, at=at, actor="test", details={})
