"""Converts linkage messages to values of the core and back; it decides nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

from pseudo_service.api.v1 import linkage_pb2 as messages
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageState,
    LinkageTerms,
    LinkageVerb,
    Vote,
)
from pseudo_service.engine.audit.subject_trace import SubjectRelease, SubjectReleases
from pseudo_service.engine.linkage.views import (
    LinkageDetail,
    LinkagePage,
    LinkageSubmission,
    LinkageView,
    OverlapView,
    SealedRelease,
)
from pseudo_service.transport.codecs.fields import choose, decode_time, encode_time

CHUNK_BYTES: Final = 64 << 10


def decode_submission(message: messages.SubmitLinkageRequest) -> LinkageSubmission:
    """Return what a caller asks for.

    Raises:
        InvalidArgument: A choice is missing or unknown, or the expiry is missing.
    """
    if not message.HasField("expires_at"):
        msg = "expires_at: say until when the request may be released"
        raise InvalidArgument(msg)
    terms = LinkageTerms(
        verb=choose(LinkageVerb, message.verb, "verb"),
        mode=choose(LinkageMode, message.mode, "mode"),
        project=message.project,
        target_project=message.target_project,
        purpose=message.purpose,
        legal_basis=choose(LegalBasis, message.legal_basis, "legal_basis"),
        consent_reference=message.consent_reference,
        recipient_key=message.recipient_key,
        redeemer=message.redeemer,
        expires_at=decode_time(message.expires_at),
    )
    return LinkageSubmission(
        terms=terms,
        pseudonyms=tuple(message.pseudonyms),
        identifier=message.identifier,
        kind=message.kind,
    )


def decode_decision(text: str) -> Decision:
    """Return a reviewer's decision.

    Raises:
        InvalidArgument: The text is no decision.
    """
    return choose(Decision, text, "decision")


def decode_states(texts: Sequence[str]) -> list[LinkageState]:
    """Return the states of a filter.

    Raises:
        InvalidArgument: One is unknown.
    """
    return [choose(LinkageState, text, "states") for text in texts]


def encode_linkage(view: LinkageView) -> messages.Linkage:
    """Return a request as one caller may see it."""
    request, terms = view.request, view.request.terms
    return messages.Linkage(
        request_id=request.request_id,
        verb=terms.verb.value,
        mode=terms.mode.value,
        project=terms.project,
        target_project=terms.target_project,
        purpose=terms.purpose,
        legal_basis=terms.legal_basis.value,
        consent_reference=terms.consent_reference,
        requester=request.requester,
        redeemer=terms.redeemer,
        recipient_key=terms.recipient_key,
        submitted_at=encode_time(request.submitted_at),
        expires_at=encode_time(terms.expires_at),
        subject_count=view.subject_count,
        digest=view.digest,
        state=view.state.value,
        votes=[_encode_vote(vote) for vote in view.votes],
        hidden_votes=view.hidden_votes,
    )


def encode_detail(detail: LinkageDetail) -> messages.GetLinkageResponse:
    """Return a request with what it asks for."""
    return messages.GetLinkageResponse(
        linkage=encode_linkage(detail.view),
        pseudonyms=detail.pseudonyms,
        overlaps=[_encode_overlap(each) for each in detail.overlaps],
    )


def encode_page(page: LinkagePage) -> messages.ListLinkagesResponse:
    """Return some of a project's requests."""
    return messages.ListLinkagesResponse(
        linkages=[encode_linkage(view) for view in page.views],
        next_cursor=page.next_cursor,
    )


def encode_release(release: SealedRelease) -> Iterator[messages.RedeemLinkageResponse]:
    """Yield a sealed result: its header, then its bytes in chunks of 64 KiB."""
    yield messages.RedeemLinkageResponse(
        header=messages.SealedResultHeader(
            request_id=release.request_id,
            digest=release.digest,
            sealed_bytes=len(release.sealed),
            sealed_digest=release.sealed_digest,
            available_until=encode_time(release.available_until),
            released_now=release.released_now,
        )
    )
    for start in range(0, len(release.sealed), CHUNK_BYTES):
        chunk = release.sealed[start : start + CHUNK_BYTES]
        yield messages.RedeemLinkageResponse(chunk=chunk)


def encode_trace(found: SubjectReleases) -> messages.TraceSubjectResponse:
    """Return the releases that concerned one person."""
    return messages.TraceSubjectResponse(
        releases=[_encode_traced(each) for each in found.releases],
        open_requests=found.open_requests,
    )


def _encode_traced(release: SubjectRelease) -> messages.SubjectRelease:
    return messages.SubjectRelease(
        request_id=release.request_id,
        verb=release.verb.value,
        project=release.project,
        target_project=release.target_project,
        released_at=encode_time(release.released_at),
        redeemer=release.redeemer,
        purpose=release.purpose,
    )


def _encode_vote(vote: Vote) -> messages.Vote:
    return messages.Vote(
        reviewer=vote.reviewer,
        guardian_of=vote.guardian_of,
        decision=vote.decision.value,
        reason=vote.reason,
        at=encode_time(vote.at),
    )


def _encode_overlap(overlap: OverlapView) -> messages.Overlap:
    return messages.Overlap(
        request_id=overlap.request_id,
        shared=overlap.shared,
        state=overlap.state.value,
        requester=overlap.requester,
        submitted_at=encode_time(overlap.submitted_at),
    )
