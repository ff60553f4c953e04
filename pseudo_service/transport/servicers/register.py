"""RegisterService: decode, call the engine, encode."""

from collections.abc import Iterator, Sequence

import grpc

from pseudo_service.api.v1 import register_pb2 as messages
from pseudo_service.api.v1 import register_pb2_grpc as services
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.register.reports import (
    CompactionReport,
    RegisterProgress,
    RegisterVerdict,
)
from pseudo_service.core.register.segments import RegisterFault
from pseudo_service.engine.disclosures.opt_out_recall import OptOutRecall, RecallReport
from pseudo_service.engine.disclosures.version_map import (
    KeyVersionMap,
    KeyVersionMapEnd,
)
from pseudo_service.engine.register.maintenance import RegisterMaintenance
from pseudo_service.transport.codecs.fields import encode_statement
from pseudo_service.transport.interceptors.calls import current_call

MOST_FAULTS = 10_000
"""Named in an answer; the audit trail has the count of all."""
MOST_UNACCOUNTED = 10_000


class RegisterServicer(services.RegisterServiceServicer):
    """Serves the register's maintenance; nothing here answers an identifier."""

    def __init__(
        self,
        *,
        maintenance: RegisterMaintenance,
        recall: OptOutRecall,
        key_map: KeyVersionMap,
    ) -> None:
        self._maintenance = maintenance
        self._recall = recall
        self._key_map = key_map

    def VerifyRegister(
        self, request: messages.VerifyRegisterRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.VerifyRegisterResponse]:
        """Open everything, change nothing."""
        for item in self._maintenance.verify(current_call().actor):
            if isinstance(item, RegisterProgress):
                progress = _encode_progress(item)
                yield messages.VerifyRegisterResponse(progress=progress)
            else:
                verdict = _encode_verdict(item)
                yield messages.VerifyRegisterResponse(verdict=verdict)

    def CompactRegister(
        self, request: messages.CompactRegisterRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.CompactRegisterResponse]:
        """Merge segments and disclosures."""
        actor = current_call().actor
        for item in self._maintenance.compact(reason=request.reason, actor=actor):
            if isinstance(item, RegisterProgress):
                progress = _encode_progress(item)
                yield messages.CompactRegisterResponse(progress=progress)
            else:
                report = _encode_report(item)
                yield messages.CompactRegisterResponse(report=report)

    def EraseIdentities(
        self, request: messages.EraseIdentitiesRequest, context: grpc.ServicerContext
    ) -> messages.EraseIdentitiesResponse:
        """Take people out of the register."""
        report = self._maintenance.erase(
            request.identifiers,
            kind=request.kind,
            order=request.order,
            actor=current_call().actor,
        )
        return messages.EraseIdentitiesResponse(
            erased=report.erased, not_registered=report.not_registered
        )

    def RecallOptOuts(
        self, request: messages.RecallOptOutsRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.RecallOptOutsResponse]:
        """Answer the pseudonyms of people who are opted out now."""
        call = current_call()
        call.name_project(request.project)
        for item in self._recall.recall(
            ProjectId(request.project), purpose=request.purpose, actor=call.actor
        ):
            if isinstance(item, RecallReport):
                report = _encode_recall(item)
                yield messages.RecallOptOutsResponse(report=report)
            else:
                recalled = messages.RecalledPseudonyms(pseudonyms=item.pseudonyms)
                yield messages.RecallOptOutsResponse(pseudonyms=recalled)

    def MapKeyVersions(
        self, request: messages.MapKeyVersionsRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.MapKeyVersionsResponse]:
        """Answer which new pseudonym follows which old one."""
        call = current_call()
        call.name_project(request.project)
        for item in self._key_map.map(
            ProjectId(request.project),
            old_version=KeyVersion(request.old_version),
            new_version=KeyVersion(request.new_version),
            purpose=request.purpose,
            actor=call.actor,
        ):
            if isinstance(item, KeyVersionMapEnd):
                yield messages.MapKeyVersionsResponse(end=_encode_map_end(item))
            else:
                pairs = messages.KeyVersionPairs(old=item.old, new=item.new)
                yield messages.MapKeyVersionsResponse(pairs=pairs)


def _encode_recall(report: RecallReport) -> messages.RecallReport:
    return messages.RecallReport(
        people_released=report.people_released,
        people_opted_out=report.people_opted_out,
        pseudonyms=report.pseudonyms,
        opt_out_list=report.opt_out_list,
        unaccounted_operations=_shorten(report.unaccounted),
    )


def _encode_map_end(end: KeyVersionMapEnd) -> messages.KeyVersionMapEnd:
    return messages.KeyVersionMapEnd(
        statement=encode_statement(end.statement),
        pairs=end.pairs,
        unaccounted_operations=_shorten(end.unaccounted),
    )


def _shorten(unaccounted: Sequence[str]) -> list[str]:
    """Return as many lines as an answer takes, and how many more there are."""
    lines = list(unaccounted[:MOST_UNACCOUNTED])
    left = len(unaccounted) - len(lines)
    return [*lines, f"and {left} more"] if left else lines


def _encode_progress(progress: RegisterProgress) -> messages.RegisterProgress:
    return messages.RegisterProgress(
        segments=progress.segments, identities=progress.identities
    )


def _encode_verdict(verdict: RegisterVerdict) -> messages.RegisterVerdict:
    return messages.RegisterVerdict(
        segments=verdict.segments,
        identities=verdict.identities,
        distinct_identities=verdict.distinct_identities,
        data_keys=verdict.data_keys,
        memberships=verdict.disclosures,
        faults=_encode_faults(verdict.faults),
    )


def _encode_report(report: CompactionReport) -> messages.CompactionReport:
    return messages.CompactionReport(
        segments_before=report.segments_before,
        segments_after=report.segments_after,
        data_keys_before=report.data_keys_before,
        data_keys_after=report.data_keys_after,
        memberships_before=report.disclosures_before,
        memberships_after=report.disclosures_after,
        identities=report.identities,
        faults=_encode_faults(report.faults),
    )


def _encode_faults(faults: Sequence[RegisterFault]) -> list[messages.RegisterFault]:
    return [
        messages.RegisterFault(fault=fault.fault.value, where=fault.where)
        for fault in faults[:MOST_FAULTS]
    ]
