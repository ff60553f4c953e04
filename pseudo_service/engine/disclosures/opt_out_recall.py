"""Finds released pseudonyms of people who are opted out by the list in force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.arrays import Mask, Prefixes
from pseudo_service.core.arrow.sorted_macs import find_sorted, sort_distinct
from pseudo_service.core.audit.events import AuditKind, Detail
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.engine.disclosures.register_query import (
    RegisterQueries,
    RegisterQuery,
)
from pseudo_service.engine.disclosures.released_people import (
    PseudonymWriter,
    ReleasedPeople,
)
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.register.opening import OpenedIdentities
from pseudo_service.ports.opt_outs import OptOutList

CHUNK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledPseudonyms:
    """Some of the pseudonyms, in an order that shows nothing."""

    pseudonyms: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallReport:
    """The totals; ``unaccounted`` is what the recall could not look into."""

    people_released: int
    people_opted_out: int
    pseudonyms: int
    opt_out_list: str
    unaccounted: Sequence[str]


class OptOutRecall:
    """Opens the register for one project's disclosures, NHS numbers only.

    Other ids cannot be checked against the list, and people who only had dates shifted
    have no pseudonym to name; neither is recalled.
    """

    def __init__(self, *, queries: RegisterQueries, opt_outs: OptOutLists) -> None:
        self._queries = queries
        self._opt_outs = opt_outs

    def recall(
        self, project_id: ProjectId, *, purpose: str, actor: Actor
    ) -> Iterator[RecalledPseudonyms | RecallReport]:
        """Yield the pseudonyms, under every key version released, then the report.

        A reader that gets no report has not got everything.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown, OptOutListMissing,
            OptOutListStale, AliasTableRefused, KeyVaultUnavailable, KeyVaultRefused
            InvalidArgument: The project does not apply opt-outs.
            RegisterCorrupt: A disclosure was edited, or does not open.
        """
        project = self._queries.authorise(
            project_id, Permission.RECALL_OPT_OUTS, purpose=purpose, actor=actor
        )
        found = self._opt_outs.check_for(project)
        if found is None:
            msg = (
                f"project {project_id} does not apply opt-outs, by the legal basis it "
                "was created with: there is nothing to recall"
            )
            raise InvalidArgument(msg)
        check, opt_out_list = found
        query = self._queries.begin(
            project,
            AuditKind.RECALL_INTENT,
            name="recall",
            actor=actor,
            details={"purpose": purpose, "opt_out_list": opt_out_list.list_id},
        )
        return _answer(query, check, opt_out_list)


def _answer(
    query: RegisterQuery, check: OptOutCheck, opt_out_list: OptOutList
) -> Iterator[RecalledPseudonyms | RecallReport]:
    opened = query.open()
    released = _Released.build(opened.gather_released(NHS_NUMBER))
    writers = {
        version: opened.open_writer(NHS_NUMBER, version)
        for version in released.by_version
    }
    scan = opened.scan(NHS_NUMBER)
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
        opt_out_list=opt_out_list.list_id,
        unaccounted=opened.list_unaccounted(
            unmatched=released.everyone.unmatched, faults=len(scan.faults)
        ),
    )
    query.record(AuditKind.RECALLED, _describe(report))
    yield report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Released:
    """Released people, by key version (sorted prefixes) and all together."""

    by_version: Mapping[KeyVersion, Prefixes] = field(repr=False)
    everyone: ReleasedPeople = field(repr=False)

    @classmethod
    def build(cls, by_version: Mapping[KeyVersion, Prefixes]) -> "_Released":
        everyone = ReleasedPeople(sort_distinct(by_version.values()))
        return cls(by_version=by_version, everyone=everyone)


def _pick_opted_out(
    released: _Released, page: OpenedIdentities, check: OptOutCheck
) -> tuple[pa.StringArray, dict[KeyVersion, Mask]]:
    """Return the opted-out people of a page, and a mask of them for each version."""
    prefixes, canonical = released.everyone.match(page)
    leaves = check.find_opted_out(canonical)
    versions = {
        version: find_sorted(known, prefixes[leaves])[0]
        for version, known in released.by_version.items()
    }
    return canonical.filter(pa.array(leaves)), versions


def _write(
    people: pa.StringArray,
    versions: Mapping[KeyVersion, Mask],
    writers: Mapping[KeyVersion, PseudonymWriter],
) -> pa.StringArray:
    """Return the pseudonyms, sorted: the register's order would show who came first."""
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
