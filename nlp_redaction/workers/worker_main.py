"""The life of one worker process: wait, redact, answer, until the pipe closes."""

import os
import signal
from multiprocessing.connection import Connection
from typing import Final

# Before any library that reads them is imported: one thread a worker.
_ONE_THREAD: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def serve(descriptor: int) -> None:
    """Answer messages from a pipe until its other end is closed.

    Args:
        descriptor: The number of the open file that is this worker's end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _ONE_THREAD:
        os.putenv(name, "1")
    forbid_core_dumps()
    from nlp_redaction.workers.worker_loop import answer_messages  # noqa: PLC0415 - see above

    with Connection(descriptor) as connection:
        answer_messages(connection)


def forbid_core_dumps() -> None:
    """Let no dump of this process, with its texts, be written when it dies."""
    try:
        import resource  # noqa: PLC0415 - not on every platform
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
