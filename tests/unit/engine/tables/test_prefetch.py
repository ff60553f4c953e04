"""Items come in order, a bounded number ahead, and what is raised is not lost."""

import threading
import time
from collections.abc import Iterator

import pytest

from pseudo_service.core.errors import BatchMalformed, StreamIncomplete
from pseudo_service.engine.tables.prefetch import Prefetcher


def wait_until(condition, seconds=30.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_items_keep_their_order():
    assert list(Prefetcher(iter(range(200)), ahead=3, idle_seconds=5)) == [*range(200)]


def test_no_more_is_made_than_the_bound():
    made = []

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    stage = Prefetcher(make(), ahead=2, idle_seconds=5)
    wait_until(lambda: len(made) == 3)  # two in the queue, one in hand
    time.sleep(0.3)
    assert len(made) == 3
    assert next(stage) == 0
    wait_until(lambda: len(made) == 4)
    stage.close()
    stage.join(5)
    assert len(made) <= 5


def test_what_the_items_raise_is_raised_in_their_place():
    def fail() -> Iterator[int]:
        yield 1
        raise BatchMalformed("cut short")

    stage = Prefetcher(fail(), ahead=1, idle_seconds=5)
    assert next(stage) == 1
    with pytest.raises(BatchMalformed):
        next(stage)


def test_a_silent_source_is_given_up():
    held = threading.Event()

    def wait() -> Iterator[int]:
        held.wait(10)
        yield 1

    stage = Prefetcher(wait(), ahead=1, idle_seconds=0.3)
    with pytest.raises(StreamIncomplete, match="given up"):
        next(stage)
    stage.allow_idle(10)
    held.set()
    assert next(stage) == 1


def test_a_closed_stage_ends():
    held = threading.Event()

    def wait() -> Iterator[int]:
        held.wait(10)
        yield 1

    stage = Prefetcher(wait(), ahead=1, idle_seconds=60)
    stage.close()
    assert list(stage) == []
    held.set()
    stage.join(5)
