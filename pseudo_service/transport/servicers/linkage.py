"""LinkageService: decode, call the engine, encode."""

from collections.abc import Iterator

import grpc

from pseudo_service.api.v1 import linkage_pb2 as messages
from pseudo_service.api.v1 import linkage_pb2_grpc as services
from pseudo_service.engine.audit.subject_trace import SubjectTrace
from pseudo_service.engine.linkage.desk import LinkageDesk
from pseudo_service.engine.linkage.reading import LinkageReader
from pseudo_service.engine.linkage.release import LinkageRelease
from pseudo_service.transport.codecs.linkage import (
    decode_decision,
    decode_states,
    decode_submission,
    encode_detail,
    encode_linkage,
    encode_page,
    encode_release,
    encode_trace,
)
from pseudo_service.transport.interceptors.calls import current_call


class LinkageServicer(services.LinkageServiceServicer):
    """Serves officers, reviewers and auditors, with the linkage identity only."""

    def __init__(
        self,
        *,
        desk: LinkageDesk,
        reader: LinkageReader,
        release: LinkageRelease,
        trace: SubjectTrace,
    ) -> None:
        self._desk = desk
        self._reader = reader
        self._release = release
        self._trace = trace

    def SubmitLinkage(
        self, request: messages.SubmitLinkageRequest, context: grpc.ServicerContext
    ) -> messages.SubmitLinkageResponse:
        """Submit a request."""
        call = current_call()
        call.name_project(request.project)
        view = self._desk.submit(decode_submission(request), actor=call.actor)
        return messages.SubmitLinkageResponse(linkage=encode_linkage(view))

    def ReviewLinkage(
        self, request: messages.ReviewLinkageRequest, context: grpc.ServicerContext
    ) -> messages.ReviewLinkageResponse:
        """Record a review."""
        view = self._desk.review(
            request.request_id,
            digest=request.digest,
            decision=decode_decision(request.decision),
            reason=request.reason,
            actor=current_call().actor,
        )
        return messages.ReviewLinkageResponse(linkage=encode_linkage(view))

    def WithdrawLinkage(
        self, request: messages.WithdrawLinkageRequest, context: grpc.ServicerContext
    ) -> messages.WithdrawLinkageResponse:
        """Withdraw a request."""
        view = self._desk.withdraw(
            request.request_id, reason=request.reason, actor=current_call().actor
        )
        return messages.WithdrawLinkageResponse(linkage=encode_linkage(view))

    def GetLinkage(
        self, request: messages.GetLinkageRequest, context: grpc.ServicerContext
    ) -> messages.GetLinkageResponse:
        """Show one request."""
        detail = self._reader.get(request.request_id, actor=current_call().actor)
        return encode_detail(detail)

    def ListLinkages(
        self, request: messages.ListLinkagesRequest, context: grpc.ServicerContext
    ) -> messages.ListLinkagesResponse:
        """List a project's requests."""
        call = current_call()
        call.name_project(request.project)
        page = self._reader.list(
            request.project,
            states=decode_states(request.states),
            page_size=request.page_size,
            cursor=request.cursor,
            actor=call.actor,
        )
        return encode_page(page)

    def RedeemLinkage(
        self, request: messages.RedeemLinkageRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.RedeemLinkageResponse]:
        """Release a request, or return the result that was kept."""
        released = self._release.redeem(request.request_id, actor=current_call().actor)
        yield from encode_release(released)

    def TraceSubject(
        self, request: messages.TraceSubjectRequest, context: grpc.ServicerContext
    ) -> messages.TraceSubjectResponse:
        """Return the releases that concerned one person."""
        call = current_call()
        call.name_project(request.project)
        found = self._trace.trace(
            request.identifier,
            kind=request.kind,
            project=request.project,
            purpose=request.purpose,
            actor=call.actor,
        )
        return encode_trace(found)
