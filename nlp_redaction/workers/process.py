"""One worker process as its pool sees it."""

import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from typing import Final, Self, TypeVar

from nlp_redaction.errors import ModelMissing, WorkersUnavailable
from nlp_redaction.replacement.batches import TextItem
from nlp_redaction.replacement.options import Redacted, Style
from nlp_redaction.workers.messages import (
    LoadFailure,
    Message,
    Prepare,
    Ready,
    Start,
    Task,
)

_BOOT: Final = (
    "import sys; sys.path[:] = sys.argv[2:];"
    "from nlp_redaction.workers.worker_main import serve; serve(int(sys.argv[1]))"
)
_LOADING_SECONDS: Final = 180.0
_FAREWELL_SECONDS: Final = 2.0
_Answer = TypeVar("_Answer", Ready, list[Redacted])


class WorkerTimedOut(Exception):
    """The worker did not answer in time and was ended."""


class WorkerDied(Exception):
    """The worker ended without an answer."""


class WorkerProcess:
    """A fresh interpreter at the other end of a pipe.

    It is started by its own command rather than by ``multiprocessing``, which would run
    the caller's main module again in every worker. The command line carries the number
    of the pipe and the import path; texts, known identifiers and keys go through the
    pipe alone. Used by one thread at a time.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], connection: Connection
    ) -> None:
        self._process = process
        self._connection = connection
        self._modes: set[str] = set()
        self.texts = 0

    @classmethod
    def start(cls, first: Start) -> Self:
        """Start a worker; it loads nothing yet.

        Raises:
            WorkersUnavailable: The system refuses to start one.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            command = [sys.executable, "-c", _BOOT, str(theirs.fileno()), *sys.path]
            try:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    # What a library prints when it fails may quote a text.
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except OSError:
                message = "A worker process cannot be started; check the limits."
                raise WorkersUnavailable(message) from None
            worker = cls(process, Connection(ours.detach()))
        worker._greet(first)
        return worker

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def prepare(self, mode: str) -> None:
        """Load a mode, if it is not loaded.

        Raises:
            ModelMissing: The mode's model cannot be loaded.
            WorkersUnavailable: Loading failed otherwise, or took too long.
        """
        if mode in self._modes:
            return
        try:
            ready = self._ask(Prepare(mode), Ready, _LOADING_SECONDS)
        except (WorkerDied, WorkerTimedOut):
            message = "A worker process ended or hung while it loaded its model."
            raise WorkersUnavailable(message) from None
        if ready.failure is LoadFailure.MODEL_MISSING:
            raise ModelMissing(ready.message)
        if ready.failure is not None:
            message = f"A worker process cannot load the mode ({ready.message})."
            raise WorkersUnavailable(message)
        self._modes.add(mode)

    def redact(
        self, items: tuple[TextItem, ...], style: Style, seconds: float
    ) -> list[Redacted]:
        """Redact some texts within a time.

        Raises:
            WorkerTimedOut: There was no answer in time; the process is ended.
            WorkerDied: The process ended, or its answer makes no sense.
        """
        answer = self._ask(Task(items, style), list, seconds)
        if len(answer) != len(items):
            self.end()
            raise WorkerDied
        self.texts += len(items)
        return answer

    def end(self) -> None:
        """Close the pipe, and kill the process unless it leaves by itself."""
        self._connection.close()
        try:
            self._process.wait(_FAREWELL_SECONDS if self.is_alive else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _greet(self, first: Start) -> None:
        try:
            self._connection.send(first)
        except OSError:
            self.kill()
            message = "A worker process ended as soon as it was started."
            raise WorkersUnavailable(message) from None

    def _ask(self, message: Message, kind: type[_Answer], seconds: float) -> _Answer:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        # The process is killed rather than the wait ended, so that a full pipe or half
        # an answer cannot hold us either.
        watch = threading.Timer(seconds, give_up)
        watch.daemon = True
        watch.start()
        try:
            self._connection.send(message)
            answer = self._connection.recv()
        except (EOFError, OSError):
            answer = None
        finally:
            watch.cancel()
        if isinstance(answer, kind):
            return answer
        self.kill()
        raise WorkerTimedOut if late.is_set() else WorkerDied
