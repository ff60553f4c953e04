"""A token issuer for a laptop, so that no run is without verified callers.

A production configuration refuses it: a person who can read its key file can issue
a token for any caller.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pseudo_service.adapters.files.atomic import write_file
from pseudo_service.adapters.files.owner_only import (
    lock_directory,
    open_directory,
    read_file,
)
from pseudo_service.adapters.identity.oidc import OidcProfile, is_opaque
from pseudo_service.adapters.identity.signing_keys import FixedKeys
from pseudo_service.core.access.roles import RoleGrant
from pseudo_service.core.errors import ConfigurationInvalid, InvalidArgument

ISSUER = "urn:pseudo:local-issuer"
AUDIENCE = "urn:pseudo:local-service"
LONGEST_LIFE = timedelta(hours=12)
_KEY_FILE = "local-issuer-key.pem"


class LocalIssuer:
    """Issues ES256 access tokens that only a service on this machine accepts."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        public = key.public_key()
        self._key_id = hashlib.sha256(
            public.public_bytes(
                serialization.Encoding.DER,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
        ).hexdigest()[:16]
        self.profile = OidcProfile(
            name="local",
            issuer=ISSUER,
            audiences=frozenset({AUDIENCE}),
            keys=FixedKeys({self._key_id: public}),
            longest_life=LONGEST_LIFE,
        )

    @classmethod
    def open(cls, directory: Path) -> "LocalIssuer":
        """Read the issuer's key from the directory; make it at the first time.

        Raises:
            ConfigurationInvalid: Others can read it, or it is not such a key.
        """
        open_directory(directory)
        path = directory / _KEY_FILE
        with lock_directory(directory):
            pem = read_file(path)
            if pem is None:
                pem = _make_key()
                write_file(path, pem)
        return cls(_parse_key(pem))

    def issue(
        self,
        subject: str,
        roles: Iterable[str],
        *,
        lifetime: timedelta,
        now: datetime,
    ) -> str:
        """Return a token for the subject with the roles (``role:project``).

        Raises:
            InvalidArgument: A role is misspelt, the subject is not an id, or the
                life is too long.
        """
        if not is_opaque(subject):
            msg = "subject: letters, digits and . _ | : - only, at most 128"
            raise InvalidArgument(msg)
        if not timedelta() < lifetime <= LONGEST_LIFE:
            hours = LONGEST_LIFE // timedelta(hours=1)
            msg = f"lifetime: more than nothing and at most {hours} hours"
            raise InvalidArgument(msg)
        texts = sorted(set(roles))
        for text in texts:
            RoleGrant.parse(text)
        issued = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "roles": texts,
            "iat": issued,
            "exp": issued + int(lifetime.total_seconds()),
        }
        return jwt.encode(
            claims, self._key, algorithm="ES256", headers={"kid": self._key_id}
        )


def _make_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _parse_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(
        key.curve, ec.SECP256R1
    ):
        msg = f"{_KEY_FILE}: not a P-256 key; remove it to have a new one made"
        raise ConfigurationInvalid(msg)
    return key
