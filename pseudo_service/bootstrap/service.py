"""One serving process, put together and taken apart."""

import contextlib
from collections.abc import Iterator

from pseudo_service.adapters.allocator import release_unused_memory
from pseudo_service.adapters.descriptors import count_connections
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.migrate import migrate
from pseudo_service.bootstrap.external_services import (
    choose_listeners,
    open_client_certificates,
    open_local_issuer,
    open_verifier,
)
from pseudo_service.bootstrap.linkage import build_linkage_use_cases
from pseudo_service.bootstrap.maintenance import Maintenance, Task
from pseudo_service.bootstrap.servicers import build_servicers, choose_call_limits
from pseudo_service.bootstrap.shared_services import (
    RuntimeOverrides,
    SharedServices,
    build_shared_services,
)
from pseudo_service.bootstrap.use_cases import build_use_cases
from pseudo_service.config import Config, Duty
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import PseudoError
from pseudo_service.transport.interceptors import build_interceptors
from pseudo_service.transport.server import METHODS, ServiceServer

REGISTER_SECONDS = 10.0
"""How often a process reads whom the other processes have registered."""
MEMORY_SECONDS = 10.0
RESULTS_SECONDS = 300.0
"""How often sealed results are dropped whose requests have expired."""


class Service:
    """Everything that one process runs: build it, ``start`` it, ``stop`` it."""

    def __init__(
        self,
        config: Config,
        overrides: RuntimeOverrides,
        *,
        address: str,
        shares_port: bool = False,
    ) -> None:
        """Open the database and the vault, load the register, bind the address.

        Args:
            config: The deployment's.
            overrides: What is not as in a deployment, and its telemetry.
            address: Where to listen.
            shares_port: Whether other workers of this service listen there, too.

        Raises:
            PseudoError: Whatever keeps the service from being sound; nothing is left
                running.
        """
        self._config = config
        self._overrides = overrides
        self._shares_port = shares_port
        self.process = f"process-{overrides.entropy.draw(8).hex()}"
        migrate(config.database_url)
        self._database = SqlDatabase(
            config.database_url,
            chain=self.process,
            patience=config.database.commit_timeout_seconds,
        )
        try:
            self._base = base = build_shared_services(
                config, overrides, self._database, self.process
            )
            self._use_cases = build_use_cases(config, base, self._database)
            self._linkage = (
                build_linkage_use_cases(config, base, self._database, self._use_cases)
                if Duty.LINKAGE in config.served_duties
                else None
            )
            self._server = self._build_server(address)
            self._maintenance = self._plan_maintenance(base)
            base.journal.record(self._describe_start(base))
        except BaseException:
            self._database.close()
            raise

    @property
    def ports(self) -> tuple[int, ...]:
        """Return the ports listened on, in the order of the listeners."""
        return self._server.ports

    def start(self) -> None:
        """Begin to serve."""
        self._server.start()
        self._maintenance.start()

    def wait(self) -> None:
        """Return when the server has stopped."""
        self._server.wait()

    def stop(self) -> None:
        """Drain, make a last checkpoint, close."""
        self._server.drain(self._config.server.limits.drain_seconds)
        self._maintenance.stop()
        with contextlib.suppress(PseudoError):  # the next start makes up for it
            self._use_cases.audit.checkpoint()
        self._base.redactor.close()
        self._base.vault.close()
        self._database.close()

    def _build_server(self, address: str) -> ServiceServer:
        config, overrides = self._config, self._overrides
        limits = config.server.limits
        places = choose_call_limits(limits)
        verifier = open_verifier(
            config,
            issuer=open_local_issuer(config),
            clock=overrides.clock,
            telemetry=overrides.telemetry,
        )
        return ServiceServer(
            servicers=build_servicers(
                config, self._use_cases, self._linkage, overrides
            ),
            interceptors=build_interceptors(
                clock=overrides.clock,
                entropy=overrides.entropy,
                telemetry=overrides.telemetry,
                verifier=verifier,
                certificates=open_client_certificates(config),
                methods=METHODS,
                limits=places,
            ),
            listeners=choose_listeners(config, address=address, clock=overrides.clock),
            threads=places.threads,
            message_bytes=limits.message_bytes,
            connections=count_connections(),
            shares_port=self._shares_port,
        )

    def _plan_maintenance(self, base: SharedServices) -> Maintenance:
        return Maintenance(
            [
                *self._plan_duties(base),
                Task("certificate", base.signer.renew_if_due, seconds=60.0),
                Task("data_key", base.writer.prepare, seconds=60.0),
                Task("roots", base.key_ring.drop_expired, seconds=60.0),
                Task("memory", release_unused_memory, seconds=MEMORY_SECONDS),
                Task(
                    "checkpoint",
                    self._use_cases.audit.checkpoint,
                    seconds=self._config.audit.checkpoint_seconds,
                ),
            ],
            telemetry=self._overrides.telemetry,
        )

    def _plan_duties(self, base: SharedServices) -> Iterator[Task]:
        telemetry, linkage = self._overrides.telemetry, self._linkage
        if Duty.INGESTION in self._config.served_duties:
            yield Task("register", base.known.load, seconds=REGISTER_SECONDS)
            yield Task(
                "register_size",
                lambda: telemetry.set_register_size(base.known.count()),
                seconds=15.0,
            )
        if linkage is not None:
            yield Task(
                "linkage_results",
                lambda: linkage.requests.drop_results(before=base.clock.now()),
                seconds=RESULTS_SECONDS,
            )

    def _describe_start(self, base: SharedServices) -> AuditEvent:
        return AuditEvent(
            kind=AuditKind.SERVICE_STARTED,
            at=base.clock.now(),
            actor=self.process,
            details={
                "instance": self._config.instance,
                "environment": self._config.environment.value,
                "service_root": base.service_root.check_value().hex(),
            },
        )
