"""One DeidentifyTable call: what is sent is queued, what is answered is awaited.

gRPC takes requests from an iterator on a thread of its own. That iterator only
empties a queue, so the caller's source is read on the caller's thread: its errors
surface there, and a stream that dies leaves nobody waiting.
"""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Protocol

import grpc

from pseudo_client.api.v1 import deidentification_pb2 as pb
from pseudo_client.errors import UnfinishedTable
from pseudo_client.statuses import translate

_UNFINISHED = "the stream ended without a receipt: the table is unfinished"


class TableCall(Protocol):
    """What gRPC gives for a call in progress."""

    def __next__(self) -> pb.DeidentifyTableResponse:
        """Wait for the next answer."""
        ...

    def cancel(self) -> bool:
        """Tell the service that nobody waits any more."""
        ...


StartCall = Callable[[Iterator[pb.DeidentifyTableRequest]], TableCall]


_Sending = pb.DeidentifyTableRequest | Iterator[pb.DeidentifyTableRequest]


class TableStream:
    """Sends without waiting; receives in order. Closing cancels what is open."""

    def __init__(self, start: StartCall) -> None:
        self._requests: SimpleQueue[_Sending | None] = SimpleQueue()
        self._call = start(_send_in_turn(iter(self._requests.get, None)))

    def send(self, request: pb.DeidentifyTableRequest) -> None:
        """Queue a request; the caller bounds how many are unanswered."""
        self._requests.put(request)

    def send_all(self, requests: Iterator[pb.DeidentifyTableRequest]) -> None:
        """Queue requests that have no answers; each is made when its turn comes.

        They are made on gRPC's thread: making one must not fail.
        """
        self._requests.put(requests)

    def receive(self) -> pb.DeidentifyTableResponse:
        """Wait for the next answer.

        Raises:
            UnfinishedTable: The service ended the stream.
            ServiceError: It failed.
        """
        try:
            return next(self._call)
        except StopIteration:
            self.close()
            raise UnfinishedTable(_UNFINISHED) from None
        except grpc.RpcError as failure:
            self.close()
            raise translate(failure) from None

    def expect_end(self) -> bool:
        """Return whether the service ends the stream, as it must after a receipt."""
        try:
            next(self._call)
        except StopIteration:
            return True
        except grpc.RpcError as failure:
            raise translate(failure) from None
        return False

    def finish_sending(self) -> None:
        """Half-close: nothing more will be sent."""
        self._requests.put(None)

    def close(self) -> None:
        """End the call, and the thread that waits for requests."""
        self.finish_sending()
        self._call.cancel()


def _send_in_turn(queued: Iterator[_Sending]) -> Iterator[pb.DeidentifyTableRequest]:
    for each in queued:
        if isinstance(each, pb.DeidentifyTableRequest):
            yield each
        else:
            yield from each
