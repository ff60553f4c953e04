"""Two stages ahead of whoever takes."""

import threading
from collections.abc import Iterator

import pytest

from pseudo_service.core.errors import StreamIncomplete
from pseudo_service.engine.tables.pipeline import AHEAD, Pipeline


def test_items_come_in_order_after_their_step() -> None:
    with Pipeline(iter(range(20)), lambda number: number * 2) as taken:
        assert list(taken) == [2 * number for number in range(20)]


@pytest.mark.parametrize("fails", ["making", "step"])
def test_what_a_stage_raises_is_raised_where_it_is_taken(fails: str) -> None:
    def make() -> Iterator[int]:
        yield 1
        if fails == "making":
            raise StreamIncomplete("the client stopped; send the table again")
        yield 2

    def step(number: int) -> int:
        if fails == "step" and number == 2:
            raise StreamIncomplete("the client stopped; send the table again")
        return number

    with Pipeline(make(), step) as taken:
        assert next(taken) == 1
        with pytest.raises(StreamIncomplete):
            next(taken)


def test_stages_are_a_bounded_number_of_items_ahead() -> None:
    made: list[int] = []
    waits = threading.Event()

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 2 * (AHEAD + 1):
                waits.set()
            yield number

    with Pipeline(make(), lambda number: number) as taken:
        assert next(taken) == 0
        assert waits.wait(10)
        # One taken, and in each stage one in hand and AHEAD in the queue.
        assert len(made) <= 1 + 2 * (AHEAD + 1) + 1


def test_no_step_is_taken_after_the_block() -> None:
    done: list[int] = []

    def step(number: int) -> int:
        done.append(number)
        return number

    with Pipeline(iter(range(1000)), step) as taken:
        next(taken)
    after = len(done)
    assert after < 10
    threading.Event().wait(0.3)
    assert len(done) == after
