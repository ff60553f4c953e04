"""What becomes of a batch that is still computed when its stream is left."""

import threading
from typing import Any

import pytest

from pseudo_service.core.tables.batch_values import BatchOutcome
from pseudo_service.engine.tables import pipeline, table_stream
from tests.lib.harnesses.table_streams import (
    StreamHarness,
    decode,
    make_visits,
    send,
)
from tests.lib.values.nhs_numbers import make_nhs_number

PATIENCE = 20


def test_a_batch_that_takes_too_long_registers_nobody_after_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = StreamHarness()
    compute = table_stream.deidentify_batch
    was_begun, may_go_on = threading.Event(), threading.Event()
    steps: list[threading.Thread] = []

    def compute_slowly(*given: Any) -> BatchOutcome:
        steps.append(threading.current_thread())
        if len(steps) > 1:
            was_begun.set()
            assert may_go_on.wait(PATIENCE)
        return compute(*given)

    monkeypatch.setattr(table_stream, "deidentify_batch", compute_slowly)
    monkeypatch.setattr(pipeline, "JOIN_SECONDS", 0.0)
    ada, eve = (make_visits(make_nhs_number(seed)) for seed in (1, 3))
    with harness.open() as stream:
        answers = stream.run(iter(send(ada, eve)), decode)
        next(answers)
        assert was_begun.wait(PATIENCE)
        answers.close()
    kinds, segments = harness.trail.kinds(), len(harness.journal.segments)
    may_go_on.set()
    steps[-1].join(PATIENCE)
    assert not steps[-1].is_alive()
    assert harness.trail.kinds() == kinds
    assert len(harness.journal.segments) == segments == 1
    assert not any(harness.services.commit._known._claims.values())
