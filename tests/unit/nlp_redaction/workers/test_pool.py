"""Workers answer as the redactor in this process does, live long and are replaced."""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nlp_redaction.document.spans import Label
from nlp_redaction.errors import ModelMissing, WorkersUnavailable
from nlp_redaction.replacement import Redacted, Redactor, RowContext, Style
from nlp_redaction.replacement.batches import TextItem
from nlp_redaction.search import Searched
from nlp_redaction.settings import Settings
from nlp_redaction.workers import WorkerPool
from nlp_redaction.workers.messages import Start, Task
from nlp_redaction.workers.process import WorkerProcess
from nlp_redaction.workers.worker_loop import answer_task
from tests.lib.harnesses.marked_finder import (
    DIE_ONCE,
    FAIL,
    REFUSE,
    MarkedFinder,
    make_marked_finder,
    mark,
)

STYLE = Style(mode="rules")
CONTEXT = RowContext(surrogate_key=bytes(32))
NAME = mark(Label.NAME, "Qureshi")


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(Settings(), 2, finder_factory=make_marked_finder) as pool:
        yield pool


def items(count: int) -> list[tuple[object, RowContext]]:
    return [(f"{NAME} note {number}", CONTEXT) for number in range(count)]


def test_answers_are_those_of_this_process(pool: WorkerPool) -> None:
    some = [
        *items(70),
        (None, CONTEXT),
        (FAIL, CONTEXT),
        (REFUSE, CONTEXT),
        (7, CONTEXT),
    ]
    here = Redactor(finder_factory=make_marked_finder)
    for style in (STYLE, Style(mode="rules", replacement="surrogates")):
        expected = here.redact_all(some, style)
        assert pool.redact_all(some, style) == expected
    with WorkerPool(Settings(), 0, finder_factory=make_marked_finder) as none:
        assert none.redact_all(some, style) == expected


def test_an_empty_batch_is_answered_empty(pool: WorkerPool) -> None:
    assert pool.redact_all([], STYLE) == []


def test_several_threads_may_call_at_once(pool: WorkerPool) -> None:
    def call(number: int) -> list[str | None]:
        some = [(f"{NAME} {number}/{at}", CONTEXT) for at in range(40)]
        return [answer.text for answer in pool.redact_all(some, STYLE)]

    with ThreadPoolExecutor(6) as threads:
        for number, texts in enumerate(threads.map(call, range(12))):
            expected = f"{NAME} {number}/{{}}".replace("Qureshi", "[NAME]")
            assert texts == [expected.format(at) for at in range(40)]


def test_a_worker_killed_in_the_middle_costs_no_text(
    pool: WorkerPool, tmp_path: Path
) -> None:
    some = items(20)
    some[7] = (f"{NAME} {DIE_ONCE}{tmp_path / 'died'} ", CONTEXT)
    answers = pool.redact_all(some, STYLE)
    assert (tmp_path / "died").exists()
    assert [answer.refusal for answer in answers] == [None] * 20


def test_a_worker_that_died_while_it_waited_is_replaced() -> None:
    with WorkerPool(Settings(), 1, finder_factory=make_marked_finder) as pool:
        pool.prepare("rules")
        with pool._slots.take("rules") as worker:
            first = worker.pid
            os.kill(first, signal.SIGKILL)
            worker._process.wait()
        assert pool.redact_all(items(1), STYLE)[0].refusal is None
        with pool._slots.take("rules") as worker:
            assert worker.pid != first


def test_a_worker_is_replaced_after_so_many_texts() -> None:
    with WorkerPool(
        Settings(), 1, finder_factory=make_marked_finder, texts_per_worker=5
    ) as pool:
        pids = set()
        for _ in range(2):
            assert pool.redact_all(items(5), STYLE)[4].refusal is None
            with pool._slots.take("rules") as worker:
                pids.add(worker.pid)
    assert len(pids) == 2


@pytest.mark.parametrize("processes", [0, 1])
def test_a_missing_model_is_told_and_nothing_is_answered(processes: int) -> None:
    with WorkerPool(Settings(), processes, finder_factory=make_marked_finder) as pool:
        with pytest.raises(ModelMissing, match="has no model"):
            pool.redact_all(items(3), Style(mode="missing"))
        with pytest.raises(ModelMissing, match="has no model"):
            pool.prepare("missing")
        assert pool.redact_all(items(1), STYLE)[0].refusal is None


@pytest.mark.parametrize("mode", ["broken", "fatal"])
def test_a_worker_that_cannot_load_is_told_without_details(mode: str) -> None:
    with (
        WorkerPool(Settings(), 1, finder_factory=make_marked_finder) as pool,
        pytest.raises(WorkersUnavailable) as caught,
    ):
        pool.redact_all(items(3), Style(mode=mode))
    assert "private" not in str(caught.value)


def test_a_closed_pool_refuses_and_leaves_no_process() -> None:
    pool = WorkerPool(Settings(), 1, finder_factory=make_marked_finder)
    with pool._slots.take("rules") as worker:
        process = worker._process
    pool.close()
    pool.close()
    assert process.returncode == 0
    with pytest.raises(WorkersUnavailable, match="closed"):
        pool.redact_all(items(1), STYLE)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_of_a_text_is_on_the_command_line_and_no_core_is_dumped() -> None:
    worker = WorkerProcess.start(Start(Settings(), make_marked_finder))
    try:
        worker.prepare("rules")
        worker.redact(((f"{NAME} private-words", CONTEXT),), STYLE, 30.0)
        folder = Path(f"/proc/{worker.pid}")
        assert b"private-words" not in (folder / "cmdline").read_bytes()
        assert b"private-words" not in (folder / "environ").read_bytes()
        limits = (folder / "limits").read_text()
        assert "Max core file size        0                    0 " in limits
    finally:
        worker.end()


def test_libraries_are_told_to_use_one_thread_a_worker() -> None:
    with (
        WorkerPool(Settings(), 1, finder_factory=make_marked_finder) as pool,
        pytest.raises(ModelMissing, match=r"^1$"),
    ):
        pool.prepare("tell-threads")


def test_repeats_are_sorted_out_in_this_process_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []
    redact = WorkerProcess.redact

    def count(
        worker: WorkerProcess, some: tuple[TextItem, ...], style: Style, seconds: float
    ) -> list[Redacted]:
        sent.append(len(some))
        return redact(worker, some, style, seconds)

    monkeypatch.setattr(WorkerProcess, "redact", count)
    repeated = [*items(2) * 10, (None, CONTEXT)]
    with WorkerPool(Settings(), 1, finder_factory=make_marked_finder) as pool:
        answers = pool.redact_all(repeated, STYLE)
    assert len(answers) == 21
    assert sum(sent) == 2


def test_a_worker_searches_whatever_it_is_sent() -> None:
    searched: list[str] = []

    class Counting(MarkedFinder):
        def _find(self, text: str) -> Searched:
            searched.append(text)
            return super()._find(text)

    redactor = Redactor(finder_factory=lambda *_: Counting())
    task = Task(((NAME, CONTEXT), (NAME, CONTEXT)), STYLE)
    assert len(answer_task(redactor, task)) == 2
    assert len(searched) == 2
