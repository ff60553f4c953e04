"""Tokens: what is accepted, and everything that is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from pseudo_service.adapters.identity.oidc import (
    OidcProfile,
    OidcVerifier,
)
from pseudo_service.adapters.identity.signing_keys import FixedKeys
from pseudo_service.core.access.roles import Role, RoleGrant
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    TokenExpired,
    Unauthenticated,
)
from pseudo_service.ports.telemetry import IdentityEvent
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.services.tokens import (
    ENTRA_ISSUERS,
    OBJECT_ID,
    TENANT,
    Signer,
    entra_claims,
    sign_unchecked,
)

LEEWAY = timedelta(seconds=30)
AUDIENCES = {"1.0": "api://pseudo", "2.0": "11111111-2222-3333"}


def make_profile(version: str, signer: Signer) -> OidcProfile:
    return OidcProfile(
        name=f"entra-{version[0]}",
        issuer=ENTRA_ISSUERS[version],
        audiences=frozenset({AUDIENCES[version]}),
        keys=FixedKeys({signer.key_id: signer.key.public_key()}),
        tenant=TENANT,
        version=version,
    )


class Desk:
    """A verifier of both Entra profiles and all that a test moves."""

    def __init__(self, signer: Signer) -> None:
        self.clock = FakeClock()
        self.telemetry = RecordingTelemetry()
        self.signer = signer
        self.verifier = OidcVerifier(
            [make_profile("1.0", signer), make_profile("2.0", signer)],
            clock=self.clock,
            telemetry=self.telemetry,
            leeway=LEEWAY,
        )

    def claims(self, version: str = "2.0", **changes: Any) -> dict[str, Any]:
        return entra_claims(version, self.clock.now(), **changes)

    def sign(self, version: str = "2.0", **changes: Any) -> str:
        return self.signer.sign(self.claims(version, **changes))

    def seconds(self, offset: int = 0) -> int:
        return int(self.clock.now().timestamp()) + offset


@pytest.fixture
def desk(signer: Signer) -> Desk:
    return Desk(signer)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_good_token_proves_its_caller(version: str, desk: Desk) -> None:
    actor = desk.verifier.verify(desk.sign(version))
    assert actor.subject == f"{TENANT}:{OBJECT_ID}"
    assert actor.grants == {RoleGrant(role=Role.PIPELINE, project="asthma")}
    assert actor.expires_at == desk.clock.now() + timedelta(hours=1) + LEEWAY


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "api://else"}, "audience"),
    "no audience": ({"aud": None}, "audience"),
    "an audience that is a number": ({"aud": 7}, "audience"),
    "an audience list with a number": ({"aud": [7, AUDIENCES["2.0"]]}, "audience"),
    "the audience of version 1": ({"aud": AUDIENCES["1.0"]}, "audience"),
    "both issuers in a list": ({"iss": ["a", "b"]}, "issuer"),
    "another tenant's issuer": (
        {"iss": "https://login.microsoftonline.com/common/v2.0"},
        "issuer",
    ),
    "no issuer": ({"iss": None}, "issuer"),
    "version 1 in a version 2 token": ({"ver": "1.0"}, "version or tenant"),
    "no version": ({"ver": None}, "version or tenant"),
    "another tenant": ({"tid": OBJECT_ID}, "version or tenant"),
    "no object id": ({"oid": None}, "oid"),
    "an object id that is an address": ({"oid": "a.nurse@example.org"}, "oid"),
    "an ID token": ({"azp": None, "nonce": "n"}, "access token"),
    "a version 1 client": ({"azp": None, "appid": "x"}, "access token"),
    "no expiry": ({"exp": None}, "exp"),
    "no time of issue": ({"iat": None}, "iat"),
    "an expiry that is a text": ({"exp": "9999999999"}, "exp"),
    "an expiry that is true": ({"exp": True}, "exp"),
    "an expiry beyond time": ({"exp": 2**60}, "exp"),
    "roles that are a text": ({"roles": "pipeline:asthma"}, "roles"),
    "roles without end": ({"roles": ["x"] * 501}, "roles"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_claim_is_refused(name: str, desk: Desk) -> None:
    changes, reason = REFUSED[name]
    with pytest.raises(Unauthenticated, match=reason):
        desk.verifier.verify(desk.sign("2.0", **changes))


def test_a_version_1_token_does_not_pass_under_the_other_issuer(desk: Desk) -> None:
    claims = desk.claims("1.0", iss=ENTRA_ISSUERS["2.0"])
    with pytest.raises(Unauthenticated, match="audience"):
        desk.verifier.verify(desk.signer.sign(claims))


def test_expired_within_and_after_the_leeway(desk: Desk) -> None:
    token = desk.sign(exp=desk.seconds(60))
    desk.clock.advance(seconds=89)
    desk.verifier.verify(token)
    desk.clock.advance(seconds=1)
    with pytest.raises(TokenExpired):
        desk.verifier.verify(token)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_not_valid_yet(claim: str, desk: Desk) -> None:
    token = desk.sign(**{claim: desk.seconds(31)})
    with pytest.raises(Unauthenticated, match="not valid yet"):
        desk.verifier.verify(token)
    desk.clock.advance(seconds=1)
    desk.verifier.verify(token)


def test_a_life_that_is_too_long(desk: Desk) -> None:
    with pytest.raises(Unauthenticated, match="longer"):
        desk.verifier.verify(desk.sign(exp=desk.seconds(29 * 3600)))


def test_an_unknown_role_grants_nothing_and_is_counted(desk: Desk) -> None:
    roles = ["pipeline:asthma", "god", "pipeline", "auditor:x", 7, "auditor"]
    actor = desk.verifier.verify(desk.sign(roles=roles))
    assert actor.grants == {
        RoleGrant(role=Role.PIPELINE, project="asthma"),
        RoleGrant(role=Role.AUDITOR),
    }
    assert desk.telemetry.identity_events[IdentityEvent.UNKNOWN_ROLE] == 4


def test_no_roles_is_a_caller_who_may_nothing(desk: Desk) -> None:
    assert desk.verifier.verify(desk.sign(roles=None)).grants == frozenset()


def test_the_algorithm_none(desk: Desk) -> None:
    for name in ("none", "None", "NONE"):
        header = {"alg": name, "typ": "JWT", "kid": desk.signer.key_id}
        with pytest.raises(Unauthenticated):
            desk.verifier.verify(sign_unchecked(header, desk.claims(), b""))


def test_the_public_key_as_a_shared_secret(desk: Desk) -> None:
    public = desk.signer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "typ": "JWT", "kid": desk.signer.key_id}
    unsigned = sign_unchecked(header, desk.claims(), b"").rsplit(".", 1)[0]
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = algorithm.sign(unsigned.encode(), public)
    with pytest.raises(Unauthenticated, match="signature"):
        desk.verifier.verify(sign_unchecked(header, desk.claims(), signature))


def test_another_rsa_algorithm_of_the_same_key(desk: Desk) -> None:
    token = jwt.encode(
        desk.claims(),
        desk.signer.key,
        algorithm="PS256",
        headers={"kid": desk.signer.key_id},
    )
    with pytest.raises(Unauthenticated, match="signature"):
        desk.verifier.verify(token)


def test_another_key_under_the_same_key_id(desk: Desk) -> None:
    with pytest.raises(Unauthenticated, match="signature"):
        desk.verifier.verify(Signer(desk.signer.key_id).sign(desk.claims()))


def test_a_changed_payload(desk: Desk) -> None:
    header, _, signature = desk.sign().split(".")
    other = sign_unchecked({}, desk.claims(roles=["custodian"]), b"").split(".")[1]
    with pytest.raises(Unauthenticated, match="signature"):
        desk.verifier.verify(f"{header}.{other}.{signature}")


FORMS: dict[str, Callable[[Desk], str]] = {
    "nothing": lambda _: "",
    "no token": lambda _: "9990000018",
    "two parts": lambda desk: ".".join(desk.sign().split(".")[:2]),
    "no key id": lambda desk: desk.signer.sign(desk.claims(), kid=None),
    "a list for claims": lambda _: sign_unchecked({"alg": "RS256"}, [], b"x"),
    "too long": lambda desk: desk.sign(padding="x" * 20_000),
    "not ASCII": lambda _: "\u00e9.\u00e9.\u00e9",
    "a surrogate": lambda _: "\ud800.a.b",
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_no_token(name: str, desk: Desk) -> None:
    with pytest.raises(Unauthenticated) as caught:
        desk.verifier.verify(FORMS[name](desk))
    assert "9990000018" not in str(caught.value)


def test_a_demanded_extension_is_refused(desk: Desk) -> None:
    token = desk.signer.sign(desk.claims(), crit=["exp"], exp=1)
    with pytest.raises(Unauthenticated):
        desk.verifier.verify(token)


def test_refusals_hold_nothing_of_the_token(desk: Desk) -> None:
    with pytest.raises(Unauthenticated) as caught:
        desk.verifier.verify(desk.sign(oid="9990000018"))
    assert "9990000018" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_without_profiles_there_is_nobody(desk: Desk) -> None:
    nobody = OidcVerifier([], clock=desk.clock, telemetry=desk.telemetry)
    with pytest.raises(Unauthenticated):
        nobody.verify(desk.sign())


def make_plain(signer: Signer, **changes: Any) -> OidcProfile:
    values: dict[str, Any] = {
        "name": "hospital",
        "issuer": "https://issuer.example",
        "audiences": frozenset({"pseudo"}),
        "keys": FixedKeys({signer.key_id: signer.key.public_key()}),
    }
    return OidcProfile(**{**values, **changes})


@pytest.mark.parametrize(
    ("subject", "accepted"),
    [("4711|a-b_c.d", True), ("a.nurse@nhs.net", False), ("", False), (7, False)],
)
def test_a_plain_issuers_subject(subject: object, accepted: bool) -> None:
    signer = Signer("elliptic", "EC")
    clock = FakeClock()
    verifier = OidcVerifier(
        [make_plain(signer)], clock=clock, telemetry=RecordingTelemetry()
    )
    second = int(clock.now().timestamp())
    claims = {
        "iss": "https://issuer.example",
        "aud": ["else", "pseudo"],
        "sub": subject,
        "iat": second,
        "exp": second + 60,
    }
    token = signer.sign(claims)
    if accepted:
        assert verifier.verify(token).subject == f"hospital:{subject}"
    else:
        with pytest.raises(Unauthenticated, match="sub"):
            verifier.verify(token)


PROFILES: dict[str, dict[str, Any]] = {
    "no audience": {"audiences": frozenset()},
    "a blank audience": {"audiences": frozenset({""})},
    "no issuer": {"issuer": ""},
    "a name with blanks": {"name": "a b"},
    "a tenant without version": {"tenant": TENANT},
    "a version without tenant": {"version": "2.0"},
    "an unknown version": {"tenant": TENANT, "version": "3.0"},
    "a tenant that is no GUID": {"tenant": "common", "version": "2.0"},
}


@pytest.mark.parametrize("name", PROFILES)
def test_an_impossible_profile(name: str, signer: Signer) -> None:
    with pytest.raises(ConfigurationInvalid):
        make_plain(signer, **PROFILES[name])


@pytest.mark.parametrize("changes", [{"name": "b"}, {"issuer": "https://b.example"}])
def test_profiles_share_nothing(changes: dict[str, str], signer: Signer) -> None:
    profiles = [make_plain(signer), make_plain(signer, **changes)]
    with pytest.raises(ConfigurationInvalid):
        OidcVerifier(profiles, clock=FakeClock(), telemetry=RecordingTelemetry())
