"""Calls that wait for their message, and those that give way."""

import threading
import time

import pytest

from pseudo_service.transport.interceptors import first_messages
from pseudo_service.transport.interceptors.first_messages import FirstMessages


class Call:
    """A call that remembers whether it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


def test_the_one_that_waited_longest_gives_way() -> None:
    waits = FirstMessages(most=2, seconds=60)
    calls = [Call() for _ in range(4)]
    with waits.wait(calls[0]) as first, waits.wait(calls[1]) as second:
        assert not first.ended
        with waits.wait(calls[2]):
            assert first.ended
            with waits.wait(calls[3]):
                assert second.ended
    assert [each.cancelled.is_set() for each in calls] == [True, True, False, False]


def test_who_has_its_message_waits_no_more() -> None:
    waits = FirstMessages(most=1, seconds=60)
    calls = [Call() for _ in range(3)]
    for call in calls:
        with waits.wait(call):
            pass
    assert not any(call.cancelled.is_set() for call in calls)


def test_what_waits_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_messages, "SWEEP_SECONDS", 0.01)
    waits = FirstMessages(most=8, seconds=0.05)
    for _ in range(2):  # the second time with a new sweeper
        late = Call()
        with waits.wait(late) as wait:
            assert late.cancelled.wait(10)
            assert wait.ended
        for _ in range(1_000):
            if waits._sweeper is None:
                break
            time.sleep(0.01)
        assert waits._sweeper is None
