"""Who is refused, and how: tokens, purposes, quotas. Over TLS, by every RPC."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import jwt
import pytest

from pseudo_client import Client, DateShift, OptOuts, PseudoClientError
from pseudo_service.adapters.identity.local_issuer import AUDIENCE, ISSUER
from pseudo_service.transport.server import METHODS
from tests.lib.services.service import POLICY, OpenService, RunningService
from tests.lib.services.tokens import Signer
from tests.lib.services.wire import (
    TableWire,
    catch,
    make_end,
    make_header,
    make_messages,
    refuse_table,
    write_bearer,
)
from tests.lib.values.cohort import PURPOSE, make_batches, make_cohort, make_numbers

DENIED = grpc.StatusCode.PERMISSION_DENIED
UNKNOWN = grpc.StatusCode.UNAUTHENTICATED
NUMBERS = make_numbers(4_000, 10)


def call_bare(service: RunningService, method: str, **options: Any) -> object:
    """Call any method with an empty message, as one that streams both ways."""
    channel = service.channel()
    call = channel.stream_stream(
        method, request_serializer=bytes, response_deserializer=bytes
    )
    return list(call(iter([b""]), timeout=20, **options))


@pytest.mark.parametrize("method", sorted(METHODS.authenticated))
def test_every_method_needs_a_caller(
    method: str, shared_service: RunningService
) -> None:
    refusal = catch(lambda: call_bare(shared_service, method))
    assert (refusal.code, refusal.status) == ("UNAUTHENTICATED", UNKNOWN)
    bearer = write_bearer("not-a-token")
    refusal = catch(lambda: call_bare(shared_service, method, metadata=bearer))
    assert (refusal.code, refusal.status) == ("UNAUTHENTICATED", UNKNOWN)


def forge(service: RunningService, **changes: Any) -> str:
    """Return a token of the local issuer's own key with claims changed."""
    token = service.issue("pipeline:asthma")
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    (path,) = (service.state / "issuer").glob("*.pem")
    return jwt.encode({**claims, **changes}, path.read_bytes(), "ES256", header)


def expire(service: RunningService) -> str:
    second = int((service.clock.now() - timedelta(hours=2)).timestamp())
    return forge(service, iat=second, exp=second + 3600)


def sign_elsewhere(service: RunningService) -> str:
    now = int(service.clock.now().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "loader",
        "roles": ["pipeline:asthma"],
        "iat": now,
        "exp": now + 60,
    }
    return Signer("elsewhere", "EC").sign(claims)


def unsign(service: RunningService) -> str:
    claims = jwt.decode(
        service.issue("pipeline:asthma"), options={"verify_signature": False}
    )
    return jwt.encode(claims, key="", algorithm="none")


TOKENS: dict[str, tuple[Callable[[RunningService], str], str]] = {
    "it has expired": (expire, "TOKEN_EXPIRED"),
    "for another audience": (lambda s: forge(s, aud="urn:other"), "UNAUTHENTICATED"),
    "of another issuer": (lambda s: forge(s, iss="urn:other"), "UNAUTHENTICATED"),
    "signed by another key": (sign_elsewhere, "UNAUTHENTICATED"),
    "not signed": (unsign, "UNAUTHENTICATED"),
    "of an e-mail address": (lambda s: forge(s, sub="a@b.example"), "UNAUTHENTICATED"),
    "from the future": (
        lambda s: forge(s, iat=int(s.clock.now().timestamp()) + 600),
        "UNAUTHENTICATED",
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_that_proves_nothing_is_refused(
    name: str, shared_service: RunningService
) -> None:
    make, code = TOKENS[name]
    token = make(shared_service)
    refusal = refuse_table(shared_service, make_header(), token=token)
    assert (refusal.code, refusal.status) == (code, UNKNOWN)
    assert not [part for part in token.split(".") if part and part in refusal.text]


def test_a_token_that_expires_on_the_way_ends_the_stream(
    service: RunningService,
) -> None:
    batches = make_batches(4_100, batches=2, rows=5)
    token = service.issue("pipeline:asthma", lifetime=timedelta(minutes=10))
    first, second = make_messages(batches)
    stream = TableWire(service, token=token).send(make_header(), first)
    assert stream.receive_batch(stream.open()).num_rows == 5
    service.clock.advance(minutes=11)
    refusal = stream.send(second).catch()
    assert (refusal.code, refusal.status) == ("TOKEN_EXPIRED", UNKNOWN)


def send_table(client: Client) -> object:
    table = make_cohort(NUMBERS)
    return client.deidentify(
        table, project="asthma", policy=POLICY, purpose=PURPOSE
    ).read_all()


def pseudonymise(client: Client) -> object:
    return client.pseudonymise(
        NUMBERS, kind="nhs_number", project="asthma", purpose=PURPOSE
    )


def test_nobody_is_pipeline_and_researcher_in_one_project(
    shared_service: RunningService,
) -> None:
    both = shared_service.client("pipeline:asthma", "researcher:asthma")
    for call in (send_table, pseudonymise):
        with pytest.raises(PseudoClientError, match="both pipeline and researcher"):
            call(both)
    apart = shared_service.client("pipeline:asthma", "researcher:stroke")
    assert send_table(apart)


DOTTED = ".".join((NUMBERS[0][:3], NUMBERS[0][3:6], NUMBERS[0][6:]))
PURPOSES = [
    *("", " ", "ab", "x" * 121, "a\nb c", "9 to 5"),
    *(f"number {NUMBERS[0]}", f"number {DOTTED}", "born 12/03/1961"),
]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_must_be_stated(purpose: str, shared_service: RunningService) -> None:
    refusal = refuse_table(shared_service, make_header(purpose=purpose))
    assert refusal.code == "PURPOSE_MISSING"
    assert refusal.status is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(PseudoClientError) as caught:
        shared_service.pipeline().pseudonymise(
            NUMBERS, kind="nhs_number", project="asthma", purpose=purpose
        )
    assert caught.value.code == "PURPOSE_MISSING"
    assert NUMBERS[0] not in refusal.text + caught.value.message


@pytest.mark.parametrize("number", [NUMBERS[0], DOTTED, DOTTED.replace(".", " ")])
def test_what_a_custodian_writes_for_the_audit_names_no_patient(
    number: str, service: RunningService
) -> None:
    custodian, note = service.custodian(), f"complaint of {number}"
    opt_outs = OptOuts(application="applied", legal_basis=note, uncheckable="remove")
    for call in (
        lambda: custodian.suspend_project("asthma", reason=note),
        lambda: custodian.rotate_key("asthma", current_version=1, reason=note),
        lambda: custodian.create_project(
            "kidney",
            title=note,
            date_shift=DateShift(unit="weeks", bound=52, direction="past"),
            opt_outs=OptOuts(
                application="applied", legal_basis="consent", uncheckable="remove"
            ),
            daily_quota=10,
        ),
        lambda: service.create_project("kidney", opt_outs=opt_outs),
    ):
        with pytest.raises(PseudoClientError, match="long number") as caught:
            call()
        assert caught.value.code == "INVALID_ARGUMENT"
        assert number not in caught.value.message


def test_a_quota_counts_patients_once(open_service: OpenService) -> None:
    """Ten a day: resends and other formats are free, the eleventh patient is not."""
    service = open_service()
    service.create_project("kidney", quota=10)
    table = make_cohort(NUMBERS)
    assert service.deidentify(table, "kidney").num_rows == 10
    assert service.deidentify(table, "kidney").num_rows == 10
    spaced = [f"{n[:3]} {n[3:6]} {n[6:]}" for n in NUMBERS]
    assert service.deidentify(make_cohort(spaced), "kidney").num_rows == 10
    assert service.pseudonymise(NUMBERS[3], "kidney")
    (eleventh,) = make_numbers(4_500, 1)
    refusal = refuse_table(
        service,
        make_header(project="kidney"),
        *make_messages(make_cohort([*NUMBERS[:3], eleventh]).to_batches()),
        make_end(1, 4),
        project="kidney",
    )
    assert refusal.code == "QUOTA_EXCEEDED"
    assert refusal.status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "10" in refusal.message
    assert eleventh not in refusal.text
    with pytest.raises(PseudoClientError) as caught:
        service.pseudonymise(eleventh, "kidney")
    assert caught.value.code == "QUOTA_EXCEEDED"
    assert service.pseudonymise(NUMBERS[0], "kidney")  # what was paid for stays paid
    assert service.pseudonymise(eleventh, "asthma")  # another project
    other = service.pipeline("kidney", subject="another-loader")
    assert other.pseudonymise(
        [eleventh], kind="nhs_number", project="kidney", purpose=PURPOSE
    )
    service.clock.advance(days=1)
    assert service.pseudonymise(eleventh, "kidney")


def test_a_quota_holds_between_processes(
    open_service: OpenService, postgres_url: str
) -> None:
    one, other = (open_service(database={"url": postgres_url}) for _ in range(2))
    one.create_project("kidney", quota=10)
    other.clock.ahead = one.clock.ahead
    assert one.deidentify(make_cohort(NUMBERS[:6]), "kidney").num_rows == 6
    assert other.deidentify(make_cohort(NUMBERS[4:]), "kidney").num_rows == 6
    (eleventh,) = make_numbers(4_500, 1)
    for service in (one, other):
        with pytest.raises(PseudoClientError, match="distinct identifiers a day"):
            service.pseudonymise(eleventh, "kidney")
