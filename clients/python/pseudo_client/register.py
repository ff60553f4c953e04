"""Maintenance of the sealed register; no call answers an identifier."""

from collections.abc import Callable, Sequence

import grpc

from pseudo_client.api.v1 import register_pb2 as pb
from pseudo_client.api.v1.register_pb2_grpc import RegisterServiceStub
from pseudo_client.calls import Caller
from pseudo_client.errors import ProtocolBroken
from pseudo_client.register_values import (
    CompactionReport,
    ErasureReport,
    KeyVersionMapEnd,
    RecallReport,
    RegisterProgress,
    RegisterVerdict,
)
from pseudo_client.statuses import translate

Watch = Callable[[RegisterProgress], None]
_ERASE_SECONDS = 3600.0  # the whole register is read, whoever is to be erased
_UNFINISHED = "the answer ended before its report: it is not whole, ask again"
_CUT_OFF = "the answer ended before its report; look with verify what was done"


def _ignore(progress: RegisterProgress) -> None:
    del progress


class RegisterCalls:
    """The register's calls of a client; served by the linkage desk's processes only.

    Every method raises ``ServiceError``.
    """

    _caller: Caller

    def verify_register(self, *, watch: Watch = _ignore) -> RegisterVerdict:
        """Have everything opened and proved whole; nothing is changed.

        Args:
            watch: Told from time to time how far it is.
        """
        call = self._register_desk().VerifyRegister(
            pb.VerifyRegisterRequest(), metadata=self._caller.connection.metadata()
        )
        try:
            for answer in call:
                if answer.WhichOneof("payload") == "verdict":
                    return RegisterVerdict.from_message(answer.verdict)
                watch(RegisterProgress.from_message(answer.progress))
        except grpc.RpcError as failure:
            raise translate(failure) from None
        raise ProtocolBroken(_CUT_OFF)

    def compact_register(
        self, *, reason: str, watch: Watch = _ignore
    ) -> CompactionReport:
        """Merge segments, data keys and disclosures; safe to interrupt and run again.

        Args:
            reason: Kept in the audit trail.
            watch: Told from time to time how far it is.
        """
        call = self._register_desk().CompactRegister(
            pb.CompactRegisterRequest(reason=reason),
            metadata=self._caller.connection.metadata(),
        )
        try:
            for answer in call:
                if answer.WhichOneof("payload") == "report":
                    return CompactionReport.from_message(answer.report)
                watch(RegisterProgress.from_message(answer.progress))
        except grpc.RpcError as failure:
            raise translate(failure) from None
        raise ProtocolBroken(_CUT_OFF)

    def erase_identities(
        self,
        identifiers: Sequence[str],
        *,
        kind: str,
        order: str,
        timeout: float = _ERASE_SECONDS,
    ) -> ErasureReport:
        """Take people out of the register for ever; safe to run again.

        Args:
            identifiers: 1 to 1,000 numbers of one kind.
            kind: The kind, such as "nhs_number".
            order: The reference of the order that demands it, kept in the audit trail.
            timeout: Seconds to wait.
        """
        request = pb.EraseIdentitiesRequest(
            kind=kind, identifiers=identifiers, order=order
        )
        try:
            answer = self._register_desk().EraseIdentities(
                request, timeout=timeout, metadata=self._caller.connection.metadata()
            )
        except grpc.RpcError as failure:
            raise translate(failure) from None
        return ErasureReport.from_message(answer)

    def recall_opt_outs(
        self, project: str, *, purpose: str, take: Callable[[Sequence[str]], object]
    ) -> RecallReport:
        """Have the released pseudonyms of people named who are opted out now.

        Args:
            project: The project.
            purpose: What the answer is for.
            take: Called with some of the pseudonyms at a time. They are all there
                when this returns, and not before.

        Returns:
            The totals, and which operations the recall could not look into.
        """
        request = pb.RecallOptOutsRequest(project=project, purpose=purpose)
        call = self._register_desk().RecallOptOuts(
            request, metadata=self._caller.connection.metadata()
        )
        try:
            for answer in call:
                if answer.WhichOneof("payload") == "report":
                    return RecallReport.from_message(answer.report)
                take(answer.pseudonyms.pseudonyms)
        except grpc.RpcError as failure:
            raise translate(failure) from None
        raise ProtocolBroken(_UNFINISHED)

    def map_key_versions(
        self,
        project: str,
        *,
        old_version: int,
        new_version: int,
        purpose: str,
        take: Callable[[Sequence[str], Sequence[str]], object],
    ) -> KeyVersionMapEnd:
        """Have the new pseudonyms named of everyone who was released under an old one.

        Args:
            project: The project.
            old_version: The key version of the pseudonyms that are there.
            new_version: The key version of those that replace them.
            purpose: What the answer is for.
            take: Called with some pairs at a time: the old ones, and the new ones in
                the same order. They are all there when this returns, and not before.

        Returns:
            The signed statement, and which operations the map could not look into.
        """
        request = pb.MapKeyVersionsRequest(
            project=project,
            old_version=old_version,
            new_version=new_version,
            purpose=purpose,
        )
        call = self._register_desk().MapKeyVersions(
            request, metadata=self._caller.connection.metadata()
        )
        try:
            for answer in call:
                if answer.WhichOneof("payload") == "end":
                    return KeyVersionMapEnd.from_message(answer.end)
                take(answer.pairs.old, answer.pairs.new)
        except grpc.RpcError as failure:
            raise translate(failure) from None
        raise ProtocolBroken(_UNFINISHED)

    def _register_desk(self) -> RegisterServiceStub:
        return RegisterServiceStub(self._caller.connection.channel())
