"""Which released pseudonyms are of people who are opted out by the list in force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.sorted_macs import find_sorted, sort_distinct
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.disclosures.disclosure import (
    DisclosureUse,
)
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.projects.project import Project
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.disclosures.released_people import (
    Prefixes,
    PseudonymWriter,
    ReleasedPeople,
    open_writer,
    tell_missing,
)
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.register.opening import (
    MaintenanceGrant,
    OpenedIdentities,
    OpenRegister,
    RegisterOpening,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.opt_outs import OptOutList
from pseudo_service.ports.projects import ProjectStore

CHUNK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledPseudonyms:
    """Some of the pseudonyms, in no order that tells anything."""

    pseudonyms: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallReport:
    """The totals, and in ``unaccounted`` what the recall could not look into."""

    people_released: int
    people_opted_out: int
    pseudonyms: int
    opt_out_list: str
    unaccounted: Sequence[str]


class OptOutRecall:
    """Opens the register for one project's memberships, NHS numbers only.

    Other ids cannot be held against the list, and whoever had only dates shifted has
    no pseudonym to name; neither is recalled.
    """

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        opt_outs: OptOutLists,
        opening: RegisterOpening,
        memberships: DisclosureReader,
        unaccounted: UnaccountedOperations,
        key_ring: KeyRing,
        journal: Journal,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._access_control = access_control
        self._projects = projects
        self._opt_outs = opt_outs
        self._opening = opening
        self._memberships = memberships
        self._unaccounted = unaccounted
        self._key_ring = key_ring
        self._journal = journal
        self._clock = clock
        self._entropy = entropy

    def recall(
        self, project_id: str, *, purpose: str, actor: Actor
    ) -> Iterator[RecalledPseudonyms | RecallReport]:
        """Yield the pseudonyms, under every key version released, then the report.

        Whoever reads no report has not got all.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown, OptOutListMissing,
            OptOutListStale, AliasTableRefused, KeyVaultUnavailable, KeyVaultRefused
            InvalidArgument: The project does not apply opt-outs.
            RegisterCorrupt: A membership was edited, or does not open.
        """
        self._access_control.require_for_data(
            actor, Permission.RECALL_OPT_OUTS, project=project_id, purpose=purpose
        )
        project = self._projects.get(project_id)
        found = self._opt_outs.check_for(project)
        if found is None:
            msg = (
                f"project {project_id} does not apply opt-outs, by the legal basis it "
                "was created with: there is nothing to recall"
            )
            raise InvalidArgument(msg)
        check, facts = found
        run = _Run(
            project=project,
            actor=actor,
            operation=f"recall-{self._entropy.draw(8).hex()}",
        )
        self._record(
            AuditKind.RECALL_INTENT,
            run,
            {"purpose": purpose, "opt_out_list": facts.list_id},
        )
        return self._answer(run, check, facts)

    def _answer(
        self, run: "_Run", check: OptOutCheck, facts: OptOutList
    ) -> Iterator[RecalledPseudonyms | RecallReport]:
        # First: a stream that ends while this reads is then named, and not missed.
        unaccounted = self._name_unaccounted(run.project)
        opened = self._opening.open(MaintenanceGrant(operation=run.operation))
        released = self._gather_released(run.project, opened)
        writers = {
            version: open_writer(self._key_ring, run.project, NHS_NUMBER, version)
            for version in released.by_version
        }
        scan = opened.scan(kind=NHS_NUMBER)
        opted_out = pseudonyms = 0
        for page in scan:
            people, versions = _pick_opted_out(released, page, check)
            opted_out += len(people)
            written = _write(people, versions, writers)
            pseudonyms += len(written)
            for start in range(0, len(written), CHUNK):
                piece = written[start : start + CHUNK].to_pylist()
                yield RecalledPseudonyms(pseudonyms=piece)
        report = RecallReport(
            people_released=len(released.everyone),
            people_opted_out=opted_out,
            pseudonyms=pseudonyms,
            opt_out_list=facts.list_id,
            unaccounted=[
                *tell_missing(released.everyone.unmet, len(scan.faults)),
                *unaccounted,
            ],
        )
        self._record(AuditKind.RECALLED, run, _describe(report))
        yield report

    def _gather_released(self, project: Project, opened: OpenRegister) -> "_Released":
        by_version: dict[int, list[Prefixes]] = {}
        for membership, members in self._memberships.read(
            opened,
            project=project.project_id,
            kind=NHS_NUMBER.text,
            use=DisclosureUse.PSEUDONYM,
        ):
            parts = by_version.setdefault(membership.key_version, [])
            parts.append(members.prefixes)
        joined = {
            version: sort_distinct(parts)
            for version, parts in sorted(by_version.items())
        }
        everyone = sort_distinct(list(joined.values()))
        return _Released(by_version=joined, everyone=ReleasedPeople(everyone))

    def _name_unaccounted(self, project: Project) -> list[str]:
        found = self._unaccounted.find(project.project_id)
        return [one.describe() for one in found]

    def _record(
        self, kind: AuditKind, run: "_Run", details: Mapping[str, Detail]
    ) -> None:
        self._journal.record(
            AuditEvent(
                kind=kind,
                at=self._clock.now(),
                actor=run.actor.subject,
                project=run.project.project_id,
                operation=run.operation,
                details=details,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    project: Project
    actor: Actor
    operation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Released:
    """Released people, by key version (sorted prefixes) and all together."""

    by_version: Mapping[int, Prefixes] = field(repr=False)
    everyone: ReleasedPeople = field(repr=False)


def _pick_opted_out(
    released: _Released, page: OpenedIdentities, check: OptOutCheck
) -> tuple[pa.StringArray, dict[int, npt.NDArray[np.bool_]]]:
    """Return who of a page is opted out, and which of them each version released."""
    prefixes, canonical = released.everyone.meet(page)
    leaves = check.find_opted_out(canonical)
    versions = {
        version: find_sorted(known, prefixes[leaves])[0]
        for version, known in released.by_version.items()
    }
    return canonical.filter(pa.array(leaves)), versions


def _write(
    people: pa.StringArray,
    versions: Mapping[int, npt.NDArray[np.bool_]],
    writers: Mapping[int, PseudonymWriter],
) -> pa.StringArray:
    """Return the pseudonyms, sorted: in the register's order they told who came first."""
    written = [
        writer.write(people.filter(pa.array(versions[version])))
        for version, writer in writers.items()
    ]
    joined = pa.concat_arrays(written) if written else pa.array([], pa.string())
    return joined.take(pc.sort_indices(joined))


def _describe(report: RecallReport) -> dict[str, Detail]:
    return {
        "opt_out_list": report.opt_out_list,
        "people_released": report.people_released,
        "people_opted_out": report.people_opted_out,
        "pseudonyms": report.pseudonyms,
        "unaccounted": len(report.unaccounted),
    }
