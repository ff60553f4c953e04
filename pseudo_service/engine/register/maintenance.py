"""Care of the register: prove it whole, compact it, take people out on order.

The intent is durable before the register opens, and the outcome is on record after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
import numpy.typing as npt

from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.arrays import MAC_BYTES
from pseudo_service.core.audit.events import (
    BETWEEN,
    CODES_AN_EVENT,
    AuditEvent,
    AuditKind,
    Detail,
)
from pseudo_service.core.errors import InvalidArgument, RegisterCorrupt
from pseudo_service.core.identifiers.canonical import canonicalise_one
from pseudo_service.core.identifiers.kinds import IdentifierKind, IdentifierRules
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.matching import MacIndex
from pseudo_service.core.register.reports import (
    CompactionReport,
    ErasureReport,
    RegisterProgress,
    RegisterVerdict,
)
from pseudo_service.core.register.segments import RegisterFault
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.register.disclosure_rewriting import (
    CheckedMemberships,
    DisclosureRewriting,
)
from pseudo_service.engine.register.opening import (
    MaintenanceGrant,
    OpenRegister,
    RegisterOpening,
)
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from pseudo_service.engine.register.segment_rewriting import (
    SeenIdentities,
    SegmentRewriting,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.disclosures import DisclosureStore
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.key_vault import KeyVault
from pseudo_service.ports.projects import ProjectStore
from pseudo_service.ports.register import RegisterKeeper, RegisterStore

MOST_ERASED = 1000


class RegisterMaintenance:
    """Verifies, compacts and erases, as the linkage identity."""

    def __init__(
        self,
        *,
        opening: RegisterOpening,
        register: RegisterStore,
        keeper: RegisterKeeper,
        memberships: DisclosureStore,
        projects: ProjectStore,
        vault: KeyVault,
        journal: Journal,
        clock: Clock,
        entropy: Entropy,
        access_control: AccessControl,
        service_root: Root,
        rules: IdentifierRules,
        data_key_lifetime: timedelta,
    ) -> None:
        """Take the linkage identity's vault.

        Args:
            opening: Opens the register for a warrant.
            register: The same register.
            keeper: Rewrites it.
            memberships: Reads and rewrites who was released where.
            projects: Whose memberships there may be.
            vault: Wraps the data key of what is rewritten.
            journal: Records intents and outcomes.
            clock: Dates them.
            entropy: Draws ids and nonces.
            access_control: Lets custodians in.
            service_root: Derives the keys of indices, codes and seals.
            rules: What the deployment takes for an identifier.
            data_key_lifetime: How long a process holds a data key. A younger one stays
                though nothing is sealed under it: it may not have been used yet.
        """
        self._opening = opening
        self._register = register
        self._keeper = keeper
        self._memberships = memberships
        self._projects = projects
        self._vault = vault
        self._journal = journal
        self._clock = clock
        self._entropy = entropy
        self._access_control = access_control
        self._service_root = service_root
        self._rules = rules
        self._data_key_lifetime = data_key_lifetime

    def verify(self, actor: Actor) -> Iterator[RegisterProgress | RegisterVerdict]:
        """Open everything and prove it whole; the last item is the verdict.

        Raises:
            AccessDenied: The caller is no custodian.
            KeyVaultUnavailable: The data keys cannot be unwrapped now.
        """
        self._access_control.require(actor, Permission.MAINTAIN_REGISTER)
        run = self._begin(actor)
        run.record(AuditKind.REGISTER_VERIFY_INTENT, {})
        return self._verify(run)

    def compact(
        self, *, reason: str, actor: Actor
    ) -> Iterator[RegisterProgress | CompactionReport]:
        """Merge segments and memberships; the last item is the report.

        Raises:
            InvalidArgument: There is no reason, or a long number in it.
            StateConflict: Another run rewrites the register; run it again later.
            As ``verify`` does.
        """
        self._access_control.require(actor, Permission.MAINTAIN_REGISTER)
        note = parse_justification("reason", reason)
        run = self._begin(actor)
        run.record(AuditKind.REGISTER_COMPACT_INTENT, {"reason": note})
        return self._compact(run)

    def erase(
        self, identifiers: Sequence[str], *, kind: str, order: str, actor: Actor
    ) -> ErasureReport:
        """Take people out for ever; their pseudonyms resolve to nobody then.

        Every process reads the register anew, so that whoever comes again is
        registered again.

        Args:
            identifiers: 1 to 1,000; repeats count once.
            kind: Their kind, as text.
            order: The reference of the order that demands it.
            actor: A custodian.

        Raises:
            InvalidArgument: One of them is no identifier, told by its position.
            RegisterCorrupt: Parts of the register do not open, so that somebody may
                be left in them; whom the rest held is out.
            As ``compact`` does.
        """
        self._access_control.require(actor, Permission.ERASE_IDENTITIES)
        parsed = IdentifierKind.parse(kind)
        note = parse_justification("order", order)
        canonical = self._canonicalise(identifiers, parsed)
        noted: dict[str, Detail] = {
            "kind": parsed.text,
            "order": note,
            "count": len(canonical),
        }
        run = self._begin(actor)
        for subjects in self._name_subjects(canonical, parsed):
            named = {**noted, "subjects": subjects}
            run.record(AuditKind.IDENTITIES_ERASE_INTENT, named)
        return self._erase(run, noted, canonical, parsed)

    def _verify(self, run: "_Run") -> Iterator[RegisterProgress | RegisterVerdict]:
        opened = self._opening.open(run.warrant(), goes_on=True)
        seen, distinct = SeenIdentities(), 0
        scan = opened.scan()
        for page in scan:
            distinct += int(seen.add(page.kind, page.blind).sum())
            yield RegisterProgress(segments=scan.segments, identities=scan.identities)
        members = self._read_members(opened)
        members.check_all()
        verdict = RegisterVerdict(
            segments=scan.segments,
            identities=scan.identities,
            distinct_identities=distinct,
            data_keys=sum(1 for _ in self._register.read_data_keys()),
            memberships=members.count,
            faults=tuple(sorted({*scan.faults, *members.faults})),
        )
        counted: dict[str, Detail] = {
            "segments": verdict.segments,
            "identities": verdict.identities,
            "distinct_identities": verdict.distinct_identities,
            "memberships": verdict.memberships,
            **_count_faults(verdict.faults),
        }
        run.record(AuditKind.REGISTER_VERIFIED, counted)
        yield verdict

    def _compact(self, run: "_Run") -> Iterator[RegisterProgress | CompactionReport]:
        opened = self._opening.open(run.warrant())
        keys_before = sum(1 for _ in self._register.read_data_keys())
        describe = partial(run.describe, AuditKind.REGISTER_REWRITTEN)
        sealer, members = self._make_sealer(), self._read_members(opened)
        segments = SegmentRewriting(
            opened=opened, keeper=self._keeper, sealer=sealer, describe=describe
        )
        yield from segments.merge()
        rewriting = DisclosureRewriting(
            reader=members, store=self._memberships, sealer=sealer, describe=describe
        )
        for project in self._projects.list():
            rewriting.merge(project.project_id)
        self._keeper.drop_unused_data_keys(
            made_before=self._clock.now() - self._data_key_lifetime,
            audit=[describe({"data_keys": "dropped unused"})],
        )
        report = CompactionReport(
            segments_before=segments.segments,
            segments_after=segments.segments - segments.removed + segments.written,
            data_keys_before=keys_before,
            data_keys_after=sum(1 for _ in self._register.read_data_keys()),
            memberships_before=members.count,
            memberships_after=members.count - rewriting.removed + rewriting.written,
            identities=segments.identities,
            faults=tuple(sorted({*segments.faults, *members.faults})),
        )
        counted: dict[str, Detail] = {
            "segments_before": report.segments_before,
            "segments_after": report.segments_after,
            "identities": report.identities,
            **_count_faults(report.faults),
        }
        run.record(AuditKind.REGISTER_COMPACTED, counted)
        yield report

    def _erase(
        self,
        run: "_Run",
        noted: Mapping[str, Detail],
        canonical: Sequence[str],
        kind: IdentifierKind,
    ) -> ErasureReport:
        opened = self._opening.open(run.warrant())
        describe = partial(run.describe, AuditKind.REGISTER_REWRITTEN)
        blind = _hash_all(self._service_root, KeyUse.BLIND_INDEX, kind, canonical)
        sealer, members = self._make_sealer(), self._read_members(opened)
        segments = SegmentRewriting(
            opened=opened, keeper=self._keeper, sealer=sealer, describe=describe
        )
        found = segments.erase(MacIndex.build(blind), kind=kind)
        DisclosureRewriting(
            reader=members, store=self._memberships, sealer=sealer, describe=describe
        ).erase(blind, kind=kind.text)
        report = ErasureReport(
            erased=len(found), not_registered=len(canonical) - len(found)
        )
        faults = [*segments.faults, *members.faults]
        counted: dict[str, Detail] = {
            **noted,
            "erased": report.erased,
            "not_registered": report.not_registered,
            **_count_faults(faults),
        }
        # Also when nobody was found: a run that was cut off may have taken them out.
        outcome = run.describe(AuditKind.IDENTITIES_ERASED, counted)
        self._keeper.renew_database_id([outcome])
        if faults:
            msg = (
                f"{report.erased} people were erased, but {len(faults)} parts of the "
                "register do not open and may hold more: run `pseudo register verify`, "
                "restore them, and erase again"
            )
            raise RegisterCorrupt(msg)
        return report

    def _canonicalise(
        self, identifiers: Sequence[str], kind: IdentifierKind
    ) -> list[str]:
        if not 1 <= len(identifiers) <= MOST_ERASED:
            msg = f"identifiers: 1 to {MOST_ERASED} at a time"
            raise InvalidArgument(msg)
        distinct: dict[str, None] = {}
        for position, text in enumerate(identifiers):
            canonical, found = canonicalise_one(text, kind, self._rules)
            if canonical is None:
                msg = (
                    f"identifiers[{position}]: {found.value}, no {kind.text} that is "
                    "registered here; nobody was erased, correct it"
                )
                raise InvalidArgument(msg)
            distinct[canonical] = None
        return list(distinct)

    def _begin(self, actor: Actor) -> "_Run":
        return _Run(
            operation=self._entropy.draw(16).hex(),
            actor=actor.subject,
            clock=self._clock,
            journal=self._journal,
        )

    def _make_sealer(self) -> RewriteSealer:
        return RewriteSealer(
            vault=self._vault,
            clock=self._clock,
            entropy=self._entropy,
            service_root=self._service_root,
        )

    def _read_members(self, opened: OpenRegister) -> CheckedMemberships:
        return CheckedMemberships(
            opened=opened, store=self._memberships, service_root=self._service_root
        )

    def _name_subjects(
        self, canonical: Sequence[str], kind: IdentifierKind
    ) -> Iterator[str]:
        """Yield the keyed codes of people, as many at a time as an event takes."""
        codes = _hash_all(self._service_root, KeyUse.SUBJECT_CODE, kind, canonical)
        for start in range(0, len(codes), CODES_AN_EVENT):
            part = codes[start : start + CODES_AN_EVENT]
            yield BETWEEN.join(code.tobytes().hex() for code in part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One piece of care and what is recorded of it."""

    operation: str
    actor: str
    clock: Clock
    journal: Journal

    def describe(self, kind: AuditKind, details: Mapping[str, Detail]) -> AuditEvent:
        return AuditEvent(
            kind=kind,
            at=self.clock.now(),
            actor=self.actor,
            operation=self.operation,
            details=details,
        )

    def record(self, kind: AuditKind, details: Mapping[str, Detail]) -> None:
        self.journal.record(self.describe(kind, details))

    def warrant(self) -> MaintenanceGrant:
        """Mint a warrant; the intent is on record by now."""
        return MaintenanceGrant(operation=self.operation)


def _hash_all(
    root: Root, use: KeyUse, kind: IdentifierKind, canonical: Sequence[str]
) -> npt.NDArray[np.uint8]:
    hashing = KeyedHash(root.derive(use, kind.text), kind)
    macs = b"".join(map(hashing.mac_one, canonical))
    return np.frombuffer(macs, np.uint8).reshape(-1, MAC_BYTES)


def _count_faults(faults: Sequence[RegisterFault]) -> dict[str, Detail]:
    counts: dict[str, Detail] = {"faults": len(faults)}
    for name in sorted({fault.fault.value for fault in faults}):
        counts[name] = sum(fault.fault.value == name for fault in faults)
    return counts
