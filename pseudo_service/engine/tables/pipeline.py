"""Two stages that run ahead of whoever takes what they make.

The first stage makes items, the second turns each into what is taken. Each stage has
a thread of its own and is at most one item ahead of the next.
"""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Generic, TypeVar

from pseudo_service.engine.tables.prefetch import Prefetcher

AHEAD: Final = 1
IDLE_SECONDS: Final = 600.0
JOIN_SECONDS: Final = 30.0
_Made = TypeVar("_Made")
_Taken = TypeVar("_Taken")


class Pipeline(Generic[_Made, _Taken]):
    """The items of an iterator after one step, in order, made ahead of their use.

    After the block is left nothing is begun, except what the first stage receives. A
    step that takes longer than ``JOIN_SECONDS`` from then on ends by itself, unheard.
    """

    def __init__(self, items: Iterator[_Made], step: Callable[[_Made], _Taken]) -> None:
        self._items = items
        self._step = step
        self._stages: list[Prefetcher[_Made] | Prefetcher[_Taken]] = []

    def __enter__(self) -> Iterator[_Taken]:
        step = self._step
        made = Prefetcher(self._items, ahead=AHEAD, idle_seconds=IDLE_SECONDS)
        taken = Prefetcher(
            (step(item) for item in made),
            ahead=AHEAD,
            idle_seconds=IDLE_SECONDS + JOIN_SECONDS,
        )
        self._stages = [made, taken]
        return taken

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stage in self._stages:
            stage.close()
        for stage in self._stages[1:]:  # the first may wait for the client for long
            stage.join(JOIN_SECONDS)
        # A stage holds whoever made it: without the cycle their memory goes at once.
        self._stages.clear()
