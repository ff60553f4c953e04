"""The requests of one table stream, as the engine takes them."""

from collections.abc import Callable, Iterator

from pseudo_service.api.v1 import deidentification_pb2 as messages
from pseudo_service.core.errors import BatchOutOfOrder, InvalidArgument
from pseudo_service.core.ids import OperationId
from pseudo_service.engine.tables.deidentify_table import TableHeader
from pseudo_service.engine.tables.patient_intake import AnnouncedPatients
from pseudo_service.engine.tables.stream_messages import (
    SentBatch,
    SentEnd,
    SentPatients,
    StreamMessage,
)
from pseudo_service.transport.arrow_ipc import ArrowLimits, decode_schema
from pseudo_service.transport.codecs.tables import decode_pins


def decode_messages(
    requests: Iterator[messages.DeidentifyTableRequest], check: Callable[[], None]
) -> Iterator[StreamMessage]:
    """Yield what follows the header.

    Args:
        requests: The client's requests after the first.
        check: Raises once the caller may send nothing more; asked for each batch.

    Raises:
        BatchOutOfOrder: A request is neither a batch nor the end.
    """
    for request in requests:
        match request.WhichOneof("payload"):
            case "patients":
                check()
                yield SentPatients(
                    sequence=request.patients.sequence,
                    row_count=request.patients.row_count,
                    data=request.patients.data,
                )
            case "batch":
                check()
                yield SentBatch(
                    sequence=request.batch.sequence,
                    row_count=request.batch.row_count,
                    data=request.batch.data,
                )
            case "end":
                yield SentEnd(batches=request.end.batches, rows=request.end.rows)
            case _:
                msg = "a stream has one header, then batches, then one end"
                raise BatchOutOfOrder(msg)


def decode_header(
    request: messages.DeidentifyTableRequest | None, limits: ArrowLimits
) -> TableHeader:
    """Return how a client opens its stream.

    Raises:
        InvalidArgument: The stream does not begin with its header.
        BatchMalformed, BatchTooLarge: As ``decode_schema``.
    """
    if request is None or request.WhichOneof("payload") != "header":
        msg = "a table stream begins with its header"
        raise InvalidArgument(msg)
    header = request.header
    expects = header.HasField("expected_pins")
    return TableHeader(
        project=header.project,
        policy=header.policy,
        schema=decode_schema(header.schema, limits),
        schema_bytes=header.schema,
        purpose=header.purpose,
        operation=OperationId(header.operation_id),
        part=header.part,
        expected_pins=decode_pins(header.expected_pins) if expects else None,
        patients=(
            _decode_patients(header.patient_table, limits)
            if header.HasField("patient_table")
            else None
        ),
    )


def _decode_patients(
    message: messages.PatientTable, limits: ArrowLimits
) -> AnnouncedPatients:
    return AnnouncedPatients(
        schema=decode_schema(message.schema, limits),
        schema_bytes=message.schema,
        rows=message.rows,
        digest=message.digest,
    )
