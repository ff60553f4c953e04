"""The whole service inside a command, on loopback, for as long as it lasts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.identity.local_issuer import LocalIssuer
from pseudo_service.bootstrap.external_services import (
    open_local_certificates,
    open_local_issuer,
)
from pseudo_service.bootstrap.service import Service
from pseudo_service.bootstrap.shared_services import RuntimeOverrides
from pseudo_service.config import Config, ServerSettings
from pseudo_service.ports.telemetry import NullTelemetry

TOKEN_LIFETIME = timedelta(hours=12)
LOOPBACK = "127.0.0.1:0"
IssueToken = Callable[[Sequence[str], str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """How to reach the embedded service.

    ``issue_token`` takes roles and a subject; None where there is no local issuer.
    """

    address: str
    root_certificates: bytes
    issue_token: IssueToken | None = field(repr=False)


@contextmanager
def open_embedded(
    config: Config, overrides: RuntimeOverrides | None = None
) -> Iterator[Embedded]:
    """Start the service on a loopback port of its own; stop it at the end.

    It has the same TLS, tokens, checks and audit as a served one. Loopback always
    has the machine's own certificate, whatever the configuration serves with.

    Raises:
        PseudoError: What keeps the service from starting.
    """
    overrides = overrides or RuntimeOverrides(telemetry=NullTelemetry())
    server = ServerSettings(limits=config.server.limits)
    alone = config.model_copy(update={"server": server})
    service = Service(alone, overrides, address=LOOPBACK)
    service.start()
    try:
        files = open_local_certificates(alone).ensure_server(overrides.clock.now())
        yield Embedded(
            address=f"localhost:{service.ports[0]}",
            root_certificates=files.authority,
            issue_token=_bind(open_local_issuer(config)),
        )
    finally:
        service.stop()


def _bind(issuer: LocalIssuer | None) -> IssueToken | None:
    if issuer is None:
        return None

    def issue(roles: Sequence[str], subject: str) -> str:
        return issuer.issue(
            subject, roles, lifetime=TOKEN_LIFETIME, now=SystemClock().now()
        )

    return issue
