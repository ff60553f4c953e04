import inspect

import grpc
import pytest

import pseudo_client.errors
from client_fakes.service import FakeService, Fault
from client_fakes.statuses import build_status, pack, write_trailers
from pseudo_client import (
    CLASS_BY_REASON,
    NO_RETRIES,
    Client,
    PseudoClientError,
    RetryPolicy,
    ServiceError,
    ServiceUnavailable,
)
from pseudo_client.api.failures_pb2 import ErrorInfo
from pseudo_client.errors import AccessDenied, ProjectUnknown, TooManyCalls
from pseudo_client.statuses import translate

CANARY = "9990000018"


class Failed(grpc.RpcError):
    """A failed call as gRPC raises it."""

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str,
        trailers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        self._code, self._details, self._trailers = code, details, trailers

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return self._trailers


def test_every_class_is_reached() -> None:
    classes = {
        each
        for _, each in inspect.getmembers(pseudo_client.errors, inspect.isclass)
        if issubclass(each, ServiceError) and not each.__subclasses__()
    }
    assert classes <= set(CLASS_BY_REASON.values())


def test_only_what_may_pass_is_retryable() -> None:
    retryable = {code for code, each in CLASS_BY_REASON.items() if each.retryable}
    assert retryable == {
        "CERTIFICATE_EXPIRED",
        "DATABASE_REPLACED",
        "DEADLINE_TOO_SHORT",
        "IDENTITY_PROVIDER_UNAVAILABLE",
        "KEY_VAULT_UNAVAILABLE",
        "STORE_FULL",
        "STORE_UNAVAILABLE",
        "TOO_MANY_STREAMS",
        "TOO_MANY_CALLS",
    }


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_foreign_text_is_never_repeated(code: grpc.StatusCode) -> None:
    failure = Failed(code, f"could not convert {CANARY}", (("x", b"y"),))
    assert CANARY not in f"{translate(failure)!r}"


def test_garbage_in_the_details_is_survived() -> None:
    trailers = (("grpc-status-details-bin", b"\xff\xff\xff"),)
    failure = Failed(grpc.StatusCode.UNAVAILABLE, "", trailers)
    assert isinstance(translate(failure), ServiceUnavailable)


def fail_with(*details: object) -> Failed:
    trailers = write_trailers("about it", *details)
    return Failed(grpc.StatusCode.UNKNOWN, "", trailers)


def test_the_cause_decides_the_class() -> None:
    status = build_status("ACCESS_DENIED", "about it", "request-9")
    error = translate(Failed(status.code, "", status.trailing_metadata))
    assert type(error) is AccessDenied
    assert (error.code, error.request_id) == ("ACCESS_DENIED", "request-9")
    assert error.message == "about it"


def test_the_cause_is_found_among_other_details() -> None:
    other = pack(ErrorInfo(reason="x"), "google.rpc.RetryInfo")
    foreign = pack(ErrorInfo(reason="ACCESS_DENIED", domain="a-proxy"))
    ours = pack(ErrorInfo(reason="PROJECT_UNKNOWN", domain="pseudo"))
    assert type(translate(fail_with(other, foreign, ours))) is ProjectUnknown


def test_the_cause_of_another_domain_is_not_ours() -> None:
    foreign = pack(ErrorInfo(reason="ACCESS_DENIED", domain="a-proxy"))
    error = translate(fail_with(foreign))
    assert type(error) is ServiceError
    assert error.code == "UNKNOWN"
    assert "about it" not in error.message


def test_an_unknown_code_is_a_plain_service_error() -> None:
    error = translate(fail_with(pack(ErrorInfo(reason="FUTURE", domain="pseudo"))))
    assert type(error) is ServiceError
    assert error.code == "FUTURE"


def test_a_certificate_that_is_not_trusted_is_named() -> None:
    failure = Failed(
        grpc.StatusCode.UNAVAILABLE, "Ssl handshake failed: CERTIFICATE_VERIFY_FAILED"
    )
    error = translate(failure)
    assert error.code == "TLS"
    assert not error.retryable


def test_many_concurrent_calls_can_be_tried_again() -> None:
    failure = Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit")
    assert isinstance(translate(failure), TooManyCalls)
    large = Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "message larger than max (5)")
    assert not translate(large).retryable


def test_identifiers_travel_in_chunks(client: Client, service: FakeService) -> None:
    identifiers = [f"{9_990_000_000 + i}" for i in range(2_500)] + ["x"]
    results = client.pseudonymise(
        identifiers, kind="nhs_number", project="cohort", purpose="testing"
    )
    assert len(results) == 2_501
    assert results[2_499].pseudonym == service.pseudonym(identifiers[2_499])
    assert (results[-1].pseudonym, results[-1].refusal) == (None, "NOT_A_NUMBER")


def test_pseudonymise_is_tried_again(
    client: Client, service: FakeService, waits: list[float]
) -> None:
    service.faults.append(Fault(refuse="KEY_VAULT_UNAVAILABLE"))
    assert client.pseudonymise(
        ["9990000018"], kind="nhs_number", project="cohort", purpose="testing"
    )[0].pseudonym
    assert len(waits) == 1


def test_attempts_are_bounded(
    client: Client, service: FakeService, waits: list[float]
) -> None:
    service.faults.extend([Fault(refuse="STORE_UNAVAILABLE")] * 9)
    with pytest.raises(ServiceUnavailable):
        client.pseudonymise(
            ["9990000018"], kind="nhs_number", project="cohort", purpose="testing"
        )
    assert len(waits) == 2


def test_checks_travel_in_chunks(client: Client) -> None:
    assert len(client.check_pseudonyms("cohort", ["P"] * 10_001)) == 10_001
    with pytest.raises(ProjectUnknown):
        client.check_pseudonyms("", ["P"])


def test_a_token_is_asked_for_at_each_call(service: FakeService) -> None:
    given = iter(["old", "a-token-for-tests"])
    with Client(
        service.address,
        token=lambda: next(given),
        root_certificates=service.root_certificates,
        retries=NO_RETRIES,
    ) as client:
        client.check_pseudonyms("cohort", ["P"])
        client.check_pseudonyms("cohort", ["P"])
    assert next(given, None) is None


@pytest.mark.parametrize(
    "proof", [{}, {"client_certificate": b"c"}, {"token": "t", "client_key": b"k"}]
)
def test_a_caller_must_be_able_to_prove_itself(proof: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="give"):
        Client("localhost:1", **proof)  # type: ignore[arg-type]


def test_waits_grow_and_are_drawn() -> None:
    policy = RetryPolicy(first_delay=1, growth=2, longest_delay=3, jitter=0.5)
    drawn = [RetryPolicy.delay(policy, failed) for failed in (1, 2, 3, 9)]
    for delay, whole in zip(drawn, (1, 2, 3, 3), strict=True):
        assert whole / 2 <= delay <= whole


def test_what_may_not_be_retried_is_raised_at_once() -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        msg = "no"
        raise PseudoClientError(msg)

    with pytest.raises(PseudoClientError):
        RetryPolicy(sleep=lambda _: None).run(attempt)
    assert len(attempts) == 1
    with pytest.raises(PseudoClientError):
        RetryPolicy(attempts=3, sleep=lambda _: None).run(
            attempt, may_retry=lambda _: True
        )
    assert len(attempts) == 4
