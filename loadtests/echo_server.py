"""A server that sends every batch back as it came: what the transport alone costs."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import grpc

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.api.v1 import deidentification_pb2 as messages
from pseudo_service.api.v1 import deidentification_pb2_grpc as services

MESSAGE_BYTES = 64 << 20


class EchoServicer(services.DeidentificationServiceServicer):
    """Answers with what was asked."""

    def DeidentifyTable(  # noqa: N802 - gRPC names its methods
        self,
        request_iterator: Iterator[messages.DeidentifyTableRequest],
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> Iterator[messages.DeidentifyTableResponse]:
        """Echo the schema, every batch, and end with an empty receipt."""
        for request in request_iterator:
            kind = request.WhichOneof("payload")
            if kind == "header":
                opened = messages.TableOpened(
                    schema=request.header.schema,
                    maximum_rows=1 << 17,
                    maximum_bytes=MESSAGE_BYTES,
                )
                yield messages.DeidentifyTableResponse(opened=opened)
            elif kind == "batch":
                batch = messages.TableBatchResult(
                    sequence=request.batch.sequence,
                    row_count=request.batch.row_count,
                    data=request.batch.data,
                )
                yield messages.DeidentifyTableResponse(batch=batch)
            else:
                receipt = messages.TableReceipt(
                    rows_in=request.end.rows, rows_out=request.end.rows
                )
                yield messages.DeidentifyTableResponse(receipt=receipt)


def main(tls_directory: str, port: str) -> None:
    """Serve until killed."""
    files = LocalCertificates(Path(tls_directory)).ensure_server(datetime.now(UTC))
    server = grpc.server(
        ThreadPoolExecutor(4),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES + (1 << 20)),
            ("grpc.max_send_message_length", -1),
        ],
    )
    # It answers tables only.
    servicer = EchoServicer()  # type: ignore[abstract]
    services.add_DeidentificationServiceServicer_to_server(servicer, server)
    credentials = grpc.ssl_server_credentials([(files.private_key, files.certificate)])
    server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
