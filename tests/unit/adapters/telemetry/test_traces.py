"""Traces: whole calls, five attributes, to a collector that is configured."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.adapters.telemetry.traces import Traces, make_exporting_traces
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.ports.telemetry import CallRecord

START = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
RECORD = CallRecord(
    method="/a.B/C",
    request_id="ab" * 16,
    code="COLUMN_MISSING",
    started=START,
    ended=START + timedelta(seconds=2),
    subject="tenant:somebody",
    project="asthma",
    rows_in=3,
    rows_out=2,
)


def test_a_span_holds_ids_counts_and_codes_only() -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(exporter))
    traces.record_call(RECORD)
    traces.stop()
    (span,) = exporter.get_finished_spans()
    assert span.name == "/a.B/C"
    assert dict(span.attributes or {}) == {
        "pseudo.request_id": "ab" * 16,
        "pseudo.code": "COLUMN_MISSING",
        "pseudo.project": "asthma",
        "pseudo.rows_in": 3,
        "pseudo.rows_out": 2,
    }
    assert span.start_time == 1772442000123456000
    assert (span.end_time or 0) - span.start_time == 2 * 10**9
    assert not span.status.is_ok
    assert span.events == ()


class Collector:
    """An OTLP collector on loopback, over TLS."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.port = 0

    def export(self, request: ExportTraceServiceRequest, _: object) -> object:
        self.requests.append(request)
        return ExportTraceServiceResponse()


@pytest.fixture
def collector(certificates: LocalCertificates) -> Iterator[Collector]:
    found = Collector()
    tls = certificates.ensure_server(datetime.now(UTC))
    handler = grpc.unary_unary_rpc_method_handler(
        found.export,
        ExportTraceServiceRequest.FromString,
        ExportTraceServiceResponse.SerializeToString,
    )
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(
        ThreadPoolExecutor(2),
        handlers=[grpc.method_handlers_generic_handler(service, {"Export": handler})],
    )
    found.port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials([(tls.private_key, tls.certificate)]),
    )
    server.start()
    yield found
    server.stop(None).wait()


def test_spans_reach_a_collector(
    collector: Collector, certificates: LocalCertificates
) -> None:
    traces = make_exporting_traces(
        f"https://localhost:{collector.port}",
        certificate=certificates.authority_path.read_bytes(),
    )
    traces.record_call(RECORD)
    traces.stop()
    (request,) = collector.requests
    (resource,) = request.resource_spans
    (attribute,) = resource.resource.attributes
    assert (attribute.key, attribute.value.string_value) == ("service.name", "pseudo")
    assert resource.scope_spans[0].spans[0].name == "/a.B/C"
    assert b"somebody" not in request.SerializeToString()


@pytest.mark.parametrize(
    "endpoint", ["collector:4317", "http://collector:4317", "https://", "ftp://a", ""]
)
def test_impossible_endpoints(endpoint: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        make_exporting_traces(endpoint)
