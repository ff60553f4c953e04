"""``pseudo serve``: what is open without a token, certificates, and a graceful end."""

import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from pseudo_client import Client
from pseudo_client.retries import NO_RETRIES
from pseudo_service.adapters.identity.local_certificates import (
    LocalCertificates,
    TlsFiles,
)
from pseudo_service.api.v1 import (
    administration_pb2,
    deidentification_pb2,
    linkage_pb2,
    register_pb2,
)
from pseudo_service.transport.interceptors.methods import PUBLIC_METHODS
from pseudo_service.transport.server import METHODS
from tests.lib.services.client_certificates import issue_client
from tests.lib.services.served import (
    ServedProcess,
    await_serving,
    check_health,
    describe_service,
    hold_free_port,
    write_config,
)
from tests.lib.services.service import MovableClock, RunningService
from tests.lib.services.wire import (
    TableWire,
    catch,
    make_end,
    make_header,
    make_message,
)
from tests.lib.values.cohort import PURPOSE, make_batches, make_numbers
from tests.lib.values.trail import read_stored_events, verify_stored_trail

LISTED = "spiffe://localhost/loader"
SERVICES = (
    deidentification_pb2.DESCRIPTOR.services_by_name["DeidentificationService"],
    administration_pb2.DESCRIPTOR.services_by_name["AdministrationService"],
    linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"],
    register_pb2.DESCRIPTOR.services_by_name["RegisterService"],
)


def test_every_rpc_of_the_contract_is_in_the_table() -> None:
    named = {
        f"/{service.full_name}/{method.name}"
        for service in SERVICES
        for method in service.methods
    }
    assert named == METHODS.authenticated
    assert not named & PUBLIC_METHODS


def test_health_is_open(shared_service: RunningService) -> None:
    for name in ("", *(service.full_name for service in SERVICES)):
        status = check_health(shared_service, name)
        assert status == health_pb2.HealthCheckResponse.SERVING
    unknown = catch(lambda: check_health(shared_service, "unknown.Service"))
    assert unknown.status is grpc.StatusCode.NOT_FOUND


def test_reflection_is_open_and_tells_the_contract(
    shared_service: RunningService,
) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(shared_service.channel())
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=10)
    listed = {each.name for each in answer.list_services_response.service}
    assert {service.full_name for service in SERVICES} < listed


def test_a_method_that_nobody_wrote_is_unknown(shared_service: RunningService) -> None:
    token = shared_service.issue("custodian")
    call = shared_service.channel().unary_unary(
        "/pseudo_service.api.v1.AdministrationService/DropEverything"
    )
    metadata = (("authorization", f"Bearer {token}"),)
    refusal = catch(lambda: call(b"", metadata=metadata, timeout=10))
    assert refusal.status is grpc.StatusCode.UNIMPLEMENTED


def test_without_tls_nobody_is_heard(shared_service: RunningService) -> None:
    with grpc.insecure_channel(shared_service.address) as channel:
        call = channel.unary_unary("/grpc.health.v1.Health/Check")
        refusal = catch(lambda: call(b"", timeout=5))
    assert refusal.status is grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def certified(state: Path) -> Iterator[tuple[RunningService, int, LocalCertificates]]:
    """A served process with a second port for client certificates."""
    local = LocalCertificates(state / "tls")
    files = local.ensure_server(MovableClock().now())
    paths = {"certificate": "server-certificate.pem", "key": "server-key.pem"}
    (state / paths["certificate"]).write_bytes(files.certificate)
    (state / paths["key"]).write_bytes(files.private_key)
    (state / "authorities.pem").write_bytes(files.authority)
    tls = {name: str(state / path) for name, path in paths.items()}
    with hold_free_port() as port, hold_free_port() as mtls_port:
        config = write_config(
            state,
            port,
            server={
                "mtls_address": f"127.0.0.1:{mtls_port}",
                "tls": {**tls, "client_authorities": str(state / "authorities.pem")},
            },
            identity={
                "local_issuer": True,
                "certificates": [{"name": LISTED, "roles": ["pipeline:asthma"]}],
            },
        )
        process = ServedProcess(config).go()
        service = describe_service(state, port)
        try:
            await_serving(service, process)
            yield service, mtls_port, local
        finally:
            service.closing.close()
            process.stop()


def connect(
    service: RunningService, port: int, client: TlsFiles, **options: str
) -> Client:
    return service.closing.enter_context(
        Client(
            f"localhost:{port}",
            root_certificates=service.root_certificates,
            client_certificate=client.certificate,
            client_key=client.private_key,
            retries=NO_RETRIES,
            **options,
        )
    )


def test_a_listed_certificate_is_a_caller(
    certified: tuple[RunningService, int, LocalCertificates],
) -> None:
    service, port, local = certified
    number = make_numbers(20_000, 1)
    ask = {"kind": "nhs_number", "project": "asthma", "purpose": PURPOSE}
    by_token = service.pipeline().pseudonymise(number, **ask)
    now = service.clock.now()
    listed = issue_client(local, LISTED, now)
    assert connect(service, port, listed).pseudonymise(number, **ask) == by_token
    outcomes = {}
    unlisted = issue_client(local, "spiffe://localhost/other", now)
    stranger = issue_client(LocalCertificates(service.state / "strangers"), LISTED, now)
    token = service.issue("pipeline:asthma")
    attempts = {
        "an unlisted one": connect(service, port, unlisted),
        "of another authority": connect(service, port, stranger),
        "and a token too": connect(service, port, listed, token=token),
        "none": service.closing.enter_context(
            Client(
                f"localhost:{port}",
                root_certificates=service.root_certificates,
                token=token,
                retries=NO_RETRIES,
            )
        ),
    }
    for name, client in attempts.items():
        with pytest.raises(Exception, match=r".") as caught:
            client.pseudonymise(number, **ask)
        outcomes[name] = getattr(caught.value, "code", None)
    assert outcomes["an unlisted one"] == "UNAUTHENTICATED"
    assert outcomes["and a token too"] == "UNAUTHENTICATED"
    assert outcomes["of another authority"] not in {None, "UNAUTHENTICATED"}
    assert outcomes["none"] not in {None, "UNAUTHENTICATED"}  # no handshake, no call
    other_project = {**ask, "project": "stroke"}
    with pytest.raises(Exception, match="needs the role"):
        connect(service, port, listed).pseudonymise(number, **other_project)


def test_a_graceful_end(state: Path) -> None:
    """An open stream finishes and has its receipt; nothing new is taken; exit 0."""
    first, second = make_batches(21_000, batches=2, rows=10)
    with hold_free_port() as port:
        process = ServedProcess(write_config(state, port)).go()
        service = describe_service(state, port)
        try:
            await_serving(service, process)
            stream = TableWire(service).send(make_header(), make_message(0, first))
            schema = stream.open()
            stream.receive_batch(schema)
            process.terminate()
            _await_refusal(service)
            stream.send(make_message(1, second), make_end(2, 20)).close()
            assert stream.receive_batch(schema).num_rows == 10
            assert stream.receive().receipt.receipt.signature
            assert stream.drain() == []
            assert process.wait() == 0
        finally:
            service.closing.close()
            process.stop()
    kinds = [event["kind"] for event in read_stored_events(service.config)]
    assert kinds.count("table_finished") == 1
    verdict = verify_stored_trail(service.config)
    assert verdict.findings == ()
    assert verdict.unanchored_events == 0  # the last checkpoint covers it all


def _await_refusal(service: RunningService) -> None:
    """Return once a fresh connection is told that the service ends."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            status = check_health(service)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017
            return
        if status == health_pb2.HealthCheckResponse.NOT_SERVING:
            return
        time.sleep(0.01)
    msg = "the service still takes calls"
    raise AssertionError(msg)


def test_health_tells_the_end_to_who_watches(state: Path) -> None:
    """A watcher on an open connection sees SERVING turn into NOT_SERVING."""
    with hold_free_port() as port:
        process = ServedProcess(write_config(state, port)).go()
        service = describe_service(state, port)
        try:
            await_serving(service, process)
            watch = service.channel().unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            seen = watch(health_pb2.HealthCheckRequest(), timeout=30)
            assert next(seen).status == health_pb2.HealthCheckResponse.SERVING
            process.terminate()
            assert next(seen).status == health_pb2.HealthCheckResponse.NOT_SERVING
            seen.cancel()
            assert process.wait() == 0
        finally:
            service.closing.close()
            process.stop()


def test_a_stream_that_never_ends_does_not_stop_the_end(state: Path) -> None:
    (batch,) = make_batches(22_000, batches=1, rows=10)
    with hold_free_port() as port:
        limits = {"limits": {"drain_seconds": 1}}
        process = ServedProcess(write_config(state, port, server=limits)).go()
        service = describe_service(state, port)
        try:
            await_serving(service, process)
            stream = TableWire(service).send(make_header(), make_message(0, batch))
            stream.receive_batch(stream.open())
            process.terminate()
            assert process.wait(25) == 0
            refusal = stream.catch()
            assert refusal.status in {
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.CANCELLED,
                grpc.StatusCode.INVALID_ARGUMENT,
            }
        finally:
            service.closing.close()
            process.stop()
    assert verify_stored_trail(service.config).findings == ()
    kinds = [event["kind"] for event in read_stored_events(service.config)]
    assert "table_finished" not in kinds
    assert kinds.count("table_failed") == 1


def test_a_configuration_that_cannot_work_is_one_line(state: Path) -> None:
    config = write_config(state, 0, key_vault={"type": "magic"})
    process = ServedProcess(config).go()
    try:
        assert process.wait() not in {0, None}
        output = process.read_output()
        assert "Traceback" not in output
        assert "key_vault" in output
    finally:
        process.stop()
