"""The call that is being answered, for whoever works on it in its thread.

gRPC's synchronous server runs each call, its interceptors and its generators in
one ``contextvars.Context`` of its own, so a context variable set by the outermost
interceptor is seen by this call only and dies with it. A thread that a servicer
starts does not see it: take ``current_call()`` first and hand it over.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.errors import TokenExpired, Unauthenticated

OK = "OK"


@dataclass(slots=True, kw_only=True)
class CallContext:
    """What is known of a call; the interceptors fill it in from outside inwards.

    Servicers name the project and write the row counts for the record of the call.
    """

    method: str
    request_id: str
    started: datetime
    proven_actor: Actor | None = None
    project: str | None = None
    rows_in: int = 0
    rows_out: int = 0
    code: str = OK

    @property
    def actor(self) -> Actor:
        """Return the verified caller.

        Raises:
            Unauthenticated: The method is public, so that nobody was verified.
        """
        if self.proven_actor is None:
            msg = "this method is open to everybody and knows no caller"
            raise Unauthenticated(msg)
        return self.proven_actor

    def name_project(self, project: str) -> None:
        """Note whose call it is, if the caller has a role there.

        Anything can stand in the field, and what is noted goes into the log.
        """
        if any(grant.project == project for grant in self.actor.grants):
            self.project = project

    def check_still_valid(self, now: datetime) -> None:
        """Raise if the caller's token or certificate has expired since the start.

        Raises:
            TokenExpired: Long streams check this at every batch.
        """
        expires_at = self.actor.expires_at
        if expires_at is not None and now >= expires_at:
            msg = (
                "the token or certificate expired during the call: get a new one "
                "and resume with what was not yet answered"
            )
            raise TokenExpired(msg)


_CURRENT: ContextVar[CallContext] = ContextVar("pseudo_call")


def begin_call(call: CallContext) -> None:
    """Make a call the current one of this context."""
    _CURRENT.set(call)


def current_call() -> CallContext:
    """Return the call that is being answered.

    Raises:
        LookupError: Not inside a call of a server with these interceptors.
    """
    return _CURRENT.get()
