"""What a test makes the emulated Key Vault do wrong, and what it then asks."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Answer = dict[str, object]
Change = Callable[[Answer], object]


@dataclass(slots=True)
class _Failing:
    status: int
    times: int
    headers: dict[str, str]
    operation: str | None


@dataclass(slots=True)
class Faults:
    """The knobs. ``operation`` is get, list, create, unwrapkey, sign, wrapkey, delete
    or get_deleted. Deletions are listed after ``deletion_takes`` more questions;
    ``keeps_deleted`` is False for a vault without soft delete.

    ``times`` counts requests that the knob touches; None means until further notice.
    """

    counts: Counter[str] = field(default_factory=Counter)
    down: bool = False
    deletion_takes: int = 0
    keeps_deleted: bool = True
    _failing: list[_Failing] = field(default_factory=list)
    _forbidden: dict[tuple[str, str | None], str] = field(default_factory=dict)
    _changes: dict[str, Change] = field(default_factory=dict)
    _delay: tuple[str | None, float] = (None, 0.0)
    _lost: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def throttle(
        self,
        times: int,
        retry_after: float | str | None = None,
        operation: str | None = None,
    ) -> None:
        """Answer 429, with or without ``Retry-After``."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._failing.append(_Failing(429, times, headers, operation))

    def fail(self, status: int, times: int = 1, operation: str | None = None) -> None:
        """Answer with a status, such as 503."""
        self._failing.append(_Failing(status, times, {}, operation))

    def redirect(self, location: str) -> None:
        """Answer one request with 307 to another place."""
        self._failing.append(_Failing(307, 1, {"Location": location}, None))

    def forbid(
        self,
        operation: str,
        inner_code: str = "ForbiddenByRbac",
        *,
        key: str | None = None,
    ) -> None:
        """Answer 403 to an operation, with one key or with any."""
        self._forbidden[operation, key] = inner_code

    def permit(self, operation: str, *, key: str | None = None) -> None:
        """Undo ``forbid``."""
        self._forbidden.pop((operation, key), None)

    def slow(self, seconds: float, operation: str | None = None) -> None:
        """Stay silent for a while before each answer; 0 ends it."""
        self._delay = (operation, seconds)

    def malformed(self, operation: str, change: Change | None = None) -> None:
        """Change what an operation answers; a str or bytes is sent as it is."""
        self._changes[operation] = change or (lambda _: {"value": "!"})

    def well_formed(self) -> None:
        """Undo ``malformed``."""
        self._changes.clear()

    def lose_answers(self, operation: str, times: int = 1) -> None:
        """Do what is asked, then break the connection instead of answering."""
        self._lost[operation] += times

    def go_down(self) -> None:
        """Break every connection without an answer."""
        self.down = True

    def come_back(self) -> None:
        """Undo ``go_down``."""
        self.down = False

    def count(self, operation: str) -> None:
        with self._lock:
            self.counts[operation] += 1

    def take_failure(self, operation: str) -> tuple[int, dict[str, str]] | None:
        with self._lock:
            for failing in self._failing:
                if failing.times > 0 and failing.operation in (None, operation):
                    failing.times -= 1
                    return failing.status, failing.headers
        return None

    def take_loss(self, operation: str) -> bool:
        with self._lock:
            self._lost[operation] -= 1
            return self._lost[operation] >= 0

    def find_prohibition(self, operation: str, key: str) -> str | None:
        for place in ((operation, key), (operation, None)):
            if place in self._forbidden:
                return self._forbidden[place]
        return None

    def find_delay(self, operation: str) -> float:
        slowed, seconds = self._delay
        return seconds if slowed in (None, operation) else 0.0

    def change(self, operation: str, answer: Answer) -> object:
        change = self._changes.get(operation)
        return change(answer) if change else answer
