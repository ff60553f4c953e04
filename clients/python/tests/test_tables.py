import contextlib
import gc
import pickle
import threading
import time
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from client_fakes.service import FakeService, Fault
from pseudo_client import (
    NO_RETRIES,
    Client,
    DeidentifiedTable,
    Pins,
    PinsChanged,
    ProtocolBroken,
    ServiceError,
    ServiceUnavailable,
    SourceUnusable,
    UnfinishedTable,
)
from pseudo_client.errors import AccessDenied, BatchTooLarge, Unauthenticated

ROWS = 4_300


def make_table(rows: int = ROWS) -> pa.Table:
    return pa.table(
        {
            "nhs_number": [
                f"{9_990_000_000 + i}" if i % 10 else None for i in range(rows)
            ],
            "row": list(range(rows)),
            "born": ["1970-01-01" if i % 7 else "07/10/63" for i in range(rows)],
        }
    )


def send(client: Client, source: object, **more: object) -> DeidentifiedTable:
    return client.deidentify(
        source, project="cohort", policy="release@1", purpose="testing", **more
    )


def kept_rows(rows: int = ROWS) -> list[int]:
    return [i for i in range(rows) if i % 10]


def test_rows_come_back_in_order_cut_to_the_limits(
    client: Client, service: FakeService
) -> None:
    with send(client, make_table()) as table:
        batches = list(table)
    assert [batch.num_rows for batch in batches] == [900] * 4 + [270]
    result = pa.Table.from_batches(batches)
    assert result["row"].to_pylist() == kept_rows()
    assert result["nhs_number"][0].as_py() == service.pseudonym("9990000001")
    assert service.seen[0].batches == 5


def test_after_the_end_there_is_a_receipt(client: Client) -> None:
    table = send(client, make_table(), operation_id="operation-7", part=3)
    result = table.read_all()
    receipt = table.receipt
    assert (receipt.rows_in, receipt.rows_out) == (ROWS, result.num_rows)
    assert receipt.removed == {"NO_PATIENT": ROWS // 10}
    assert table.quality == {"born": {"UNPARSEABLE": 615}}
    assert receipt.read_statement()["operation"] == "operation-7"
    assert receipt.read_statement()["part"] == 3


def test_rejected_cells_have_positions_in_the_whole_table(client: Client) -> None:
    table = send(client, make_table())
    table.read_all()
    rows = [row for each in table.rejected for row in each.rows]
    assert rows == [i for i in range(ROWS) if i % 7 == 0]
    assert {(each.column, each.code) for each in table.rejected} == {
        ("born", "UNPARSEABLE")
    }


def test_schema_and_pins_are_known_before_the_first_batch(client: Client) -> None:
    with send(client, make_table()) as table:
        assert table.schema.names == ["nhs_number", "row", "born"]
        assert table.pins.key_version == 1
        assert table.read_all().num_rows == len(kept_rows())


def sources(kind: str, tmp_path: object) -> object:
    table = make_table(50)
    pq.write_table(table, f"{tmp_path}/t.parquet")
    made = {
        "table": table,
        "reader": table.to_reader(),
        "batch": table.combine_chunks().to_batches()[0],
        "iterable": iter(table.to_batches(max_chunksize=7)),
        "dataset": ds.dataset(f"{tmp_path}/t.parquet"),
        "dictionary": pa.table(
            [
                table["nhs_number"].dictionary_encode(),
                table["row"],
                table["born"].dictionary_encode(),
            ],
            names=table.column_names,
        ),
        "c stream": CStream(table),
    }
    return made[kind]


class CStream:
    """Any other library's table."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__()


@pytest.mark.parametrize(
    "kind",
    ["table", "reader", "batch", "iterable", "dataset", "dictionary", "c stream"],
)
def test_any_source_gives_the_same(client: Client, kind: str, tmp_path: object) -> None:
    result = send(client, sources(kind, tmp_path)).read_all()
    assert result["row"].to_pylist() == kept_rows(50)


def test_metadata_of_the_schema_is_not_sent(
    client: Client, service: FakeService
) -> None:
    table = make_table(5).replace_schema_metadata({"note": "9990000018"})
    send(client, table).read_all()
    assert service.seen[0].schema is not None
    assert not service.seen[0].schema.metadata


def test_an_empty_table_has_a_receipt(client: Client) -> None:
    table = send(client, make_table(0))
    assert table.read_all().num_rows == 0
    assert table.receipt.rows_in == 0


@pytest.mark.parametrize("source", [iter([]), 7, iter([1])])
def test_what_is_no_table_is_refused(client: Client, source: object) -> None:
    with pytest.raises(SourceUnusable):
        send(client, source)


def test_a_batch_of_another_schema_cancels(
    client: Client, service: FakeService
) -> None:
    batches = [
        pa.RecordBatch.from_pydict({"row": [1]}),
        pa.RecordBatch.from_pydict({"row": ["9990000018"]}),
    ]
    with pytest.raises(SourceUnusable) as refusal:
        send(client, batches).read_all()
    assert "9990000018" not in str(refusal.value)
    assert service.seen[0].cancelled.wait(30)


def test_batches_are_cut_by_bytes(client: Client, service: FakeService) -> None:
    service.maximum_bytes = 4096
    table = pa.table({"text": ["x" * 500] * 100})
    assert send(client, table).read_all().num_rows == 100
    assert service.seen[0].batches > 10


def test_a_row_too_large_is_refused_here(client: Client, service: FakeService) -> None:
    service.maximum_bytes = 4096
    with pytest.raises(BatchTooLarge):
        send(client, pa.table({"text": ["x" * 9000]})).read_all()
    assert service.seen[0].cancelled.wait(30)


def test_the_error_of_a_source_surfaces_and_cancels(
    client: Client, service: FakeService
) -> None:
    def fail() -> Iterator[pa.RecordBatch]:
        yield from make_table(3000).to_batches(max_chunksize=500)
        msg = "the disk is gone"
        raise OSError(msg)

    table = send(client, fail())
    with pytest.raises(OSError, match="the disk is gone"):
        list(table)
    with pytest.raises(UnfinishedTable):
        _ = table.receipt
    assert service.seen[0].cancelled.wait(30)


def test_few_batches_are_in_flight(client: Client, service: FakeService) -> None:
    service.faults.append(Fault(never_answer=True))
    drawn: list[int] = []

    def draw() -> Iterator[pa.RecordBatch]:
        for batch in make_table(50_000).to_batches(max_chunksize=100):
            drawn.append(1)
            yield batch

    def read() -> None:
        with contextlib.suppress(ServiceUnavailable):
            next(iter(table))

    table = send(client, draw())
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(0.4)
    assert len(drawn) <= 5
    service.stop()
    reader.join(30)
    assert not reader.is_alive()


def test_leaving_early_cancels(client: Client, service: FakeService) -> None:
    with send(client, make_table()) as table:
        next(iter(table))
    assert service.seen[0].cancelled.wait(30)
    with pytest.raises(UnfinishedTable):
        _ = table.receipt


def test_a_forgotten_table_cancels(client: Client, service: FakeService) -> None:
    table = send(client, make_table())
    next(iter(table))
    del table
    gc.collect()
    assert service.seen[0].cancelled.wait(30)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(end_before_batch=2), UnfinishedTable),
        (Fault(skip_receipt=True), UnfinishedTable),
        (Fault(miscount=True), UnfinishedTable),
        (Fault(swap_sequence_of=1), ProtocolBroken),
        (Fault(drop_a_row_of=1), ProtocolBroken),
        (Fault(garble=1), ProtocolBroken),
        (Fault(open_with_receipt=True), ProtocolBroken),
        (Fault(die_before_batch=2), ServiceUnavailable),
        (Fault(fail_after_receipt=True), ServiceUnavailable),
    ],
)
def test_a_service_that_fails_leaves_no_receipt(
    client: Client, service: FakeService, fault: Fault, error: type[Exception]
) -> None:
    service.faults.append(fault)
    table = send(client, make_table())
    with pytest.raises(error):
        table.read_all()
    with pytest.raises(UnfinishedTable):
        _ = table.receipt
    assert len(service.seen) == 1  # the middle of a table is never sent again
    assert service.seen[0].cancelled.wait(30)


def test_opening_is_tried_again(
    client: Client, service: FakeService, waits: list[float]
) -> None:
    service.faults.extend([Fault(refuse="STORE_UNAVAILABLE")] * 2)
    assert send(client, make_table()).read_all().num_rows == len(kept_rows())
    assert len(service.seen) == 3
    assert waits == sorted(waits)
    assert len(waits) == 2


def test_a_refusal_is_not_tried_again(
    client: Client, service: FakeService, waits: list[float]
) -> None:
    service.faults.append(Fault(refuse="ACCESS_DENIED"))
    with pytest.raises(AccessDenied) as refusal:
        send(client, make_table()).read_all()
    assert refusal.value.code == "ACCESS_DENIED"
    assert refusal.value.request_id == "request-1"
    assert waits == []


def test_other_pins_than_expected_are_refused(
    client: Client, service: FakeService
) -> None:
    pins = send(client, make_table(1)).pins
    assert send(client, make_table(1), expected_pins=pins).read_all().num_rows == 0
    service.repin(2)
    with pytest.raises(PinsChanged):
        send(client, make_table(1), expected_pins=pins).read_all()
    assert Pins.from_statement(pins.to_statement()) == pins


def test_a_dead_server_is_unavailable(client: Client, service: FakeService) -> None:
    service.stop()
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        send(client, make_table()).read_all()


def test_a_server_that_dies_half_way_leaves_nobody_hanging(
    client: Client, service: FakeService
) -> None:
    table = send(client, make_table(50_000))
    next(iter(table))
    service.stop()
    with pytest.raises(ServiceUnavailable):
        list(table)


def test_an_untrusted_certificate_is_not_spoken_to(service: FakeService) -> None:
    stranger = Client(service.address, token="t", retries=NO_RETRIES)
    with pytest.raises(ServiceError) as failure:
        send(stranger, make_table(1)).read_all()
    assert failure.value.code in {"TLS", "UNAVAILABLE"}
    assert service.seen == []


def test_a_wrong_token_is_refused_and_never_shown(service: FakeService) -> None:
    stranger = Client(
        service.address,
        token="wrong-token",
        root_certificates=service.root_certificates,
    )
    with pytest.raises(Unauthenticated) as failure:
        send(stranger, make_table(1)).read_all()
    assert "wrong-token" not in f"{failure.value!r} {stranger!r}"


def test_a_client_travels_to_another_process(
    client: Client, service: FakeService
) -> None:
    send(client, make_table(10)).read_all()
    copied = pickle.loads(
        pickle.dumps(
            Client(
                service.address,
                token="a-token-for-tests",
                root_certificates=service.root_certificates,
            )
        )
    )
    assert send(copied, make_table(10)).read_all().num_rows == 9
