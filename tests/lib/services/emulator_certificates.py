"""A certificate authority and a certificate for 127.0.0.1, made for one test run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopbackCertificate:
    """Files: the authority to trust, and the server's certificate with its key."""

    authority: Path
    server: Path


def make_loopback_certificate(folder: Path) -> LoopbackCertificate:
    """Write a fresh authority and a server certificate for 127.0.0.1."""
    authority_key = generate_private_key(SECP256R1())
    server_key = generate_private_key(SECP256R1())
    issuer = _name("Emulator test authority")
    authority = _begin(issuer, issuer, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    authority = authority.add_extension(_usage(ca=True), critical=True)
    server = _begin(_name("127.0.0.1"), issuer, server_key)
    names = [x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")]
    server = server.add_extension(x509.SubjectAlternativeName(names), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        authority_key.public_key()
    )
    server = server.add_extension(identifier, critical=False)
    files = LoopbackCertificate(
        authority=folder / "emulator-authority.pem", server=folder / "emulator.pem"
    )
    signed = authority.sign(authority_key, SHA256()).public_bytes(Encoding.PEM)
    files.authority.write_bytes(signed)
    files.server.write_bytes(
        server.sign(authority_key, SHA256()).public_bytes(Encoding.PEM)
        + server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return files


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begin(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    public_key = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        )
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
