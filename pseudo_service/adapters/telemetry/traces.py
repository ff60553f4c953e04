"""OpenTelemetry spans of whole calls, only where an endpoint is configured."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from grpc import ssl_channel_credentials
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from pseudo_service.adapters.telemetry.logs import filter_fields
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.ports.telemetry import CallRecord

_OK = "OK"
_EPOCH_UNIT = timedelta(microseconds=1)


class Traces:
    """Makes one span a call, after its end: method, code, project, rows, id."""

    def __init__(self, processor: SpanProcessor) -> None:
        # Made by hand, it takes nothing from the environment.
        self._provider = TracerProvider(
            resource=Resource({"service.name": "pseudo"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("pseudo")

    def record_call(self, record: CallRecord) -> None:
        """Export a call that has ended."""
        span = self._tracer.start_span(
            record.method,
            kind=SpanKind.SERVER,
            start_time=_to_nanoseconds(record.started),
            attributes=_make_attributes(record),
        )
        if record.code != _OK:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_to_nanoseconds(max(record.started, record.ended)))

    def stop(self) -> None:
        """Send what is waiting and stop."""
        self._provider.shutdown()


def _make_attributes(record: CallRecord) -> dict[str, str | float | bool]:
    """Return what a line of the log could hold as well, through the same list."""
    fields = filter_fields(
        {
            "request_id": record.request_id,
            "code": record.code,
            "project": record.project,
            "rows_in": record.rows_in,
            "rows_out": record.rows_out,
        }
    )
    return {f"pseudo.{name}": value for name, value in fields.items()}


def make_exporting_traces(endpoint: str, *, certificate: bytes | None = None) -> Traces:
    """Return traces that go to an OTLP collector over gRPC, in the background.

    Args:
        endpoint: ``https://host:port``; ``http://`` only for this machine.
        certificate: The authority to trust, PEM; else the system's.

    Raises:
        ConfigurationInvalid: The endpoint cannot be used.
    """
    parts = urlsplit(endpoint)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "traces: the endpoint is https://host:port"
        raise ConfigurationInvalid(msg)
    if parts.scheme == "http" and not local:
        msg = "traces: http:// goes to this machine only; use https://"
        raise ConfigurationInvalid(msg)
    return Traces(BatchSpanProcessor(_make_exporter(endpoint, certificate)))


def _make_exporter(endpoint: str, certificate: bytes | None) -> SpanExporter:
    if endpoint.startswith("http://"):
        return OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=5)
    return OTLPSpanExporter(
        endpoint=endpoint,
        insecure=False,
        credentials=ssl_channel_credentials(certificate),
        timeout=5,
    )


def _to_nanoseconds(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, UTC)) // _EPOCH_UNIT * 1000
