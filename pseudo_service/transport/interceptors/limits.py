"""How many calls one caller, and all callers together, may have open at a time."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc

from pseudo_service.core.errors import PseudoError, TooManyCalls, TooManyStreams
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.first_messages import FirstMessages
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)

_ANYBODY = ""
_SPARE_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """The most that may be open in this process at a time.

    Streams and calls with one answer are counted apart, so that neither takes the
    threads of the other. A stream holds its thread to its end, a call for moments.
    """

    streams_per_caller: int
    calls_per_caller: int
    streams: int
    calls: int
    silent_strangers: int = 16
    stranger_seconds: float = 10.0
    caller_seconds: float = 60.0

    @property
    def threads(self) -> int:
        """How many threads leave one free at any time, were every place taken.

        Those of public streams and of silent strangers are counted, and a few for what
        is refused, which takes a moment.
        """
        public = self.streams_per_caller
        waiting = self.silent_strangers
        return self.streams + self.calls + public + waiting + _SPARE_THREADS

    def limit_strangers(self) -> FirstMessages:
        """Return what ends silent calls of public methods."""
        most = self.silent_strangers
        return FirstMessages(most=most, seconds=self.stranger_seconds)

    def limit_callers(self) -> FirstMessages:
        """Return what ends silent calls of verified callers, whose places are few."""
        return FirstMessages(most=self.calls, seconds=self.caller_seconds)


class OpenCalls:
    """Counts the open calls of each caller in this process."""

    def __init__(
        self, *, each: int, together: int, noun: str, refusal: type[PseudoError]
    ) -> None:
        self._each = each
        self._together = together
        self._noun = noun
        self._refusal = refusal
        self._open: Counter[str] = Counter()
        self._all = 0
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, subject: str) -> Iterator[None]:
        """Count a call while the block runs.

        Raises:
            TooManyStreams, TooManyCalls: The caller has as many open as it may, or
                there are as many as this process takes.
        """
        with self._lock:
            self._check(subject)
            self._open[subject] += 1
            self._all += 1
        try:
            yield
        finally:
            with self._lock:
                self._all -= 1
                self._open[subject] -= 1
                if not self._open[subject]:
                    del self._open[subject]

    def _check(self, subject: str) -> None:
        if self._open[subject] >= self._each:
            msg = (
                f"this caller has {self._each} {self._noun} open, which is all it "
                "may have: wait until one ends"
            )
            raise self._refusal(msg)
        if self._all >= self._together:
            msg = (
                f"{self._together} {self._noun} are open, which is all that this "
                "process takes: try again in a second"
            )
            raise self._refusal(msg)


class CallLimitInterceptor(ContextManagerInterceptor):
    """Holds a place for every call.

    Callers of public methods are one as to their streams. Their calls with one answer
    have no limit, for health must be told when all else is refused: they take a
    moment, and how many wait for their message is limited by ``FirstMessages``.
    """

    def __init__(self, *, limits: CallLimits, methods: MethodTable) -> None:
        self._methods = methods
        self._streams = OpenCalls(
            each=limits.streams_per_caller,
            together=limits.streams,
            noun="streams",
            refusal=TooManyStreams,
        )
        self._calls = OpenCalls(
            each=limits.calls_per_caller,
            together=limits.calls,
            noun="calls",
            refusal=TooManyCalls,
        )

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Count a call under its caller."""
        actor = current_call().proven_actor
        subject = actor.subject if actor else _ANYBODY
        if handler.request_streaming or handler.response_streaming:
            with self._streams.hold(subject):
                yield
        elif details.method in self._methods.public:
            yield
        else:
            with self._calls.hold(subject):
                yield
