"""The system's randomness: the only place that draws it."""

import secrets


class SystemEntropy:
    """Bytes from the operating system's generator."""

    def draw(self, count: int) -> bytes:
        """Return ``count`` unpredictable bytes."""
        return secrets.token_bytes(count)
