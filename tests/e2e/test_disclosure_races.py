"""What a stream releases is not missed because it ends while somebody asks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pseudo_client import OptOuts
from pseudo_service.engine.disclosures.reader import DisclosureReader
from tests.lib.harnesses.disclosure_desk import open_disclosure_desk
from tests.lib.services.service import RunningService
from tests.lib.services.wire import TableWire, make_end, make_header, make_message
from tests.lib.values.cohort import make_batch, make_numbers

NUMBERS = make_numbers(73_000, 4)


def begin_stream(service: RunningService, project: str) -> TableWire:
    """Return a stream that has answered four people and has not ended."""
    stream = TableWire(service, project=project).send(
        make_header(operation_id="slow-run", project=project)
    )
    schema = stream.open()
    stream.send(make_message(0, make_batch(NUMBERS)))
    stream.receive_batch(schema)
    return stream


def end_once_read(stream: TableWire, monkeypatch: pytest.MonkeyPatch) -> None:
    """End a stream as soon as somebody has read the disclosures."""
    read = DisclosureReader.read

    def read_and_end(
        reader: DisclosureReader, *args: object, **named: object
    ) -> Iterator[object]:
        yield from list(read(reader, *args, **named))  # type: ignore[arg-type]
        stream.send(make_end(1, len(NUMBERS))).close().drain()

    monkeypatch.setattr(DisclosureReader, "read", read_and_end)


def test_locating_names_a_stream_that_ends_meanwhile(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_once_read(begin_stream(service, "asthma"), monkeypatch)
    with open_disclosure_desk(service) as desk:
        located = desk.locate(NUMBERS[0])
    assert located.rows == []
    assert [one.describe().split()[0] for one in located.unaccounted] == ["slow-run"]


def test_a_recall_names_a_stream_that_ends_meanwhile(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = OptOuts(application="applied", legal_basis="s251", uncheckable="remove")
    service.create_project("kidney", opt_outs=applied)
    service.custodian().load_opt_outs(
        kind="opt_out",
        expires_at=service.clock.now() + timedelta(days=7),
        entries=1,
        chunks=[make_numbers(79_000, 1)],
    )
    end_once_read(begin_stream(service, "kidney"), monkeypatch)
    with open_disclosure_desk(service) as desk:
        _, report = desk.recall("kidney")
    assert [one.split()[0] for one in report.unaccounted] == ["slow-run"]
