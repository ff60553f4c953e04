"""What every call passes through, in the one order that is right."""

from datetime import timedelta

from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.telemetry import Telemetry
from pseudo_service.ports.token_verifier import TokenVerifier
from pseudo_service.transport.interceptors.access import AccessInterceptor
from pseudo_service.transport.interceptors.certificates import ClientCertificates
from pseudo_service.transport.interceptors.deadlines import DeadlineInterceptor
from pseudo_service.transport.interceptors.failures import FailuresInterceptor
from pseudo_service.transport.interceptors.identity import IdentityInterceptor
from pseudo_service.transport.interceptors.limits import (
    CallLimitInterceptor,
    CallLimits,
)
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.reading import (
    DeferRequests,
    ReadRequests,
)
from pseudo_service.transport.interceptors.telemetry import TelemetryInterceptor
from pseudo_service.transport.interceptors.wrapping import Interceptor


def build_interceptors(
    *,
    clock: Clock,
    entropy: Entropy,
    telemetry: Telemetry,
    verifier: TokenVerifier,
    certificates: ClientCertificates,
    methods: MethodTable,
    limits: CallLimits,
    shortest_deadline: timedelta = timedelta(milliseconds=50),
) -> tuple[Interceptor, ...]:
    """Return the interceptors, outermost first, for ``grpc.server``.

    Failures stand inside telemetry, so that the record of a call has its code, and
    outside everything else, so that no refusal goes out unexplained. No message is
    read before all of them have let the call by.
    """
    return (
        DeferRequests(),
        TelemetryInterceptor(
            telemetry=telemetry, clock=clock, entropy=entropy, methods=methods
        ),
        FailuresInterceptor(telemetry=telemetry),
        IdentityInterceptor(
            verifier=verifier, certificates=certificates, methods=methods
        ),
        AccessInterceptor(methods=methods),
        CallLimitInterceptor(limits=limits, methods=methods),
        DeadlineInterceptor(methods=methods, shortest=shortest_deadline),
        ReadRequests(
            strangers=limits.limit_strangers(), callers=limits.limit_callers()
        ),
    )
