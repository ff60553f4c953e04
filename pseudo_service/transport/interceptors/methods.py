"""Which methods there are, and what each asks of its caller: a closed table."""

from dataclasses import dataclass

PUBLIC_METHODS = frozenset(
    {
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/List",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)
"""Open to everybody: they tell whether the service is up and what its contract is.

Their streams count together as one caller for the limit of open streams.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTable:
    """Every method by its full name, ``/package.Service/Method``.

    ``authenticated`` methods need a verified caller; whether the caller may do it
    in the project named inside the message is then checked by the engine. A method
    in neither set is refused, so that a new one is closed until it is listed.
    """

    authenticated: frozenset[str]
    public: frozenset[str] = PUBLIC_METHODS

    def lists(self, method: str) -> bool:
        """Return whether the method is in the table."""
        return method in self.authenticated or method in self.public
