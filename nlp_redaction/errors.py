"""Why a text was not redacted. Each cause has a code; no message quotes a text."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why a text is withheld rather than answered."""

    NOT_TEXT = "not_text"
    TOO_LONG = "too_long"
    BROKEN_ENCODING = "broken_encoding"
    TIMED_OUT = "timed_out"
    WORKER_DIED = "worker_died"
    FAILED = "failed"


class TextRefused(Exception):
    """This one text cannot be searched; others can."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


class ModelMissing(Exception):
    """A model that the mode needs is not there or cannot be loaded: no text is read."""


class SettingsRefused(Exception):
    """The settings file says something that cannot be followed."""


class WorkersUnavailable(Exception):
    """The worker processes cannot be started or are closed: no text is read."""
