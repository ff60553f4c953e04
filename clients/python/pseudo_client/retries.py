"""When to try again, as a value: how often, how long to wait, how to wait."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pseudo_client.errors import PseudoClientError

T = TypeVar("T")


def draw_share() -> float:
    """Return a number from 0 to below 1, unlike another process's."""
    return secrets.randbits(53) / (1 << 53)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential waiting with jitter, a bounded number of times.

    It decides nothing about safety: callers hand it only what may be done twice.

    Attributes:
        attempts: How often in all; 1 means that nothing is tried again.
        first_delay: Seconds before the second attempt.
        growth: What each later wait is multiplied by.
        longest_delay: The most that one wait may take, in seconds.
        jitter: The share of a wait that is drawn, so that many clients that were
            cut off together do not come back together.
    """

    attempts: int = 4
    first_delay: float = 0.2
    growth: float = 3.0
    longest_delay: float = 15.0
    jitter: float = 0.5
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = draw_share

    def delay(self, failed: int) -> float:
        """Return the seconds to wait after so many failures, from 1."""
        grown = self.first_delay * self.growth ** (failed - 1)
        whole = min(grown, self.longest_delay)
        return whole * (1 - self.jitter) + whole * self.jitter * self.draw()

    def run(
        self,
        attempt: Callable[[], T],
        *,
        may_retry: Callable[[PseudoClientError], bool] | None = None,
        on_retry: Callable[[PseudoClientError, int], None] | None = None,
    ) -> T:
        """Call until it succeeds, fails for good, or the attempts are used up.

        Args:
            attempt: What to do; it must be safe to do again.
            may_retry: Which errors to try again after; ``retryable`` ones if absent.
            on_retry: Told of the error and the number of failures before each wait.

        Raises:
            PseudoClientError: The last attempt's error.
        """
        for failed in range(1, self.attempts):
            try:
                return attempt()
            except PseudoClientError as error:
                wanted = error.retryable if may_retry is None else may_retry(error)
                if not wanted:
                    raise
                if on_retry is not None:
                    on_retry(error, failed)
            self.sleep(self.delay(failed))
        return attempt()


NO_RETRIES = RetryPolicy(attempts=1)
