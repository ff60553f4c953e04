"""The one door to nlp_redaction: the port's values to its own, and back.

Nothing of its models is loaded here: texts are searched in its worker processes, which
start with the first text and end with this process. Its larger modules are imported
then, too, so that a service or a command without texts does not wait for them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.errors import (
    ModelMissing,
    Refusal,
    SettingsRefused,
    WorkersUnavailable,
)
from nlp_redaction.settings import Settings
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.core.redaction import (
    TextAnswer,
    TextCode,
    TextMode,
    TextRow,
    TextStyle,
    withhold_texts,
)
from pseudo_service.ports.telemetry import Level, Telemetry

if TYPE_CHECKING:
    from nlp_redaction.replacement import Redacted, RowContext, Style

_CODES: Final[Mapping[Refusal, TextCode]] = MappingProxyType(
    {refusal: TextCode(refusal.value) for refusal in Refusal}
)
_FAILURES: Final = (TextCode.TIMED_OUT, TextCode.WORKER_DIED, TextCode.FAILED)
"""What an operator has to look into; other codes tell of the texts that came."""


class WithholdingRedactor:
    """Answers null for every text, with a code: what is not redacted stays here."""

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> Sequence[TextAnswer]:
        """Withhold every text."""
        return withhold_texts(rows, style)

    def describe(self) -> Mapping[str, str]:
        """Say that nothing redacts."""
        return {"text_redaction": "off"}

    def close(self) -> None:
        """Do nothing: nothing was started."""


class Pool(Protocol):
    """What this adapter needs of ``WorkerPool``."""

    def redact_all(
        self, items: Sequence[tuple[object, RowContext]], style: Style
    ) -> list[Redacted]:
        """Return one answer a text, in order."""
        ...

    def close(self) -> None:
        """End the worker processes."""
        ...


class NlpRedactor:
    """Redacts in worker processes of nlp_redaction; texts of other modes are withheld."""

    def __init__(
        self,
        *,
        modes: Mapping[TextMode, str],
        settings: Settings,
        open_pool: Callable[[], Pool],
        telemetry: Telemetry,
    ) -> None:
        self._modes = dict(modes)
        self._settings = settings
        self._open_pool = open_pool
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._is_closed = False

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> Sequence[TextAnswer]:
        """Redact texts; those that cannot be are answered None with a code."""
        if style.mode not in self._modes:
            return withhold_texts(rows, style)
        pool = self._ensure_pool()
        if pool is None:
            return withhold_texts(rows, style)
        items = [(row.text, _translate_row(row)) for row in rows]
        try:
            redacted = pool.redact_all(items, _translate_style(style))
        except (WorkersUnavailable, ModelMissing) as error:
            self._log_unavailable_workers(style.mode, error)
            return [TextAnswer(text=None, code=TextCode.WORKER_DIED) for _ in rows]
        answers = [_translate_answer(each) for each in redacted]
        self._log_withheld(answers)
        return answers

    def describe(self) -> Mapping[str, str]:
        """Return digests of the settings and of the model of each mode."""
        settings = hashlib.sha256(repr(self._settings).encode()).hexdigest()[:16]
        modes = "+".join(f"{mode}:{self._modes[mode]}" for mode in sorted(self._modes))
        return {"text_redaction": modes, "text_redaction_settings": settings}

    def close(self) -> None:
        """End the workers; texts that come later are withheld."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _log_unavailable_workers(self, mode: TextMode, error: Exception) -> None:
        # Their messages are our own words and quote nothing: see nlp_redaction.errors.
        self._telemetry.log(
            "text_workers_unavailable",
            Level.ERROR,
            kind=mode.value,
            exception_type=type(error).__name__,
            reason=str(error),
        )

    def _log_withheld(self, answers: Sequence[TextAnswer]) -> None:
        codes = Counter(answer.code for answer in answers)
        for code in _FAILURES:
            if codes[code]:
                self._telemetry.log(
                    "texts_withheld", Level.WARNING, code=code.value, count=codes[code]
                )

    def _ensure_pool(self) -> Pool | None:
        with self._lock:
            if self._pool is None and not self._is_closed:
                self._pool = self._open_pool()
            return self._pool


def open_text_redactor(
    *,
    modes: Collection[TextMode],
    processes: int,
    settings_file: Path | None,
    telemetry: Telemetry,
) -> WithholdingRedactor | NlpRedactor:
    """Return the redactor of a deployment; one without modes withholds every text.

    Raises:
        ConfigurationInvalid: A mode's model is not installed, or the settings cannot
            be followed: the service must not start and withhold in silence.
    """
    if not modes:
        return WithholdingRedactor()
    settings = _read_settings(settings_file)
    return NlpRedactor(
        modes={mode: _check_model(mode) for mode in sorted(modes)},
        settings=settings,
        open_pool=lambda: _open_pool(settings, processes),
        telemetry=telemetry,
    )


def _open_pool(settings: Settings, processes: int) -> Pool:
    from nlp_redaction.workers import WorkerPool  # noqa: PLC0415 - only if texts come

    return WorkerPool(settings, processes)


def _read_settings(path: Path | None) -> Settings:
    if path is None:
        return Settings()
    try:
        return Settings.read(path)
    except SettingsRefused as refusal:
        msg = f"text.settings_file: {refusal}"
        raise ConfigurationInvalid(msg) from None


def _check_model(mode: TextMode) -> str:
    """Return a model's digest; refuse one that is not there, without loading it."""
    from nlp_redaction.models.load import (  # noqa: PLC0415
        digest_model,
        read_thresholds,
    )

    folder = Path(str(resources.files("nlp_redaction.models"))) / mode.value
    try:
        read_thresholds(folder)
        return digest_model(mode.value)[:16]
    except ModelMissing as refusal:
        msg = (
            f"text.modes: the model of {mode} cannot be used ({refusal}); install it, "
            "or take the mode out, and its texts are withheld"
        )
        raise ConfigurationInvalid(msg) from None


def _translate_row(row: TextRow) -> RowContext:
    from nlp_redaction.replacement import RowContext  # noqa: PLC0415

    return RowContext(
        known=KnownIdentifiers(**{kind.value: row.known[kind] for kind in row.known}),
        shift_days=row.shift_days,
        pseudonyms=dict(row.pseudonyms),
        surrogate_key=row.surrogate_key,
    )


def _translate_style(style: TextStyle) -> Style:
    from nlp_redaction.replacement import Style  # noqa: PLC0415

    return Style(
        mode=style.mode.value,
        replacement=style.replacement.value,
        dates=style.dates.value,
    )


def _translate_answer(answer: Redacted) -> TextAnswer:
    if answer.refusal is not None:
        return TextAnswer(text=None, code=_CODES[answer.refusal])
    if answer.text is None:
        return TextAnswer(text=None, code=TextCode.FAILED)
    found = {label.value: count for label, count in answer.counts.items()}
    return TextAnswer(text=answer.text, code=TextCode.OK, found=found)
