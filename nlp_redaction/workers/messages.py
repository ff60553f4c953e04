"""What a pool and its worker processes say to each other, through a pipe only."""

from dataclasses import dataclass
from enum import StrEnum

from nlp_redaction.replacement.batches import TextItem
from nlp_redaction.replacement.options import Redacted, Style
from nlp_redaction.replacement.redactor import FinderFactory
from nlp_redaction.settings import Settings


class LoadFailure(StrEnum):
    """Why a worker cannot do what it was asked; never with a text."""

    MODEL_MISSING = "model_missing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """How a worker is to search; the first message of all."""

    settings: Settings
    factory: FinderFactory


@dataclass(frozen=True, slots=True)
class Prepare:
    """Load a mode; answered by ``Ready``."""

    mode: str


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """Redact some texts; answered by a list of ``Redacted``, in order."""

    items: tuple[TextItem, ...]
    style: Style


@dataclass(frozen=True, slots=True)
class Ready:
    """The mode is loaded, or it is not.

    Attributes:
        failure: None when it is loaded.
        message: What ``ModelMissing`` said, which names models and never quotes texts.
    """

    failure: LoadFailure | None = None
    message: str = ""


Message = Start | Prepare | Task
Answer = Ready | list[Redacted]
