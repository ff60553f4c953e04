"""A client in memory behind the command line, and what was asked of it."""

# ruff: noqa: ARG002 - the fake takes what the client takes

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pseudo_client import (
    CheckedPseudonym,
    Closing,
    DateShift,
    KeyVersion,
    KeyVersionMapEnd,
    LoadedAliases,
    LoadedOptOuts,
    OptOuts,
    Policy,
    Project,
    SignedStatement,
)
from pseudo_client.errors import ProjectExists, ProjectUnknown
from pseudo_service.bootstrap import embedded
from pseudo_service.cli.console import connection
from pseudo_service.cli.init import LAPTOP_CONFIG
from pseudo_service.cli.main import run_command
from pseudo_service.core.policies.policy import parse_policy
from tests.lib.harnesses.linkage_commands import (  # noqa: F401 - fixtures of linkage commands
    certificates,
    cohort,
    keys,
    linkage,
    running,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class FakeService:
    """Holds what a service would, and how it was reached."""

    projects: dict[str, Project] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    opt_outs: list[str] = field(default_factory=list)
    aliases: list[tuple[str, str]] | None = None
    certificate: SignedStatement | None = None
    pairs: list[tuple[list[str], list[str]]] = field(default_factory=list)
    map_end: KeyVersionMapEnd | None = None
    audit: list = field(default_factory=list)
    roles: list[list[str]] = field(default_factory=list)
    connections: list[dict] = field(default_factory=list)
    has_issuer: bool = True
    closed: int = 0

    def issue_token(self, roles, subject):
        self.roles.append(list(roles))
        return f"token for {subject}"

    @contextmanager
    def open_embedded(self, config):
        try:
            yield SimpleNamespace(
                address="127.0.0.1:1",
                root_certificates=b"authority",
                issue_token=self.issue_token if self.has_issuer else None,
            )
        finally:
            self.closed += 1

    def make_client(self, address, **options):
        self.connections.append({"address": address, **options})
        return FakeClient(self)


class FakeClient:
    """The client's methods that commands use, over ``FakeService``."""

    def __init__(self, service: FakeService) -> None:
        self._service = service

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        return None

    def create_project(
        self, project, *, title, date_shift, opt_outs, daily_quota, **options
    ):
        if project in self._service.projects:
            raise ProjectExists("project: made before", code="PROJECT_EXISTS")
        made = Project(
            project=project,
            tag="7K2M",
            title=title,
            state="active",
            date_shift=DateShift(
                unit=date_shift.unit,
                bound=date_shift.bound,
                direction=date_shift.direction,
            ),
            opt_outs=OptOuts(
                application=opt_outs.application,
                legal_basis=opt_outs.legal_basis,
                uncheckable=opt_outs.uncheckable,
            ),
            daily_quota=daily_quota,
            created_at=NOON,
            key_versions=(_key(1),),
            **options,
        )
        self._service.projects[project] = made
        return made

    def list_projects(self):
        return list(self._service.projects.values())

    def get_project(self, project):
        if project not in self._service.projects:
            raise ProjectUnknown(
                "project: there is none of this id", code="PROJECT_UNKNOWN"
            )
        return self._service.projects[project]

    def suspend_project(self, project, *, reason):
        return self._change(project, state="suspended")

    def resume_project(self, project, *, reason):
        return self._change(project, state="active")

    def _change(self, project, **changes):
        changed = replace(self.get_project(project), **changes)
        self._service.projects[project] = changed
        return changed

    def close_project(self, project, *, reason, cooling_days):
        closing = Closing(
            requested_by="first",
            requested_at=NOON,
            reason=reason,
            agreed_by=None,
            not_before=NOON + timedelta(days=cooling_days),
        )
        return self._change(project, state="closing", closing=closing)

    def agree_to_close(self, project):
        closing = replace(self.get_project(project).closing, agreed_by="second")
        return self._change(project, closing=closing)

    def cancel_closing(self, project, *, reason):
        return self._change(project, state="suspended", closing=None)

    def destroy_project(self, project):
        return self._change(project, state="destroyed"), self._service.certificate

    def map_key_versions(self, project, *, old_version, new_version, purpose, take):
        for olds, news in self._service.pairs:
            take(olds, news)
        return self._service.map_end

    def rotate_key(self, project, *, current_version, reason, overlap_days=0):
        until = NOON + timedelta(days=overlap_days) if overlap_days else None
        self._change(project, overlap_until=until)
        versions = self.get_project(project).key_versions
        made = _key(current_version + 1)
        self._change(project, key_versions=(*versions, made))
        return made

    def register_policy(self, text):
        parsed = parse_policy(text)
        policy = Policy(
            address=parsed.address,
            text=text,
            digest=parsed.digest,
            registered_at=NOON,
            registered_by="custodian-1",
        )
        self._service.policies[parsed.address] = policy
        return policy

    def get_policy(self, project, policy):
        return self._service.policies[f"{project}/{policy}"]

    def list_policies(self, project):
        return list(self._service.policies.values())

    def load_opt_outs(self, *, kind, expires_at, entries, chunks):
        self._service.opt_outs = [number for chunk in chunks for number in chunk]
        return LoadedOptOuts(list_id="L1", entries=entries, expires_at=expires_at)

    def load_aliases(self, *, entries, chunks):
        self._service.aliases = [pair for chunk in chunks for pair in chunk]
        reissued = sum(not current for _, current in self._service.aliases)
        return LoadedAliases(list_id="A1", merged=entries - reissued, reissued=reissued)

    def check_pseudonyms(self, project, pseudonyms):
        return [
            CheckedPseudonym(
                outcome=self._service.outcomes.get(text, "FORM"),
                key_version=int(text in self._service.outcomes),
            )
            for text in pseudonyms
        ]

    def export_audit(self):
        yield from self._service.audit


def _key(version):
    return KeyVersion(
        version=version,
        check_value=b"\x01\x02",
        created_at=NOON,
        wrapping_key_id="local:asthma/1",
    )


@pytest.fixture
def service(monkeypatch, tmp_path):
    """A fake service that the configuration in the current folder leads to."""
    fake = FakeService()
    monkeypatch.setattr(embedded, "open_embedded", fake.open_embedded)
    monkeypatch.setattr(connection, "Client", fake.make_client)
    for name in ("PSEUDO_SERVER", "PSEUDO_CONFIG", "PSEUDO_CA", "PSEUDO_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pseudo.yaml").write_text(LAPTOP_CONFIG)
    return fake


@pytest.fixture
def pseudo(capsys):
    """Run a command line; return its exit code, output and complaints."""

    def run(*arguments: str) -> SimpleNamespace:
        capsys.readouterr()
        code = run_command([str(each) for each in arguments])
        captured = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=captured.out, err=captured.err)

    return run
