"""Who calls: tokens, certificates, neither, both; and what is open."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from pseudo_service.adapters.identity.local_certificates import (
    LocalCertificates,
    TlsFiles,
)
from pseudo_service.core.access.roles import Actor, Role, RoleGrant
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.certificates import (
    AllowedCertificate,
    ClientCertificates,
)
from tests.lib.services.client_certificates import issue_client
from tests.lib.services.echo_server import (
    ARITIES,
    Echo,
    invoke,
    read_error_info,
    serve_echo,
)

LOADER = "spiffe://localhost/loader"
GRANTS = frozenset({RoleGrant(role=Role.PIPELINE, project="asthma")})
ALLOWED = [AllowedCertificate(name=LOADER, grants=GRANTS)]


@pytest.fixture
def certified(certificates: LocalCertificates) -> Iterator[Echo]:
    with serve_echo(certificates, ALLOWED) as service:
        service.work = name_caller
        yield service


@pytest.fixture(scope="module")
def loader(certificates: LocalCertificates) -> TlsFiles:
    return issue_client(certificates, LOADER, datetime.now(UTC))


@pytest.fixture(scope="module")
def stranger(certificates: LocalCertificates) -> TlsFiles:
    return issue_client(certificates, f"{LOADER}/2", datetime.now(UTC))


def name_caller(*_: object) -> bytes:
    return current_call().actor.subject.encode()


def refuse_reason(echo: Echo, **options: object) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        echo.call(**options)  # type: ignore[arg-type]
    return str(read_error_info(caught.value).reason)


@pytest.mark.parametrize("method", ARITIES)
def test_a_token_names_the_caller_in_every_arity(method: str, echo: Echo) -> None:
    echo.work = name_caller
    assert set(echo.call(method)) == {b"tester"}
    assert echo.telemetry.calls[0].subject == "tester"


@pytest.mark.parametrize("method", ARITIES)
@pytest.mark.parametrize("token", [None, "", "bad"])
def test_nobody_gets_in(method: str, token: str | None, echo: Echo) -> None:
    echo.work = lambda *_: pytest.fail("the servicer was reached")
    assert refuse_reason(echo, method=method, token=token) == "UNAUTHENTICATED"
    assert echo.telemetry.calls[0].subject is None


@pytest.mark.parametrize(
    "value", ["Basic Z29vZA==", "good", "Bearer", "Bearer ", "Bearergood", ""]
)
def test_other_schemes_are_refused(value: str, echo: Echo) -> None:
    metadata = [("authorization", value)]
    assert refuse_reason(echo, token=None, metadata=metadata) == "UNAUTHENTICATED"


def test_the_scheme_is_written_in_any_case(echo: Echo) -> None:
    assert echo.call(token=None, metadata=[("authorization", "bEARER good")])


def test_two_tokens_are_refused(echo: Echo) -> None:
    metadata = [("authorization", "Bearer good")]
    assert refuse_reason(echo, metadata=metadata) == "UNAUTHENTICATED"


def test_a_listed_certificate_names_the_caller(
    certified: Echo, loader: TlsFiles
) -> None:
    found: list[Actor] = []

    def work(*_: object) -> bytes:
        found.append(current_call().actor)
        return b""

    certified.work = work
    certified.call(token=None, client=loader)
    (actor,) = found
    expiry = x509.load_pem_x509_certificate(loader.certificate).not_valid_after_utc
    assert actor == Actor(
        subject=f"certificate:{LOADER}", grants=GRANTS, expires_at=expiry
    )


def test_an_unlisted_certificate_is_nobody(certified: Echo, stranger: TlsFiles) -> None:
    assert refuse_reason(certified, token=None, client=stranger) == "UNAUTHENTICATED"


def test_an_empty_list_is_nobody(echo: Echo, loader: TlsFiles) -> None:
    assert refuse_reason(echo, token=None, client=loader) == "UNAUTHENTICATED"


def test_a_token_beside_an_unlisted_certificate_counts(
    certified: Echo, stranger: TlsFiles
) -> None:
    assert certified.call(client=stranger) == [b"tester"]


@pytest.mark.parametrize("token", ["good", "bad"])
def test_a_token_beside_a_listed_certificate_is_refused(
    token: str, certified: Echo, loader: TlsFiles
) -> None:
    assert refuse_reason(certified, token=token, client=loader) == "UNAUTHENTICATED"


def test_certificates_of_another_authority_do_not_connect(
    certified: Echo,
    certificates: LocalCertificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = LocalCertificates(tmp_path_factory.mktemp("other") / "tls")
    forged = issue_client(other, LOADER, datetime.now(UTC))
    forged = TlsFiles(
        certificate=forged.certificate,
        private_key=forged.private_key,
        authority=certified.tls.authority,
    )
    with pytest.raises(grpc.RpcError) as caught:
        certified.call(token=None, client=forged, timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert certified.telemetry.calls == []


@pytest.fixture
def aged(tmp_path: Path) -> LocalCertificates:
    """An authority that was there before any certificate of these tests."""
    authority = LocalCertificates(tmp_path / "tls")
    issue_client(authority, LOADER, datetime.now(UTC) - timedelta(days=200))
    return authority


@pytest.mark.parametrize(
    "when", [timedelta(days=-100), timedelta(days=2)], ids=["expired", "too early"]
)
def test_certificates_out_of_their_time_do_not_connect(
    when: timedelta, aged: LocalCertificates
) -> None:
    now = datetime.now(UTC)
    timely, late = (issue_client(aged, LOADER, each) for each in (now, now + when))
    assert timely.authority == late.authority, "only its time speaks against it"
    with serve_echo(aged, ALLOWED) as service:
        assert service.call(token=None, client=timely) == [b"x"]
        with pytest.raises(grpc.RpcError) as caught:
            service.call(token=None, client=late, timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_server_certificate_is_no_client(certified: Echo) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        certified.call(token=None, client=certified.tls, timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("names", [["a", "a"], [""], ["x" * 201]])
def test_an_impossible_allow_list(names: list[str]) -> None:
    with pytest.raises(ConfigurationInvalid):
        ClientCertificates(
            [AllowedCertificate(name=name, grants=GRANTS) for name in names]
        )


def test_an_unlisted_method_is_closed_even_to_verified_callers(echo: Echo) -> None:
    echo.work = lambda *_: pytest.fail("the servicer was reached")
    assert refuse_reason(echo, method="Forgotten") == "ACCESS_DENIED"
    assert echo.telemetry.calls[0].method == "unlisted"


def test_an_unknown_method_is_unimplemented(echo: Echo) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        echo.call("Nowhere")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_public_method_is_open_and_knows_nobody(echo: Echo) -> None:
    assert echo.call("Open", token=None) == [b"x"]
    assert echo.call("Open", token="bad") == [b"x"]
    assert echo.telemetry.calls[0].subject is None
    echo.work = name_caller
    assert refuse_reason(echo, method="Open") == "UNAUTHENTICATED"


def test_an_expired_caller_is_stopped_in_a_long_stream(echo: Echo) -> None:
    echo.verifier.actor = Actor(
        subject="tester",
        grants=GRANTS,
        expires_at=echo.clock.now() + timedelta(minutes=5),
    )

    def work(request: bytes, _: object) -> bytes:
        echo.clock.advance(minutes=2)
        current_call().check_still_valid(echo.clock.now())
        return request

    echo.work = work
    answers: list[bytes] = []
    with echo.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        answers.extend(
            channel.stream_stream("/tests.Echo/StreamStream")(
                iter([b"1", b"2", b"3"]),
                metadata=[("authorization", "Bearer good")],
            )
        )
    assert read_error_info(caught.value).reason == "TOKEN_EXPIRED"


def test_calls_at_a_time_do_not_see_each_other(echo: Echo) -> None:
    echo.work = lambda *_: current_call().request_id.encode()
    metadata = [("authorization", "Bearer good")]
    with echo.channel() as channel:
        stream = channel.stream_stream("/tests.Echo/StreamStream")
        requests = [iter([b"1", b"2", b"3"]) for _ in range(2)]
        first, second = (stream(part, metadata=metadata) for part in requests)
        pairs = list(zip(first, second, strict=True))
        between = invoke(channel, "UnaryUnary", [b"x"], 10, metadata)
    ids = {answers[0] for answers in pairs} | {answers[1] for answers in pairs}
    assert len(ids) == 2
    assert between[0] not in ids
