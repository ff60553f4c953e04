"""All parts of a run: kept, sent, sent again, or all begun afresh."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from pseudo_client import (
    Client,
    PatientTable,
    Pins,
    PinsChanged,
    PseudoClientError,
    RetryPolicy,
    TokenExpired,
    UnfinishedTable,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.console.progress import Progress
from pseudo_service.cli.inputs.readers import TableInput
from pseudo_service.cli.run.outputs import write_outputs
from pseudo_service.cli.run.part import PartRunner
from pseudo_service.cli.run.patients import read_patients
from pseudo_service.cli.run.row_ranges import RowRangeReader
from pseudo_service.cli.run.state import FinishedPart, PartName, RunSettings, RunState

T = TypeVar("T")

_MOST_RESTARTS = 3
_PART_RETRIES = RetryPolicy(attempts=6, first_delay=1.0, growth=2.0, longest_delay=30.0)


def run_to_end(
    open_client: Callable[[], AbstractContextManager[Client]],
    state: RunState,
    settings: RunSettings,
    *,
    inputs: Sequence[TableInput],
    progress: Progress,
    patients: TableInput | None = None,
    retries: RetryPolicy = _PART_RETRIES,
) -> dict[str, Any]:
    """Run the parts, with a new token whenever one expires on the way.

    Raises:
        TokenExpired: Not one part was finished under the last token.
        PseudoClientError: The service refused, or failed too often.
        Failure: An input or the output folder cannot be used.
    """
    while True:
        finished = len(state.list_finished())
        try:
            with open_client() as client:
                return run_parts(
                    client,
                    state,
                    settings,
                    inputs=inputs,
                    progress=progress,
                    patients=patients,
                    retries=retries,
                )
        except TokenExpired:
            if len(state.list_finished()) == finished:
                raise
            progress.say("the access token has expired: going on with a new one")


def run_parts(
    client: Client,
    state: RunState,
    settings: RunSettings,
    *,
    inputs: Sequence[TableInput],
    progress: Progress,
    patients: TableInput | None = None,
    retries: RetryPolicy = _PART_RETRIES,
) -> dict[str, Any]:
    """Commit every part, write the outputs, and return the totals.

    Raises:
        PseudoClientError: The service refused, or failed too often.
        Failure: An input or the output folder cannot be used.
    """
    state.remove_leftovers()
    known = read_patients(client, settings, patients)
    operation = state.read_operation(settings)
    if operation is None:
        if state.list_finished():
            progress.say("the run's settings have changed: all parts begin afresh")
        operation = state.begin(settings)
    for _ in range(_MOST_RESTARTS):
        attempt = _RunAttempt(
            client=client,
            state=state,
            settings=settings,
            operation=operation,
            patients=known,
            progress=progress,
            retries=retries,
        )
        try:
            parts = attempt.run(inputs)
        except PinsChanged:
            progress.say(
                "the key version, the policy, the opt-out list or the patient table "
                "has changed since the first part: all parts begin afresh"
            )
            operation = state.begin(settings)
            continue
        return write_outputs(state, settings, operation, parts)
    msg = "what answers depend on changed again and again; run it when it is settled"
    raise Failure(msg, ExitCode.UNAVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunAttempt:
    """One pass over all parts under one set of pins."""

    client: Client
    state: RunState
    settings: RunSettings
    operation: str
    patients: PatientTable | None
    progress: Progress
    retries: RetryPolicy

    def run(self, inputs: Sequence[TableInput]) -> list[FinishedPart]:
        parts: list[FinishedPart] = []
        for index, source in enumerate(inputs):
            reader = RowRangeReader(source)
            number = 0
            while number == 0 or reader.has_row(number * self.settings.part_rows):
                name = PartName(input=index, part=number)
                expected = _choose_pins(parts or self.state.list_finished())
                parts.append(self._finish_part(reader, name, expected))
                number += 1
        self._discard_others(parts)
        return parts

    def _finish_part(
        self, reader: RowRangeReader, name: PartName, expected: Pins | None
    ) -> FinishedPart:
        runner = PartRunner(
            client=self.client,
            state=self.state,
            settings=self.settings,
            operation=self.operation,
            patients=self.patients,
            progress=self.progress,
        )
        kept = self.state.finished(name)
        if kept is not None and runner.digest_input(reader, name) == kept.input_digest:
            self.progress.say(f"{name.stem}: kept, it was finished before")
            return kept

        def attempt() -> FinishedPart:
            self.progress.begin_part(name.stem)
            return _guard_writing(lambda: runner.run(reader, name, expected))

        part = self.retries.run(
            attempt, may_retry=_may_retry, on_retry=self._report_retry
        )
        self.progress.end_part()
        return part

    def _report_retry(self, error: PseudoClientError, failed: int) -> None:
        self.progress.say(
            f"{error.message} [{error.code}]; the part is sent again "
            f"(attempt {failed + 1} of {self.retries.attempts})"
        )

    def _discard_others(self, parts: Sequence[FinishedPart]) -> None:
        """Drop parts of rows that the inputs no longer have."""
        wanted = {part.name for part in parts}
        for part in self.state.list_finished():
            if part.name not in wanted:
                self.state.discard(part.name)


def _choose_pins(parts: Sequence[FinishedPart]) -> Pins | None:
    return Pins.from_statement(parts[0].pins) if parts else None


def _may_retry(error: PseudoClientError) -> bool:
    """Return whether a part may be sent again; nothing of it was kept.

    A stream that ended early came from a server that stopped.
    """
    return error.retryable or isinstance(error, UnfinishedTable)


def _guard_writing(attempt: Callable[[], T]) -> T:
    """Turn what the disk and the Parquet writer raise into a safe message."""
    try:
        return attempt()
    except pa.ArrowException:
        msg = "the answers cannot be written as Parquet: a date or time is out of range"
        raise Failure(msg, ExitCode.REFUSED) from None
    except OSError:
        msg = "--output cannot be written: the disk is full or fails; then run it again"
        raise Failure(msg, ExitCode.UNAVAILABLE) from None
