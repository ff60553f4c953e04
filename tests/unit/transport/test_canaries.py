"""A patient's number thrown at every door: nothing that is written repeats it."""

import io
from collections.abc import Iterator

import grpc
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.adapters.telemetry import (
    LogRouting,
    Metrics,
    OperatorTelemetry,
    SafeLog,
    Traces,
)
from pseudo_service.transport.interceptors.calls import current_call
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.services.echo_server import ARITIES, LISTED, Echo, serve_echo

CANARY = "9990000018"


class Watched:
    """A service whose every output is kept."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.spans = InMemorySpanExporter()
        self.metrics = Metrics(methods=LISTED, cell_codes=[])
        self.safe_log = SafeLog(
            clock=FakeClock(),
            stream=self.log,
            on_dropped=self.metrics.count_dropped_fields,
        )
        self.telemetry = OperatorTelemetry(
            log=self.safe_log,
            metrics=self.metrics,
            traces=Traces(SimpleSpanProcessor(self.spans)),
        )
        self.errors: list[str] = []

    def everything(self) -> str:
        spans = [span.to_json() for span in self.spans.get_finished_spans()]
        metrics = generate_latest(self.metrics.registry).decode()
        return "\n".join([self.log.getvalue(), metrics, *spans, *self.errors])


@pytest.fixture
def watched() -> Iterator[Watched]:
    found = Watched()
    routing = LogRouting(found.safe_log)
    routing.install()
    yield found
    routing.remove()


@pytest.fixture
def echo(watched: Watched, certificates: LocalCertificates) -> Iterator[Echo]:
    with serve_echo(certificates, telemetry=watched.telemetry) as service:
        yield service


def provoke(watched: Watched, echo: Echo, **options: object) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        echo.call(**options)  # type: ignore[arg-type]
    error = caught.value
    watched.errors.append(f"{error.details()} {error.trailing_metadata()!r}")


@pytest.mark.parametrize("method", ARITIES)
def test_nothing_written_repeats_it(
    method: str, echo: Echo, watched: Watched, capfd: pytest.CaptureFixture[str]
) -> None:
    def work(request: bytes, context: grpc.ServicerContext) -> bytes:
        call = current_call()
        call.project = CANARY
        watched.telemetry.log("working", name=CANARY, reason=f"row {CANARY}")
        message = f"{request!r} {context.invocation_metadata()} {CANARY}"
        raise ValueError(message) from KeyError(CANARY)

    echo.work = work
    payload = [CANARY.encode()]
    extra = [("x-patient", CANARY)]
    provoke(watched, echo, method=method, requests=payload, metadata=extra)
    provoke(watched, echo, method=method, requests=payload, token=CANARY)
    provoke(watched, echo, method=f"{CANARY}{method}", requests=payload)
    written = capfd.readouterr()
    assert "INTERNAL" in watched.everything(), "the failure itself is told"
    assert CANARY not in watched.everything() + written.out + written.err


def test_the_log_has_one_line_a_call_and_one_a_failure(
    echo: Echo, watched: Watched
) -> None:
    echo.call()
    echo.work = lambda *_: int(CANARY + "x").to_bytes()
    provoke(watched, echo)
    text = watched.log.getvalue()
    assert text.count('"event": "call_ended"') == 2
    assert text.count('"event": "call_failed"') == 1
    assert CANARY not in text
