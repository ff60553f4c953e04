"""Turning what a caller shows into an actor."""

from typing import Protocol

from pseudo_service.core.access.roles import Actor


class TokenVerifier(Protocol):
    """Verifies access tokens; what it does not know, it refuses."""

    def verify(self, token: str) -> Actor:
        """Return the caller that the token proves.

        Raises:
            TokenExpired: The token was valid once.
            Unauthenticated: Anything else about the token is not as it must be.
            IdentityProviderUnavailable: The issuer's keys cannot be had.
        """
        ...
