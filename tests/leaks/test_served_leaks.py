"""A served process that is sent nothing but canaries shows none of them.

Every logger is open at DEBUG and every record is kept before any filter of ours:
what a library would print if somebody turned it up counts as printed.
"""

import base64
import contextlib
import hashlib
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import pytest

from pseudo_service.config import Config
from tests.leaks.every_call import make_every_call
from tests.lib.services.served import (
    RUNNER,
    ServedProcess,
    await_serving,
    describe_service,
    hold_free_port,
    write_config,
)
from tests.lib.values.canaries import Canaries, collect_keys, read_files
from tests.lib.values.trail import read_stored_events

SPY = """
import logging, os, sys, traceback
_sink = open(os.environ["PSEUDO_TEST_SPY"], "a", buffering=1, errors="replace")
_make = logging.LogRecord
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def _note(*arguments, **named):
    record = _make(*arguments, **named)
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    try:
        text = record.getMessage()
    except Exception:
        text = f"{record.msg!r} {record.args!r}"
    _sink.write(f"{record.name} {text} {record.args!r} {trace}\\n")
    return record

def _watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        _sink.write(f"writes {arguments[0]!r}\\n")
    elif event in {"os.mkdir", "os.rename", "os.link", "subprocess.Popen"}:
        _sink.write(f"{event} {arguments!r}\\n")

sys.addaudithook(_watch)
logging.setLogRecordFactory(_note)
logging.Logger.isEnabledFor = lambda self, level: True
"""


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """All that a process left behind, here and with its clients."""

    config: Config
    files: dict[str, bytes]
    canaries: Canaries
    log_records: str
    output: str
    came_back: str
    metrics: str
    spans: bytes
    temporary: Path


@contextlib.contextmanager
def collect_spans() -> Iterator[tuple[str, list[bytes]]]:
    """Run an OTLP collector on loopback; yield its endpoint and what it is sent."""
    received: list[bytes] = []
    handler = grpc.unary_unary_rpc_method_handler(
        lambda request, _: received.append(request) or b""  # type: ignore[func-returns-value]
    )
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(name, {"Export": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", received
    finally:
        server.stop(None)


def find_metrics_port(process: ServedProcess, service_port: int) -> int:
    """Return the other port that a process listens on; the kernel chose it."""
    found = psutil.Process(process.process.pid).net_connections("tcp")
    ports = {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}
    (port,) = ports - {service_port}
    return int(port)


def read_metrics(port: int) -> str:
    address = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(address, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture(scope="module")
def aftermath(
    service_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Aftermath:
    folder = tmp_path_factory.mktemp("leaks")
    state = folder / "state"
    shutil.copytree(service_template, state)
    spy = folder / "records.log"
    temporary = folder / "temporary"
    temporary.mkdir()
    canaries = Canaries()
    with collect_spans() as (collector, spans), hold_free_port() as port:
        telemetry = {
            "metrics_address": "127.0.0.1:0",
            "otlp_endpoint": collector,
        }
        process = ServedProcess(
            write_config(
                state, port, telemetry=telemetry, text={"modes": ["thorough"]}
            ),
            runner=SPY + RUNNER,
            environment={
                "PSEUDO_TEST_SPY": str(spy),
                "GRPC_VERBOSITY": "DEBUG",
                "RUST_LOG": "debug",
                "PYTHONWARNINGS": "default",
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": str(temporary),
                "SQLITE_TMPDIR": str(temporary),
            },
        ).go()
        service = describe_service(state, port)
        try:
            await_serving(service, process)
            came_back = make_every_call(service, canaries)
            metrics = read_metrics(find_metrics_port(process, port))
            service.closing.close()
            await_spans(spans)
            # A clean end would take the write-ahead log away.
            files = {**read_files(state), **read_files(temporary)}
            process.kill()
        finally:
            with contextlib.suppress(Exception):
                service.closing.close()
            process.stop()
    canaries.secrets |= collect_keys(service.config)
    return Aftermath(
        config=service.config,
        files=files,
        canaries=canaries,
        log_records=spy.read_text(errors="replace"),
        output=process.read_output(),
        came_back="\n".join(came_back),
        metrics=metrics,
        spans=b"".join(spans),
        temporary=temporary,
    )


def await_spans(spans: list[bytes]) -> None:
    """Return when the last calls are told of; they are sent every few seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if b"MapKeyVersions" in b"".join(spans) and b"RedactText" in b"".join(spans):
            return
        time.sleep(0.1)
    msg = "the collector is told too little"
    raise AssertionError(msg)


def test_the_search_would_find_each_guise(aftermath: Aftermath) -> None:
    canaries = aftermath.canaries
    assert len(canaries.secrets) > 100
    assert len(canaries.texts) > 20
    for name, text in canaries.texts.items():
        assert name in canaries.find(f"a line with {text} in it")
    for name, number in canaries.texts.items():
        if number.isdecimal():
            for guise in (
                int(number).to_bytes(8, "little"),
                hashlib.sha256(number.encode()).digest(),
                base64.b64encode(f"of {number}".encode()),
                repr(number.encode().hex()).encode(),
            ):
                assert name in canaries.find(b"so " + guise + b" it goes")
    for name, secret in canaries.secrets.items():
        alone = Canaries({}, {name: secret})
        for guise in (secret, repr(secret).encode(), secret.hex().upper().encode()):
            assert alone.find(b"so " + guise + b" it goes") == [name]


def test_nothing_in_what_was_printed(aftermath: Aftermath) -> None:
    assert "call_ended" in aftermath.output
    assert "call_refused" in aftermath.output
    assert aftermath.canaries.find(aftermath.output) == []


def test_nothing_in_any_log_record(aftermath: Aftermath) -> None:
    """Of any library, at any level."""
    assert "sqlalchemy" in aftermath.log_records  # the spy does hear libraries
    assert len(aftermath.log_records.splitlines()) > 1000
    assert aftermath.canaries.find(aftermath.log_records) == []


def test_nothing_in_errors_and_receipts(aftermath: Aftermath) -> None:
    codes = {
        "COLUMN_UNLISTED",
        "COLUMN_TYPE_UNSUITABLE",
        "BATCH_MALFORMED",
        "BATCH_OUT_OF_ORDER",
        "SCHEMA_CHANGED",
        "STREAM_INCOMPLETE",
        "POLICY_INVALID",
        "PURPOSE_MISSING",
        "INVALID_ARGUMENT",
        "UNAUTHENTICATED",
        "OPT_OUT_LIST_REFUSED",
    }
    assert {code for code in codes if code not in aftermath.came_back} == set()
    assert "code='INTERNAL'" not in aftermath.came_back
    assert aftermath.canaries.find(aftermath.came_back) == []


def test_nothing_in_metrics(aftermath: Aftermath) -> None:
    assert "COLUMN_UNLISTED" in aftermath.metrics
    assert aftermath.canaries.find(aftermath.metrics) == []


def test_nothing_in_traces(aftermath: Aftermath) -> None:
    assert b"RedeemLinkage" in aftermath.spans
    assert b"EraseIdentities" in aftermath.spans
    assert aftermath.canaries.find(aftermath.spans) == []


def test_nothing_is_written_elsewhere(aftermath: Aftermath) -> None:
    """Every file opened for writing is the state's, a temporary one's, or compiled."""
    written = set(re.findall(r"^writes '(.*)'$", aftermath.log_records, re.MULTILINE))
    assert any("/state/" in path for path in written)
    state, temporary = aftermath.config.state_directory, aftermath.temporary
    expected = (f"{state}/", f"{temporary}/", "/dev/")
    others = {path for path in written if not path.startswith(expected)}
    assert [path for path in others if "__pycache__" not in path] == []


def test_nothing_in_the_trail(aftermath: Aftermath) -> None:
    events = read_stored_events(aftermath.config)
    kinds = {event["kind"] for event in events}
    expected = {"batch_intent", "values_intent", "texts_intent", "table_failed"}
    expected |= {"linkage_submitted", "linkage_released", "linkage_fetched"}
    expected |= {"subject_traced", "identities_erased", "project_closing_agreed"}
    assert {*expected, "opt_outs_loaded", "aliases_loaded"} <= kinds
    assert aftermath.canaries.find(repr(events)) == []


def test_nothing_in_any_file_of_the_state(aftermath: Aftermath) -> None:
    """The database file, its write-ahead log, key files, checkpoints."""
    files = aftermath.files
    assert {"pseudo.sqlite", "pseudo.sqlite-wal"} <= set(files)
    assert files["pseudo.sqlite-wal"]
    found = {name: aftermath.canaries.find(data) for name, data in files.items()}
    assert {name: names for name, names in found.items() if names} == {}
