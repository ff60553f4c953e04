"""OpenID Connect access tokens, each verified as exactly one profile.

Rules from RFC 8725 and Microsoft's "access tokens" and "claims validation" pages.
PyJWT checks the signature; the claims are checked here, with the clock as an
argument. Letting PyJWT check lists of issuers and audiences would accept the
issuer of one profile with the audience of another.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from pseudo_service.adapters.identity.signing_keys import KeySource, SigningKey
from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    InvalidArgument,
    TokenExpired,
    Unauthenticated,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.telemetry import IdentityEvent, Telemetry

_LONGEST_TOKEN = 16 * 1024
_LONGEST_KEY_ID = 256
_MOST_ROLES = 500
_OPAQUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._|:\-]{0,127}")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLIENT_CLAIM_BY_VERSION: Mapping[str, str] = {"1.0": "appid", "2.0": "azp"}


def is_opaque(subject: str) -> bool:
    """Return whether a ``sub`` is of the kind that is accepted: an id, no address."""
    return _OPAQUE.fullmatch(subject) is not None


class _Flaw(StrEnum):
    """What can be wrong with a token, as its bearer is told."""

    TOO_LONG = "is too long"
    ISSUER = "has an issuer that is not accepted here"
    AUDIENCE = "was issued for another audience"
    FORM = "is not a signed JSON web token"
    TOO_EARLY = "is not valid yet: check the clocks"
    TOO_LASTING = "is valid for longer than this service accepts"
    KEY_UNNAMED = "does not name its signing key"
    EXTENSIONS = "uses extensions that are not accepted here"
    KEY_UNKNOWN = "is signed with a key that its issuer does not publish"
    SIGNATURE = "has a signature that does not verify"
    AUDIENCE_FORM = "has no usable audience"
    SUBJECT = "needs an opaque sub of plain characters"
    TENANT = "has another version or tenant than its issuer should"
    NOT_FOR_ACCESS = "is not an access token"
    OBJECT_ID = "needs an object id (oid)"
    ROLES = "needs its roles as a list, and not hundreds of them"
    TIMES = "has no usable iat, nbf or exp"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProfile:
    """One kind of token that is accepted, and by which keys.

    A profile with a ``tenant`` and a ``version`` is Entra ID's: the claims ``tid``
    and ``ver`` must say the same, and the caller is the tenant and the object id.
    Without them the caller is ``name`` and the claim ``sub``; ``name`` is therefore
    never changed.
    """

    name: str
    issuer: str
    audiences: frozenset[str]
    keys: KeySource
    tenant: str | None = None
    version: str | None = None
    longest_life: timedelta = timedelta(hours=28)

    def __post_init__(self) -> None:
        if not _OPAQUE.fullmatch(self.name) or not self.issuer:
            msg = "identity profile: give it a plain name and an issuer"
            raise ConfigurationInvalid(msg)
        if not self.audiences or not all(self.audiences):
            msg = f"identity profile {self.name}: list at least one audience"
            raise ConfigurationInvalid(msg)
        if (self.tenant is None) != (self.version is None):
            msg = f"identity profile {self.name}: tenant and version go together"
            raise ConfigurationInvalid(msg)
        if self.version is not None and self.version not in _CLIENT_CLAIM_BY_VERSION:
            msg = f"identity profile {self.name}: version is 1.0 or 2.0"
            raise ConfigurationInvalid(msg)
        if self.tenant is not None and not _GUID.fullmatch(self.tenant):
            msg = f"identity profile {self.name}: tenant is a GUID in lower case"
            raise ConfigurationInvalid(msg)


class OidcVerifier:
    """Verifies a token as the one profile that its issuer names."""

    def __init__(
        self,
        profiles: Sequence[OidcProfile],
        *,
        clock: Clock,
        telemetry: Telemetry,
        leeway: timedelta = timedelta(seconds=30),
    ) -> None:
        """Index the profiles; without any, every token is refused.

        Raises:
            ConfigurationInvalid: Two profiles share an issuer or a name.
        """
        self._profiles = {profile.issuer: profile for profile in profiles}
        names = {profile.name for profile in profiles}
        if len(self._profiles) < len(profiles) or len(names) < len(profiles):
            msg = "identity profiles: each needs an issuer and a name of its own"
            raise ConfigurationInvalid(msg)
        self._clock = clock
        self._telemetry = telemetry
        self._leeway = leeway

    def verify(self, token: str) -> Actor:
        """Return the caller that the token proves; see ``TokenVerifier.verify``."""
        if len(token) > _LONGEST_TOKEN:
            raise _make_refusal(_Flaw.TOO_LONG)
        header, unverified = _read_unverified(token)
        profile = self._choose_profile(unverified)
        claims = _verify_signature(token, header, profile)
        if claims.get("iss") != profile.issuer:
            raise _make_refusal(_Flaw.ISSUER)
        if not _read_audiences(claims) & profile.audiences:
            raise _make_refusal(_Flaw.AUDIENCE)
        expires_at = self._check_times(claims, profile)
        return Actor(
            subject=_read_subject(claims, profile),
            grants=self._read_grants(claims),
            expires_at=expires_at,
        )

    def _choose_profile(self, claims: Mapping[str, Any]) -> OidcProfile:
        """Choose by the issuer that is not verified yet; verification follows."""
        issuer = claims.get("iss")
        profile = self._profiles.get(issuer) if isinstance(issuer, str) else None
        if profile is None:
            raise _make_refusal(_Flaw.ISSUER)
        return profile

    def _check_times(self, claims: Mapping[str, Any], profile: OidcProfile) -> datetime:
        """Return when the token stops being accepted, the leeway included."""
        now = self._clock.now()
        issued = _read_time(claims, "iat")
        expires = _read_time(claims, "exp")
        starts = _read_time(claims, "nbf") if "nbf" in claims else issued
        if max(issued, starts) > now + self._leeway:
            raise _make_refusal(_Flaw.TOO_EARLY)
        if expires - min(issued, starts) > profile.longest_life:
            raise _make_refusal(_Flaw.TOO_LASTING)
        if now >= expires + self._leeway:
            msg = "the token has expired: get a new one"
            raise TokenExpired(msg)
        return expires + self._leeway

    def _read_grants(self, claims: Mapping[str, Any]) -> frozenset[RoleGrant]:
        """Return the roles that are known; an unknown one grants nothing."""
        roles = claims.get("roles", [])
        if not isinstance(roles, list) or len(roles) > _MOST_ROLES:
            raise _make_refusal(_Flaw.ROLES)
        grants = set()
        for role in roles:
            try:
                grants.add(RoleGrant.parse(role if isinstance(role, str) else ""))
            except InvalidArgument:
                self._telemetry.count_identity_event(IdentityEvent.UNKNOWN_ROLE)
        return frozenset(grants)


def _make_refusal(flaw: _Flaw) -> Unauthenticated:
    return Unauthenticated(f"the token {flaw}")


def _read_unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims as they are sent, proving nothing."""
    if not token.isascii():
        raise _make_refusal(_Flaw.FORM)
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise _make_refusal(_Flaw.FORM) from None
    return parts["header"], parts["payload"]


def _verify_signature(
    token: str, header: Mapping[str, Any], profile: OidcProfile
) -> dict[str, Any]:
    """Return the claims, once the profile's key has verified their signature."""
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_KEY_ID:
        raise _make_refusal(_Flaw.KEY_UNNAMED)
    if "crit" in header or "b64" in header:
        raise _make_refusal(_Flaw.EXTENSIONS)
    key = profile.keys.find(key_id)
    if key is None:
        raise _make_refusal(_Flaw.KEY_UNKNOWN)
    try:
        # The algorithm follows from the key that we hold, never from the token.
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_algorithm_of(key)],
            options={
                "verify_signature": True,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.PyJWTError:
        raise _make_refusal(_Flaw.SIGNATURE) from None
    return claims


def _algorithm_of(key: SigningKey) -> str:
    return "RS256" if isinstance(key, RSAPublicKey) else "ES256"


def _read_audiences(claims: Mapping[str, Any]) -> set[str]:
    found = claims.get("aud")
    audiences = found if isinstance(found, list) else [found]
    if not all(isinstance(audience, str) for audience in audiences):
        raise _make_refusal(_Flaw.AUDIENCE_FORM)
    return set(audiences)


def _read_time(claims: Mapping[str, Any], name: str) -> datetime:
    seconds = claims.get(name)
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not math.isfinite(seconds)
        or not 0 <= seconds < 2**33
    ):
        raise _make_refusal(_Flaw.TIMES)
    return datetime.fromtimestamp(seconds, UTC)


def _read_subject(claims: Mapping[str, Any], profile: OidcProfile) -> str:
    """Return the caller's stable id, which is never an e-mail address or a name."""
    if profile.version is None:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not is_opaque(subject):
            raise _make_refusal(_Flaw.SUBJECT)
        return f"{profile.name}:{subject}"
    if claims.get("ver") != profile.version or claims.get("tid") != profile.tenant:
        raise _make_refusal(_Flaw.TENANT)
    # An ID token has the same issuer and may have the same audience, but no client.
    if not isinstance(claims.get(_CLIENT_CLAIM_BY_VERSION[profile.version]), str):
        raise _make_refusal(_Flaw.NOT_FOR_ACCESS)
    object_id = claims.get("oid")
    if not isinstance(object_id, str) or not _GUID.fullmatch(object_id):
        raise _make_refusal(_Flaw.OBJECT_ID)
    return f"{profile.tenant}:{object_id}"
