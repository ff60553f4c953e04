"""The log: permitted fields only, and nobody's text but our own."""

import io
import json
import logging
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.adapters.telemetry.logs import (
    FIELDS,
    MASK,
    FieldKind,
    SafeLog,
    filter_fields,
)
from pseudo_service.adapters.telemetry.routing import LogRouting
from pseudo_service.ports.telemetry import Level
from tests.lib.harnesses.fakes import FakeClock

CANARY = "9990000018"
SPACED = "999 000 0018"


class Paper:
    """A log on paper."""

    def __init__(self, **options: Any) -> None:
        self.stream = io.StringIO()
        self.dropped: list[int] = []
        self.log = SafeLog(
            clock=FakeClock(),
            stream=self.stream,
            on_dropped=self.dropped.append,
            **options,
        )

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_a_line_is_json_with_a_date(paper: Paper) -> None:
    paper.log.write("call_ended", Level.INFO, {"rows_in": 3, "project": "asthma"})
    assert paper.lines() == [
        {
            "event": "call_ended",
            "level": "info",
            "timestamp": "2026-03-02T09:00:00.000+00:00",
            "rows_in": 3,
            "project": "asthma",
        }
    ]


def test_unknown_fields_are_dropped_and_counted(paper: Paper) -> None:
    fields = {"nhs_number": CANARY, "row": {"a": CANARY}, "code": "OK", "kind": None}
    paper.log.write("call_ended", Level.INFO, fields)
    (line,) = paper.lines()
    assert line["dropped_fields"] == 2
    assert line["code"] == "OK"
    assert paper.dropped == [2]
    assert CANARY not in paper.stream.getvalue()


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("reason", f"patient {CANARY} refused", f"patient {MASK} refused"),
        ("reason", f"patient {SPACED}", f"patient {MASK}"),
        ("reason", "12345", "12345"),
        ("reason", "J\u00f6rg", MASK),
        ("reason", "x" * 500, MASK),
        ("code", "COLUMN_MISSING", "COLUMN_MISSING"),
        ("place", "plan.py:123456", f"plan.py:{MASK}"),
        ("subject", "5f0c2a7e-3c1b-4a51-9d0e-123456789012", None),
        ("subject", "a nurse", MASK),
        ("operation_id", CANARY, MASK),
        ("operation_id", "load-999-000-0018-a", MASK),
        ("operation_id", f"load{CANARY}", None),
        ("request_id", "12345678901234567890123456789012", None),
        ("project", "asthma-2026", None),
    ],
)
def test_texts(name: str, value: str, written: str | None) -> None:
    assert filter_fields({name: value}) == {name: written or value}


@pytest.mark.parametrize(
    "fields",
    [
        {"rows_in": CANARY},
        {"rows_in": b"1"},
        {"reason": CANARY.encode()},
        {"reason": ["a"]},
        {"reason": ValueError(CANARY)},
        {"reason": int(CANARY)},
        {"subject": int(CANARY)},
        {"unheard_of": 1},
    ],
)
def test_values_of_another_kind_do_not_pass(fields: dict[str, object]) -> None:
    assert filter_fields(fields) == {}


TEXT_FIELDS = sorted(n for n, k in FIELDS.items() if k is FieldKind.TEXT)


@given(
    name=st.sampled_from(TEXT_FIELDS),
    before=st.text(max_size=20),
    number=st.integers(min_value=100_000, max_value=10**12),
    after=st.text(max_size=20),
)
def test_no_text_field_passes_a_long_number(
    name: str, before: str, number: int, after: str
) -> None:
    (written,) = filter_fields({name: f"{before}{number}{after}"}).values()
    assert str(number) not in str(written)


def test_an_event_is_a_name_from_our_source(paper: Paper) -> None:
    paper.log.write(f"refused {CANARY}", Level.INFO, {})
    assert paper.lines()[0]["event"] == MASK


def test_quieter_lines_are_left_out() -> None:
    paper = Paper(level=Level.WARNING)
    paper.log.write("a", Level.INFO, {})
    paper.log.write("b", Level.WARNING, {})
    assert [line["event"] for line in paper.lines()] == ["b"]


def test_a_console_line_has_the_same_walls() -> None:
    paper = Paper(as_json=False)
    paper.log.write("call_ended", Level.ERROR, {"code": "OK", "name": CANARY})
    text = paper.stream.getvalue()
    assert "call_ended" in text
    assert "code" in text
    assert CANARY not in text


def test_a_closed_stream_stops_no_call(paper: Paper) -> None:
    paper.stream.close()
    paper.log.write("call_ended", Level.INFO, {})


@pytest.fixture
def routed(paper: Paper) -> Iterator[Paper]:
    routing = LogRouting(paper.log)
    routing.install()
    try:
        yield paper
    finally:
        routing.remove()


def test_libraries_say_that_but_not_what(routed: Paper) -> None:
    logger = logging.getLogger("sqlalchemy.engine")
    logger.warning("row %s", CANARY)
    logger.error(f"row {CANARY}")  # noqa: G004
    logger.info("row %s", CANARY)
    try:
        int(f"x{CANARY}")
    except ValueError:
        logging.getLogger("azure.core").exception("failed for %s", CANARY)
    lines = routed.lines()
    assert [(line["logger"], line["level"]) for line in lines] == [
        ("sqlalchemy.engine", "warning"),
        ("sqlalchemy.engine", "error"),
        ("azure.core", "error"),
    ]
    assert lines[2]["exception_type"] == "builtins.ValueError"
    assert lines[0]["place"].startswith("test_logs.py:")
    assert CANARY not in routed.stream.getvalue()


def test_loggers_with_handlers_of_their_own_are_silenced(
    paper: Paper, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("stubborn")
    logger.propagate = False
    own = logging.StreamHandler(sys.stderr)
    logger.addHandler(own)
    routing = LogRouting(paper.log)
    routing.install()
    try:
        logger.error("row %s", CANARY)
    finally:
        routing.remove()
    assert logger.handlers == [own]
    assert CANARY not in capfd.readouterr().err + paper.stream.getvalue()
    assert [line["logger"] for line in paper.lines()] == ["stubborn"]


def test_warnings_are_routed(routed: Paper) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(CANARY, stacklevel=1)
    assert [line["logger"] for line in routed.lines()] == ["py.warnings"]
    assert CANARY not in routed.stream.getvalue()


def test_uncaught_exceptions_of_threads_are_not_printed(
    routed: Paper, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    (line,) = routed.lines()
    assert line["event"] == "uncaught_exception"
    assert line["exception_type"] == "builtins.ValueError"
    assert "test_logs.py:" in line["place"]
    assert CANARY not in routed.stream.getvalue() + capfd.readouterr().err


SCRIPT = f"""
    import sys
    from tests.lib.harnesses.fakes import FakeClock
    from pseudo_service.adapters.telemetry import LogRouting, SafeLog

    LogRouting(SafeLog(clock=FakeClock())).install()

    class Spoilt:
        def __del__(self):
            raise ValueError("{CANARY}")

    Spoilt()
    raise RuntimeError("{CANARY}")
"""


def test_a_dying_process_prints_no_text() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert CANARY not in done.stdout + done.stderr
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events == ["unraisable_exception", "uncaught_exception"]
