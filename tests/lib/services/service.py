"""The whole service inside a test: TLS, tokens, keys and a database of its own.

A template of its state (vault keys, certificates, two projects with a policy) is
made once a session and copied, so that a test waits for no RSA key.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from pseudo_client import Client, DateShift, OptOuts
from pseudo_client.retries import NO_RETRIES
from pseudo_service.adapters.identity.local_issuer import LocalIssuer
from pseudo_service.bootstrap.embedded import open_embedded
from pseudo_service.bootstrap.shared_services import RuntimeOverrides
from pseudo_service.config import Config, build_config
from pseudo_service.ports.key_vault import KeyVault
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.values.cohort import PURPOSE, write_policy

PROJECTS = ("asthma", "stroke")
"""Ready-made projects, each with the policy ``cohort@1``."""

POLICY = "cohort@1"
QUOTA = 1_000_000
TEN_MINUTES = timedelta(minutes=10)


class MovableClock:
    """The time of day, moved ahead as far as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **parts: float) -> None:
        self.ahead += timedelta(**parts)

    def leave_midnight(self) -> None:
        """Move into the next day where this one ends within ten minutes.

        A quota is of a day, so a test of it must not begin in one and end in another.
        """
        now = self.now()
        if (now + TEN_MINUTES).date() != now.date():
            self.ahead += TEN_MINUTES


@dataclass(kw_only=True)
class RunningService:
    """A service that answers, and all that a test wants of it."""

    config: Config
    address: str
    root_certificates: bytes
    clock: MovableClock = field(default_factory=MovableClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def state(self) -> Path:
        return self.config.state_directory

    def issue(
        self,
        *roles: str,
        subject: str = "loader",
        lifetime: timedelta = timedelta(hours=1),
    ) -> str:
        """Issue a token with the local issuer's key, dated by the service's clock."""
        issuer = LocalIssuer.open(self.state / "issuer")
        return issuer.issue(subject, roles, lifetime=lifetime, now=self.clock.now())

    def client(self, *roles: str, subject: str = "loader") -> Client:
        return self.connect(token=self.issue(*roles, subject=subject))

    def connect(self, **options: Any) -> Client:
        """Return a client that never tries again, so that a test sees each failure."""
        options = {"root_certificates": self.root_certificates, **options}
        client = Client(self.address, retries=NO_RETRIES, **options)
        return self.closing.enter_context(client)

    def custodian(self) -> Client:
        return self.client("custodian", subject="custodian")

    def auditor(self) -> Client:
        return self.client("auditor", subject="auditor")

    def pipeline(self, project: str = "asthma", *, subject: str = "loader") -> Client:
        return self.client(f"pipeline:{project}", subject=subject)

    def channel(self) -> grpc.Channel:
        """Return a bare channel, for what the client would never send."""
        credentials = grpc.ssl_channel_credentials(self.root_certificates)
        channel = grpc.secure_channel(
            self.address, credentials, (("grpc.max_send_message_length", -1),)
        )
        return self.closing.enter_context(channel)

    def create_project(
        self,
        project: str,
        *,
        quota: int = QUOTA,
        opt_outs: OptOuts | None = None,
        **options: Any,
    ) -> None:
        """Make a project with the policy ``cohort@1``; its quota lasts for the test."""
        if quota != QUOTA:
            self.clock.leave_midnight()
        create_project(
            self.custodian(), project, quota=quota, opt_outs=opt_outs, **options
        )

    def deidentify(self, table: Any, project: str = "asthma", **options: Any) -> Any:
        """Return the answer to a table, read to its end."""
        answer = self.pipeline(project).deidentify(
            table, project=project, policy=POLICY, purpose=PURPOSE, **options
        )
        return answer.read_all()

    def pseudonymise(self, number: str, project: str = "asthma") -> str | None:
        """Return the pseudonym of one NHS number."""
        (result,) = self.pipeline(project).pseudonymise(
            [number], kind="nhs_number", project=project, purpose=PURPOSE
        )
        return result.pseudonym


def create_project(
    custodian: Client,
    project: str,
    *,
    quota: int = QUOTA,
    opt_outs: OptOuts | None = None,
    **options: Any,
) -> None:
    """Make a project with the policy ``cohort@1``."""
    custodian.create_project(
        project,
        title=f"Study of {project}",
        date_shift=DateShift(unit="weeks", bound=52, direction="past"),
        opt_outs=opt_outs
        or OptOuts(
            application="not_applicable", legal_basis="consent", uncheckable="keep"
        ),
        daily_quota=quota,
        **options,
    )
    custodian.register_policy(write_policy(project))


def choose_config(state: Path, **settings: Any) -> Config:
    """Return a laptop's configuration; ``settings`` are sections."""
    return build_config(
        {
            "environment": "laptop",
            "state_directory": str(state),
            "identity": {"local_issuer": True},
            "identifiers": {"accept_test_range": True},
            **settings,
        }
    )


@contextlib.contextmanager
def run_service(
    config: Config,
    *,
    vault: KeyVault | None = None,
    overrides: dict[str, Any] | None = None,
) -> Iterator[RunningService]:
    """Run the embedded service for the length of the block."""
    clock, telemetry = MovableClock(), RecordingTelemetry()
    runtime = RuntimeOverrides(
        telemetry=telemetry, clock=clock, vault=vault, **(overrides or {})
    )
    with (
        contextlib.ExitStack() as closing,
        open_embedded(config, runtime) as embedded,
        closing,  # clients leave before the server drains
    ):
        yield RunningService(
            config=config,
            address=embedded.address,
            root_certificates=embedded.root_certificates,
            clock=clock,
            telemetry=telemetry,
            closing=closing,
        )


OpenService = Callable[..., RunningService]


@pytest.fixture(scope="session")
def service_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with keys and the ready-made projects."""
    state = tmp_path_factory.mktemp("service") / "state"
    with run_service(choose_config(state)) as service:
        for project in PROJECTS:
            service.create_project(project)
    return state


@pytest.fixture
def state(service_template: Path, tmp_path: Path) -> Path:
    """A copy of the template, of this test's own."""
    copy = tmp_path / "state"
    shutil.copytree(service_template, copy)
    return copy


@pytest.fixture
def open_service(state: Path) -> Iterator[OpenService]:
    """Start services over this test's state directory; all stop at its end."""
    with contextlib.ExitStack() as stack:

        def start(
            *,
            vault: KeyVault | None = None,
            overrides: dict[str, Any] | None = None,
            **settings: Any,
        ) -> RunningService:
            if "url" in settings.get("database", {}):
                # The template's checkpoints are of the database that is left behind.
                outside = {"archive_directory": str(state / "checkpoints-elsewhere")}
                settings = {"audit": outside, **settings}
            config = choose_config(state, **settings)
            running = run_service(config, vault=vault, overrides=overrides)
            return stack.enter_context(running)

        yield start


@pytest.fixture
def service(open_service: OpenService) -> RunningService:
    """A laptop's service on SQLite, of this test's own."""
    return open_service()


@pytest.fixture
def postgres_service(open_service: OpenService, postgres_url: str) -> RunningService:
    """The same on PostgreSQL."""
    running = open_service(database={"url": postgres_url})
    for project in PROJECTS:
        running.create_project(project)
    return running


@pytest.fixture(params=["sqlite", "postgresql"])
def any_service(request: pytest.FixtureRequest) -> RunningService:
    """A service of this test's own, once on each database."""
    name = "service" if request.param == "sqlite" else "postgres_service"
    found: RunningService = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="session")
def shared_service(
    service_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """One service for every test that leaves nothing behind that matters."""
    state = tmp_path_factory.mktemp("shared") / "state"
    shutil.copytree(service_template, state)
    with run_service(choose_config(state)) as service:
        yield service
