"""Answers a pool's messages in a worker process."""

from multiprocessing.connection import Connection

from nlp_redaction.errors import ModelMissing, Refusal
from nlp_redaction.replacement.options import Redacted, withhold
from nlp_redaction.replacement.redactor import Redactor
from nlp_redaction.workers.messages import (
    Answer,
    LoadFailure,
    Message,
    Prepare,
    Ready,
    Start,
    Task,
)


def answer_messages(connection: Connection) -> None:
    """Answer every message until the other end closes or breaks."""
    redactor = Redactor()
    while True:
        try:
            message: Message = connection.recv()
            match message:
                case Start(settings, factory):
                    redactor = Redactor(settings, finder_factory=factory)
                case _:
                    connection.send(_answer(redactor, message))
        except (EOFError, OSError):
            return


def _answer(redactor: Redactor, message: Prepare | Task) -> Answer:
    if isinstance(message, Prepare):
        return _prepare(redactor, message.mode)
    return answer_task(redactor, message)


def _prepare(redactor: Redactor, mode: str) -> Ready:
    try:
        redactor.prepare(mode)
    except ModelMissing as missing:
        return Ready(LoadFailure.MODEL_MISSING, str(missing))
    except Exception as error:  # noqa: BLE001 - the pool is to hear of it, whatever it is
        return Ready(LoadFailure.FAILED, type(error).__name__)
    return Ready()


def answer_task(redactor: Redactor, task: Task) -> list[Redacted]:
    """Redact the texts of a task; withhold them all when something breaks."""
    try:
        return redactor.redact_distinct(task.items, task.style)
    except Exception:  # noqa: BLE001 - whatever went wrong, no text may pass
        return [withhold(Refusal.FAILED)] * len(task.items)
