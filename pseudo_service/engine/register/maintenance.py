"""Maintenance of the register: prove it whole, compact it, erase people on order.

The intent is durable before the register opens, and the outcome is on record after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.arrays import MAC_BYTES, Macs
from pseudo_service.core.audit.events import (
    BETWEEN,
    CODES_AN_EVENT,
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
from pseudo_service.engine.register.disclosure_rewriting import (
    CheckedDisclosures,
    DisclosureRewriting,
)
from pseudo_service.engine.register.maintenance_runs import (
    MaintenanceRun,
    MaintenanceRuns,
)
from pseudo_service.engine.register.opening import OpenRegister, RegisterOpening
from pseudo_service.engine.register.rewrite_sealing import RewriteSealing
from pseudo_service.engine.register.segment_rewriting import (
    SeenIdentities,
    SegmentRewriting,
)
from pseudo_service.ports.disclosures import DisclosureStore
from pseudo_service.ports.projects import ProjectStore
from pseudo_service.ports.register import RegisterKeeper, RegisterStore

MOST_ERASED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintainedStores:
    """The stores that maintenance reads and rewrites.

    Attributes:
        register: The segments and data keys.
        keeper: Rewrites the same register.
        disclosures: Which people were released where.
        projects: The projects that disclosures may be of.
    """

    register: RegisterStore
    keeper: RegisterKeeper
    disclosures: DisclosureStore
    projects: ProjectStore


class RegisterMaintenance:
    """Verifies, compacts and erases, as the linkage identity."""

    def __init__(
        self,
        *,
        opening: RegisterOpening,
        stores: MaintainedStores,
        sealing: RewriteSealing,
        runs: MaintenanceRuns,
        service_root: Root,
        rules: IdentifierRules,
    ) -> None:
        """Take what the linkage identity may use.

        Args:
            opening: Opens the register for a grant.
            stores: The same register, and what goes with it.
            sealing: Seals what is rewritten.
            runs: Authorises and records runs.
            service_root: Derives the keys of indices, codes and seals.
            rules: What the deployment accepts as an identifier.
        """
        self._opening = opening
        self._stores = stores
        self._sealing = sealing
        self._runs = runs
        self._service_root = service_root
        self._rules = rules

    def verify(self, actor: Actor) -> Iterator[RegisterProgress | RegisterVerdict]:
        """Open everything and prove it whole; the last item is the verdict.

        Raises:
            AccessDenied: The caller is no custodian.
            KeyVaultUnavailable: The data keys cannot be unwrapped now.
        """
        run = self._runs.begin(actor, Permission.MAINTAIN_REGISTER)
        run.record(AuditKind.REGISTER_VERIFY_INTENT, {})
        return self._verify(run)

    def compact(
        self, *, reason: str, actor: Actor
    ) -> Iterator[RegisterProgress | CompactionReport]:
        """Merge segments and disclosures; the last item is the report.

        Raises:
            InvalidArgument: There is no reason, or a long number in it.
            StateConflict: Another run rewrites the register; run it again later.
            As ``verify`` does.
        """
        run = self._runs.begin(actor, Permission.MAINTAIN_REGISTER)
        note = parse_justification("reason", reason)
        run.record(AuditKind.REGISTER_COMPACT_INTENT, {"reason": note})
        return self._compact(run)

    def erase(
        self, identifiers: Sequence[str], *, kind: str, order: str, actor: Actor
    ) -> ErasureReport:
        """Take people out for ever; their pseudonyms resolve to nobody then.

        Every process reads the register anew, so that a person who comes again is
        registered again.

        Args:
            identifiers: 1 to 1,000; repeats count once.
            kind: Their kind, as text.
            order: The reference of the order that demands it.
            actor: A custodian.

        Raises:
            InvalidArgument: One of them is no identifier; the message has its position.
            RegisterCorrupt: Parts of the register do not open and may still hold
                somebody; the people in all other parts are erased.
            As ``compact`` does.
        """
        run = self._runs.begin(actor, Permission.ERASE_IDENTITIES)
        parsed = IdentifierKind.parse(kind)
        note = parse_justification("order", order)
        canonical = self._canonicalise(identifiers, parsed)
        noted: dict[str, Detail] = {
            "kind": parsed.text,
            "order": note,
            "count": len(canonical),
        }
        for subjects in self._list_subject_codes(canonical, parsed):
            named = {**noted, "subjects": subjects}
            run.record(AuditKind.IDENTITIES_ERASE_INTENT, named)
        return self._erase(run, noted, canonical, parsed)

    def _verify(
        self, run: MaintenanceRun
    ) -> Iterator[RegisterProgress | RegisterVerdict]:
        opened = self._opening.open(run.mint_grant(), tolerate_refusals=True)
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
            data_keys=sum(1 for _ in self._stores.register.read_data_keys()),
            disclosures=members.count,
            faults=tuple(sorted({*scan.faults, *members.faults})),
        )
        counted: dict[str, Detail] = {
            "segments": verdict.segments,
            "identities": verdict.identities,
            "distinct_identities": verdict.distinct_identities,
            "memberships": verdict.disclosures,
            **_count_faults(verdict.faults),
        }
        run.record(AuditKind.REGISTER_VERIFIED, counted)
        yield verdict

    def _compact(
        self, run: MaintenanceRun
    ) -> Iterator[RegisterProgress | CompactionReport]:
        opened = self._opening.open(run.mint_grant())
        keys_before = sum(1 for _ in self._stores.register.read_data_keys())
        describe = partial(run.describe, AuditKind.REGISTER_REWRITTEN)
        sealer, members = self._sealing.begin(), self._read_members(opened)
        segments = SegmentRewriting(
            opened=opened, keeper=self._stores.keeper, sealer=sealer, describe=describe
        )
        yield from segments.merge()
        rewriting = DisclosureRewriting(
            reader=members,
            store=self._stores.disclosures,
            sealer=sealer,
            describe=describe,
        )
        for project in self._stores.projects.list():
            rewriting.merge(project.project_id)
        self._stores.keeper.drop_unused_data_keys(
            made_before=self._sealing.find_oldest_held(),
            audit=[describe({"data_keys": "dropped unused"})],
        )
        report = CompactionReport(
            segments_before=segments.segments,
            segments_after=segments.segments - segments.removed + segments.written,
            data_keys_before=keys_before,
            data_keys_after=sum(1 for _ in self._stores.register.read_data_keys()),
            disclosures_before=members.count,
            disclosures_after=members.count - rewriting.removed + rewriting.written,
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
        run: MaintenanceRun,
        noted: Mapping[str, Detail],
        canonical: Sequence[str],
        kind: IdentifierKind,
    ) -> ErasureReport:
        opened = self._opening.open(run.mint_grant())
        describe = partial(run.describe, AuditKind.REGISTER_REWRITTEN)
        blind = _hash_all(self._service_root, KeyUse.BLIND_INDEX, kind, canonical)
        sealer, members = self._sealing.begin(), self._read_members(opened)
        segments = SegmentRewriting(
            opened=opened, keeper=self._stores.keeper, sealer=sealer, describe=describe
        )
        found = segments.erase(MacIndex.build(blind), kind=kind)
        DisclosureRewriting(
            reader=members,
            store=self._stores.disclosures,
            sealer=sealer,
            describe=describe,
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
        self._stores.keeper.renew_database_id([outcome])
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

    def _read_members(self, opened: OpenRegister) -> CheckedDisclosures:
        return CheckedDisclosures(
            opened=opened,
            store=self._stores.disclosures,
            service_root=self._service_root,
        )

    def _list_subject_codes(
        self, canonical: Sequence[str], kind: IdentifierKind
    ) -> Iterator[str]:
        """Yield the keyed codes of people, as many at a time as an event takes."""
        codes = _hash_all(self._service_root, KeyUse.SUBJECT_CODE, kind, canonical)
        for start in range(0, len(codes), CODES_AN_EVENT):
            part = codes[start : start + CODES_AN_EVENT]
            yield BETWEEN.join(code.tobytes().hex() for code in part)


def _hash_all(
    root: Root, use: KeyUse, kind: IdentifierKind, canonical: Sequence[str]
) -> Macs:
    hashing = KeyedHash(root.derive(use, kind.text), kind)
    macs = b"".join(map(hashing.mac_one, canonical))
    return np.frombuffer(macs, np.uint8).reshape(-1, MAC_BYTES)


def _count_faults(faults: Sequence[RegisterFault]) -> dict[str, Detail]:
    counts: dict[str, Detail] = {"faults": len(faults)}
    for name in sorted({fault.fault.value for fault in faults}):
        counts[name] = sum(fault.fault.value == name for fault in faults)
    return counts
