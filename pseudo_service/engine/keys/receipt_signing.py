"""The process's own signing key, certified by the vault for a bounded life.

A vault outage then stops neither streams nor receipts, until the certificate ends.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pseudo_service.core.errors import CertificateExpired, PseudoError
from pseudo_service.core.keys.statements import (
    SignedStatement,
    build_certificate,
    sign_statement,
)
from pseudo_service.engine.keys.key_ring import AUDIT_KEY
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault, Signature

MARGIN = timedelta(minutes=1)
"""How long a certificate must still hold when a statement is begun."""
LEAD = timedelta(minutes=5)
"""How long before it is made a certificate begins: clocks are set back by seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Certified:
    key: Ed25519PrivateKey = field(repr=False)
    certificate: bytes
    signature: Signature
    not_before: datetime
    not_after: datetime

    def covers(self, now: datetime, *, margin: timedelta = timedelta()) -> bool:
        """Say whether a statement of now, or up to a margin later, would verify.

        A clock that was ahead for a while leaves a certificate that has not begun.
        """
        return self.not_before <= now < self.not_after - margin


class ReceiptSigner:
    """Signs receipts with Ed25519 (RFC 8032) under a certificate of the vault."""

    def __init__(
        self,
        *,
        vault: KeyVault,
        clock: Clock,
        entropy: Entropy,
        process: str,
        instance: str,
        lifetime: timedelta,
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._process = process
        self._instance = instance
        self._lifetime = lifetime
        self._certified: _Certified | None = None

    def certify(self) -> None:
        """Make a new key and have the vault certify it; raises as the vault does."""
        self._certified = self._make()

    def _make(self) -> _Certified:
        key = Ed25519PrivateKey.from_private_bytes(self._entropy.draw(32))
        now = self._clock.now()
        certificate = build_certificate(
            process=self._process,
            instance=self._instance,
            public_key=key.public_key(),
            not_before=now - LEAD,
            not_after=now + self._lifetime,
        )
        signature = self._vault.sign(AUDIT_KEY, certificate)
        return _Certified(
            key=key,
            certificate=certificate,
            signature=signature,
            not_before=now - LEAD,
            not_after=now + self._lifetime,
        )

    def renew_if_due(self) -> None:
        """Certify anew past half of the life; raises as the vault does."""
        held = self._certified
        now = self._clock.now()
        if held is None or not held.covers(now, margin=self._lifetime / 2):
            self.certify()

    def prepare(self) -> None:
        """Have a valid certificate, before a statement says when it was issued.

        One that was made while a statement is signed would begin after its issue, and
        no verifier would accept it.

        Raises:
            CertificateExpired: The certificate has ended and the vault gives no new.
        """
        held = self._certified
        if held is not None and held.covers(self._clock.now(), margin=MARGIN):
            return
        try:
            self.certify()
        except PseudoError:
            self._current()  # what is in hand may do for as long as it lasts

    def sign(self, statement: bytes) -> SignedStatement:
        """Return the statement with its signature and certificate.

        Raises:
            CertificateExpired: The certificate has ended and the vault gives no new.
        """
        held = self._current()
        return sign_statement(
            statement,
            key=held.key,
            certificate=held.certificate,
            certificate_signature=held.signature.value,
            certificate_key_id=held.signature.key_id,
        )

    def _current(self) -> _Certified:
        held = self._certified
        if held is None or not held.covers(self._clock.now()):
            held = self._recertify()
        return held

    def _recertify(self) -> _Certified:
        try:
            self._certified = made = self._make()
        except PseudoError:
            msg = (
                "the process signing certificate has expired and the key vault does "
                "not certify another: try again when the vault answers"
            )
            raise CertificateExpired(msg) from None
        return made
