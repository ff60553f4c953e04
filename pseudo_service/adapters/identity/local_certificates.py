"""TLS for a service on this machine only: an authority and a server.

For a laptop's demo and for a service embedded in tests. The authority may only
name ``localhost``, so that trusting it elsewhere opens little.
"""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pseudo_service.adapters.files.atomic import write_file
from pseudo_service.adapters.files.owner_only import (
    lock_directory,
    open_directory,
    read_file,
)
from pseudo_service.core.errors import ConfigurationInvalid

_AUTHORITY_FILE = "authority.pem"  # with its private key
_PUBLIC_AUTHORITY_FILE = "ca.pem"
_SERVER_FILE = "server.pem"
_AUTHORITY_LIFE = timedelta(days=730)
_LEAF_LIFE = timedelta(days=90)
_RENEW_WITHIN = timedelta(days=30)
_CLOCK_SKEW = timedelta(minutes=5)
_SERVER_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM texts of one side; ``authority`` is what it should trust."""

    certificate: bytes
    private_key: bytes = field(repr=False)
    authority: bytes


@dataclass(frozen=True, slots=True)
class _Identity:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def to_pem(self) -> bytes:
        return self.certificate_pem() + self.key_pem()

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def lasts(self, now: datetime) -> bool:
        begun = self.certificate.not_valid_before_utc <= now
        return begun and now + _RENEW_WITHIN < self.certificate.not_valid_after_utc


class LocalCertificates:
    """A directory with an authority and a server certificate, kept valid."""

    def __init__(self, directory: Path) -> None:
        """Open the directory, or make it.

        Raises:
            ConfigurationInvalid: Others can enter it.
        """
        open_directory(directory)
        self._directory = directory

    @property
    def authority_path(self) -> Path:
        """Return where the authority's certificate lies, for clients to trust."""
        return self._directory / _PUBLIC_AUTHORITY_FILE

    def ensure_server(self, now: datetime) -> TlsFiles:
        """Return the server's certificate and key, made or renewed if need be.

        Raises:
            ConfigurationInvalid: Others can read a file, or it is not as written.
        """
        with lock_directory(self._directory):
            authority = self._ensure_authority(now)
            server = self._read(_SERVER_FILE)
            if (
                server is None
                or not server.lasts(now)
                or not _is_issued_by(server, authority)
            ):
                server = _issue_server(authority, now)
                write_file(self._directory / _SERVER_FILE, server.to_pem())
        return _bundle(server, authority)

    def _ensure_authority(self, now: datetime) -> _Identity:
        authority = self._read(_AUTHORITY_FILE)
        if authority is None or not authority.lasts(now):
            authority = _make_authority(now)
            write_file(self._directory / _AUTHORITY_FILE, authority.to_pem())
        public = authority.certificate_pem()
        if read_file(self.authority_path) != public:
            write_file(self.authority_path, public)
        return authority

    def _read(self, name: str) -> _Identity | None:
        pem = read_file(self._directory / name)
        if pem is None:
            return None
        identity = _parse(pem)
        if identity is None:
            msg = (
                f"{name}: not as this service wrote it; remove it to have it made anew"
            )
            raise ConfigurationInvalid(msg)
        return identity


def _parse(pem: bytes) -> _Identity | None:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return _Identity(certificate, key)


def _bundle(identity: _Identity, authority: _Identity) -> TlsFiles:
    return TlsFiles(
        certificate=identity.certificate_pem(),
        private_key=identity.key_pem(),
        authority=authority.certificate_pem(),
    )


def _is_issued_by(identity: _Identity, authority: _Identity) -> bool:
    try:
        identity.certificate.verify_directly_issued_by(authority.certificate)
    except Exception:  # noqa: BLE001 - any failure means that it is not
        return False
    return True


def _make_authority(now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("pseudo local authority")
    builder = (
        _begin(name, name, key, now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.NameConstraints([x509.DNSName("localhost")], None), critical=True
        )
    )
    return _Identity(builder.sign(key, hashes.SHA256()), key)


def _issue_server(authority: _Identity, now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        authority.key.public_key()
    )
    builder = (
        _begin(_name("localhost"), authority.certificate.subject, key, now, _LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(_SERVER_NAMES), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return _Identity(builder.sign(authority.key, hashes.SHA256()), key)


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
