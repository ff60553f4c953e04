"""Redactors with real worker processes, shared as widely as their tests allow."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from nlp_redaction.settings import Settings
from nlp_redaction.workers import WorkerPool
from pseudo_service.adapters.text_redactor import NlpRedactor, open_text_redactor
from pseudo_service.core.redaction import TextAnswer, TextMode, TextRow, TextStyle
from pseudo_service.ports.telemetry import NullTelemetry
from pseudo_service.ports.text_redactor import TextRedactor
from tests.lib.harnesses.marked_finder import make_marked_finder
from tests.lib.services.telemetry import RecordingTelemetry


class LentRedactor:
    """Another's redactor, which stays open when its borrower closes."""

    def __init__(self, lender: TextRedactor) -> None:
        self._lender = lender

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> Sequence[TextAnswer]:
        return self._lender.redact(rows, style)

    def describe(self) -> Mapping[str, str]:
        return self._lender.describe()

    def close(self) -> None:
        """Leave it open."""


@pytest.fixture(scope="session")
def thorough_redactor() -> Iterator[LentRedactor]:
    """The redactor of a deployment that serves ``thorough``, with one worker."""
    redactor = open_text_redactor(
        modes=[TextMode.THOROUGH],
        processes=1,
        settings_file=None,
        telemetry=NullTelemetry(),
    )
    yield LentRedactor(redactor)
    redactor.close()


def open_marked_redactor(
    telemetry: RecordingTelemetry, *, seconds_per_text: float = 30.0
) -> NlpRedactor:
    """Return a redactor whose workers find what is marked, and die when told to."""
    settings = Settings(seconds_per_text=seconds_per_text)
    return NlpRedactor(
        modes=dict.fromkeys(TextMode, "no model"),
        settings=settings,
        open_pool=lambda: WorkerPool(settings, 1, finder_factory=make_marked_finder),
        telemetry=telemetry,
    )
