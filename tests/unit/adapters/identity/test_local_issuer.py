"""The laptop's issuer: one key, short lives, real verification."""

from datetime import timedelta
from pathlib import Path

import pytest

from pseudo_service.adapters.identity.local_issuer import LocalIssuer
from pseudo_service.adapters.identity.oidc import OidcVerifier
from pseudo_service.core.access.roles import Role, RoleGrant
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    InvalidArgument,
    TokenExpired,
    Unauthenticated,
)
from pseudo_service.ports.telemetry import NullTelemetry
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.values.foreign_keys import UNKNOWN_KIND

HOUR = timedelta(hours=1)


def verifier_of(issuer: LocalIssuer, clock: FakeClock) -> OidcVerifier:
    return OidcVerifier([issuer.profile], clock=clock, telemetry=NullTelemetry())


def test_its_tokens_are_verified_like_any_other(tmp_path: Path) -> None:
    clock = FakeClock()
    issuer = LocalIssuer.open(tmp_path / "state")
    token = issuer.issue(
        "demo-loader", ["pipeline:asthma"], lifetime=HOUR, now=clock.now()
    )
    # Another process of the same state directory has the same key.
    verifier = verifier_of(LocalIssuer.open(tmp_path / "state"), clock)
    actor = verifier.verify(token)
    assert actor.subject == "local:demo-loader"
    assert actor.grants == {RoleGrant(role=Role.PIPELINE, project="asthma")}
    clock.advance(hours=2)
    with pytest.raises(TokenExpired):
        verifier.verify(token)


def test_another_directory_is_another_issuer(tmp_path: Path) -> None:
    clock = FakeClock()
    token = LocalIssuer.open(tmp_path / "a").issue(
        "demo", ["auditor"], lifetime=HOUR, now=clock.now()
    )
    verifier = verifier_of(LocalIssuer.open(tmp_path / "b"), clock)
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


@pytest.mark.parametrize(
    ("subject", "roles", "hours"),
    [
        ("demo", ["pipelin:asthma"], 1),
        ("demo", ["pipeline"], 1),
        ("a.nurse@nhs.net", ["auditor"], 1),
        ("", ["auditor"], 1),
        ("demo", ["auditor"], 13),
        ("demo", ["auditor"], 0),
        ("demo", ["auditor"], -1),
    ],
)
def test_what_it_does_not_issue(
    subject: str, roles: list[str], hours: int, tmp_path: Path
) -> None:
    issuer = LocalIssuer.open(tmp_path / "state")
    with pytest.raises(InvalidArgument):
        issuer.issue(
            subject, roles, lifetime=timedelta(hours=hours), now=FakeClock().now()
        )


def test_the_key_is_its_owners(tmp_path: Path) -> None:
    LocalIssuer.open(tmp_path / "state")
    path = tmp_path / "state" / "local-issuer-key.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigurationInvalid, match="chmod 600"):
        LocalIssuer.open(tmp_path / "state")


@pytest.mark.parametrize("content", [b"spoilt", UNKNOWN_KIND])
def test_a_spoilt_key_is_refused(tmp_path: Path, content: bytes) -> None:
    LocalIssuer.open(tmp_path / "state")
    path = tmp_path / "state" / "local-issuer-key.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match="P-256"):
        LocalIssuer.open(tmp_path / "state")
