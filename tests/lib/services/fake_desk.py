"""The linkage service over loopback TLS, with the real servicer over a desk in memory.

The desk says what it is told to say and notes what it was asked; every interceptor is
the real one, so that a token is needed and refusals travel as they do.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, cast

import grpc
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_client import Client
from pseudo_client.retries import NO_RETRIES
from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.api.v1 import linkage_pb2
from pseudo_service.api.v1.linkage_pb2_grpc import add_LinkageServiceServicer_to_server
from pseudo_service.core.errors import PseudoError
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageOutcome,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
    Vote,
)
from pseudo_service.core.linkage.results import (
    SubjectAnswer,
    encode_answers,
    seal_result,
)
from pseudo_service.engine.audit.subject_trace import SubjectRelease, SubjectReleases
from pseudo_service.engine.linkage.views import (
    LinkageDetail,
    LinkagePage,
    LinkageView,
    OverlapView,
    SealedRelease,
)
from pseudo_service.transport.interceptors import build_interceptors
from pseudo_service.transport.interceptors.certificates import ClientCertificates
from pseudo_service.transport.interceptors.limits import CallLimits
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.servicers.linkage import LinkageServicer
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.services.echo_server import OneToken
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.values.linkage_requests import build_request, replace_request

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
PSEUDONYMS = (
    "ABCD-N1000000000000000000000000003",
    "ABCD-N1000000000000000000000000011",
)
SERVICE = linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"]


def make_request(key: X25519PrivateKey, **changes: Any) -> LinkageRequest:
    """Return a request for two pseudonyms."""
    usual = build_request(
        request_id="3f0c",
        verb=LinkageVerb.REIDENTIFY,
        mode=LinkageMode.ROUTINE,
        project="asthma",
        target_project="",
        subjects=PSEUDONYMS,
        purpose="recall after an alert",
        legal_basis=LegalBasis.DIRECT_CARE,
        consent_reference="letter of 3 March",
        requester="mara",
        redeemer="olek",
        recipient_key=key.public_key().public_bytes_raw(),
        submitted_at=NOON,
        expires_at=NOON + timedelta(hours=72),
    )
    return replace_request(usual, **changes)


def make_vote(**changes: Any) -> Vote:
    """Return a guardian's approval."""
    usual = Vote(
        reviewer="gwen",
        guardian_of=("asthma",),
        decision=Decision.APPROVE,
        reason="it is care",
        at=NOON,
    )
    return replace(usual, **changes)


@dataclass
class FakeDesk:
    """Answers with ``request`` and ``state``; refuses with ``refusal`` if there is one."""

    request: LinkageRequest
    state: LinkageState = LinkageState.SUBMITTED
    votes: tuple[Vote, ...] = ()
    hidden_votes: int = 0
    overlaps: tuple[OverlapView, ...] = ()
    refusal: PseudoError | None = None
    pages: int = 1
    sealed: bytes | None = None
    lie: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def view(self) -> LinkageView:
        return LinkageView(
            request=self.request,
            digest=self.lie.get("digest", self.request.digest()),
            subject_count=len(self.request.subjects),
            state=self.state,
            votes=self.votes,
            hidden_votes=self.hidden_votes,
        )

    def note(self, name: str, **asked: Any) -> None:
        self.asked.append((name, asked))
        if self.refusal is not None:
            raise self.refusal

    def submit(self, submission: Any, *, actor: Any) -> LinkageView:
        self.note("submit", submission=submission, actor=actor)
        return self.view()

    def review(self, request_id: str, **asked: Any) -> LinkageView:
        self.note("review", request_id=request_id, **asked)
        return self.view()

    def withdraw(self, request_id: str, **asked: Any) -> LinkageView:
        self.note("withdraw", request_id=request_id, **asked)
        return self.view()

    def get(self, request_id: str, *, actor: Any) -> LinkageDetail:
        self.note("get", request_id=request_id, actor=actor)
        located = self.request.terms.verb is LinkageVerb.LOCATE
        return LinkageDetail(
            view=self.view(),
            pseudonyms=() if located else tuple(self.request.subjects),
            overlaps=self.overlaps,
        )

    def list(self, project: str, **asked: Any) -> LinkagePage:
        self.note("list", project=project, **asked)
        page = int(asked["cursor"] or b"0") + 1
        following = str(page).encode() if page < self.pages else b""
        return LinkagePage(views=(self.view(),), next_cursor=following)

    def redeem(self, request_id: str, *, actor: Any) -> SealedRelease:
        self.note("redeem", request_id=request_id, actor=actor)
        sealed = self.sealed if self.sealed is not None else self.seal()
        usual = SealedRelease(
            request_id=self.request.request_id,
            digest=self.request.digest(),
            sealed=sealed,
            sealed_digest=sha256(sealed).digest(),
            available_until=self.request.terms.expires_at,
            released_now=True,
        )
        return replace(usual, **self.lie)

    def seal(self) -> bytes:
        answers = [
            SubjectAnswer(
                subject=PSEUDONYMS[0],
                outcome=LinkageOutcome.FOUND,
                kind="nhs_number",
                identifier="9990000018",
            ),
            SubjectAnswer(subject=PSEUDONYMS[1], outcome=LinkageOutcome.UNKNOWN),
        ]
        plain = encode_answers(self.request, answers, released_at=NOON)
        return seal_result(self.request, plain)

    def trace(self, identifier: str, **asked: Any) -> SubjectReleases:
        self.note("trace", identifier=identifier, **asked)
        release = SubjectRelease(
            request_id=self.request.request_id,
            verb=self.request.terms.verb,
            project=self.request.terms.project,
            target_project=self.request.terms.target_project,
            released_at=NOON,
            redeemer=self.request.terms.redeemer,
            purpose=self.request.terms.purpose,
        )
        return SubjectReleases(releases=[release], open_requests=["77aa"])


@dataclass(frozen=True, kw_only=True)
class RunningDesk:
    """A desk that answers, and a client of it."""

    desk: FakeDesk
    key: X25519PrivateKey
    client: Client
    address: str
    authority: bytes


@contextmanager
def serve_desk(certificates: LocalCertificates) -> Iterator[RunningDesk]:
    """Run the service until the block ends; the token is "good"."""
    key = X25519PrivateKey.generate()
    desk = FakeDesk(make_request(key))
    tls = certificates.ensure_server(datetime.now(UTC))
    methods = frozenset(f"/{SERVICE.full_name}/{each.name}" for each in SERVICE.methods)
    server = grpc.server(
        ThreadPoolExecutor(8),
        interceptors=build_interceptors(
            clock=FakeClock(),
            entropy=SeededEntropy(),
            telemetry=RecordingTelemetry(),
            verifier=OneToken(),
            certificates=ClientCertificates(()),
            methods=MethodTable(authenticated=methods),
            limits=CallLimits(
                streams_per_caller=4, calls_per_caller=4, streams=8, calls=8
            ),
            shortest_deadline=timedelta(milliseconds=50),
        ),
    )
    served = cast("Any", desk)
    servicer = LinkageServicer(desk=served, reader=served, release=served, trace=served)
    add_LinkageServiceServicer_to_server(servicer, server)
    pair = [(tls.private_key, tls.certificate)]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    server.start()
    address = f"localhost:{port}"
    try:
        with Client(
            address, token="good", root_certificates=tls.authority, retries=NO_RETRIES
        ) as client:
            yield RunningDesk(
                desk=desk,
                key=key,
                client=client,
                address=address,
                authority=tls.authority,
            )
    finally:
        server.stop(None).wait()
