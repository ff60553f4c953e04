"""Linkage requests: ask, review, redeem; and who ever released one person."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import grpc

from pseudo_client.administration_values import read_moment, write_moment
from pseudo_client.api.v1 import linkage_pb2 as pb
from pseudo_client.api.v1.linkage_pb2_grpc import LinkageServiceStub
from pseudo_client.calls import Caller
from pseudo_client.errors import ProtocolBroken
from pseudo_client.linkage_values import (
    Linkage,
    LinkageDetails,
    SealedResult,
    SubjectHistory,
)
from pseudo_client.statuses import translate

_REDEEM_SECONDS = 900.0  # the whole register is opened, whatever is asked for
_PAGE = 100


class LinkageCalls:
    """The linkage calls of a client; served by the linkage desk's processes only."""

    _caller: Caller

    def submit_linkage(
        self,
        *,
        verb: str,
        project: str,
        purpose: str,
        legal_basis: str,
        consent_reference: str,
        recipient_key: bytes,
        expires_at: datetime,
        pseudonyms: Iterable[str] = (),
        mode: str = "routine",
        target_project: str = "",
        identifier: str = "",
        kind: str = "",
        redeemer: str = "",
    ) -> Linkage:
        """Ask for a release; others must approve exactly this before it happens.

        Args:
            verb: "reidentify", "translate" or "locate".
            project: Whose pseudonyms are given.
            purpose: What the answer is for, in 3 to 120 plain characters.
            legal_basis: One of the closed list in docs/linkage.md.
            consent_reference: The reference of the controller's consent.
            recipient_key: The public X25519 key, 32 bytes, to seal the answer to.
            expires_at: With its time zone; after it nothing is released.
            pseudonyms: For "reidentify" and "translate"; repeats count once.
            mode: "routine" or "break_glass".
            target_project: For "translate": whose pseudonyms are wanted.
            identifier: For "locate": one person's number.
            kind: The kind of ``identifier``.
            redeemer: Who will redeem; the caller if empty.

        Raises:
            RequestRefused: Something is missing, or too much is asked for.
            PseudonymRefused: Naming the position of what is no pseudonym.
            ServiceError: The service refused or failed.
        """
        request = pb.SubmitLinkageRequest(
            verb=verb,
            mode=mode,
            project=project,
            target_project=target_project,
            pseudonyms=list(pseudonyms),
            identifier=identifier,
            kind=kind,
            purpose=purpose,
            legal_basis=legal_basis,
            consent_reference=consent_reference,
            recipient_key=recipient_key,
            redeemer=redeemer,
            expires_at=write_moment(expires_at),
        )
        answer = self._caller.order(self._linkage_desk().SubmitLinkage, request)
        return Linkage.from_message(answer.linkage)

    def review_linkage(
        self, request_id: str, *, digest: bytes, decision: str, reason: str
    ) -> Linkage:
        """Approve or reject exactly the request whose digest was seen.

        Args:
            request_id: Which request.
            digest: Of the ``Linkage`` that was judged.
            decision: "approve" or "reject".
            reason: Why, in plain words without numbers of people.

        Raises:
            ReviewRefused: The caller may not review this, or it is another digest.
            RequestState: The request cannot be reviewed any more.
        """
        request = pb.ReviewLinkageRequest(
            request_id=request_id, digest=digest, decision=decision, reason=reason
        )
        answer = self._caller.order(self._linkage_desk().ReviewLinkage, request)
        return Linkage.from_message(answer.linkage)

    def withdraw_linkage(self, request_id: str, *, reason: str) -> Linkage:
        """Take back one's own request before it is released."""
        request = pb.WithdrawLinkageRequest(request_id=request_id, reason=reason)
        answer = self._caller.order(self._linkage_desk().WithdrawLinkage, request)
        return Linkage.from_message(answer.linkage)

    def get_linkage(self, request_id: str) -> LinkageDetails:
        """Return a request with what it asks for.

        Raises:
            RequestUnknown: There is none, or the caller may not see it.
        """
        request = pb.GetLinkageRequest(request_id=request_id)
        answer = self._caller.ask(self._linkage_desk().GetLinkage, request)
        return LinkageDetails.from_message(answer)

    def list_linkages(
        self, project: str, *, states: Sequence[str] = ()
    ) -> Iterator[Linkage]:
        """Iterate a project's requests, the newest first, page by page."""
        cursor = b""
        while True:
            request = pb.ListLinkagesRequest(
                project=project, states=states, page_size=_PAGE, cursor=cursor
            )
            answer = self._caller.ask(self._linkage_desk().ListLinkages, request)
            yield from (Linkage.from_message(each) for each in answer.linkages)
            cursor = answer.next_cursor
            if not cursor:
                return

    def redeem_linkage(
        self, request_id: str, *, timeout: float = _REDEEM_SECONDS
    ) -> SealedResult:
        """Release an approved request, or fetch its kept answer again.

        It is not tried again by itself: where the connection breaks, redeem once
        more, and the kept answer comes.

        Raises:
            GrantRefused: The votes on record do not support it.
            GrantSpent: It was released and no answer was kept.
            RequestExpired: Its time is over.
            ProtocolBroken: What came is not what the header announced.
        """
        call = self._linkage_desk().RedeemLinkage(
            pb.RedeemLinkageRequest(request_id=request_id),
            timeout=timeout,
            metadata=self._caller.connection.metadata(),
        )
        try:
            return _gather(iter(call), request_id)
        except grpc.RpcError as failure:
            raise translate(failure) from None

    def trace_subject(
        self, identifier: str, *, kind: str, purpose: str, project: str = ""
    ) -> SubjectHistory:
        """Return who ever had one person re-identified, translated or located.

        Args:
            identifier: The person's number.
            kind: Its kind, such as "nhs_number".
            purpose: What the answer is for.
            project: Only this project's releases; an auditor may leave it empty.
        """
        request = pb.TraceSubjectRequest(
            project=project, identifier=identifier, kind=kind, purpose=purpose
        )
        answer = self._caller.ask(self._linkage_desk().TraceSubject, request)
        return SubjectHistory.from_message(answer)

    def _linkage_desk(self) -> LinkageServiceStub:
        return LinkageServiceStub(self._caller.connection.channel())


def _gather(
    answers: Iterator[pb.RedeemLinkageResponse], request_id: str
) -> SealedResult:
    first = next(answers, None)
    if first is None or first.WhichOneof("payload") != "header":
        msg = "the answer does not begin with its header; redeem again"
        raise ProtocolBroken(msg)
    header = first.header
    sealed = bytearray()
    for answer in answers:
        sealed += answer.chunk
        if answer.WhichOneof("payload") != "chunk" or len(sealed) > header.sealed_bytes:
            msg = "the answer holds more than its header announced; redeem again"
            raise ProtocolBroken(msg)
    whole = bytes(sealed)
    found = (header.request_id, len(whole), hashlib.sha256(whole).digest())
    if found != (request_id, header.sealed_bytes, header.sealed_digest):
        msg = "the answer is not what its header announced; redeem again"
        raise ProtocolBroken(msg)
    return SealedResult(
        request_id=header.request_id,
        digest=header.digest,
        sealed=whole,
        available_until=read_moment(header.available_until),
        released_now=header.released_now,
    )
