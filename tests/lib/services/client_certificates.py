"""Client certificates of a local authority, as a pipeline would be given one."""

from datetime import datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pseudo_service.adapters.identity.local_certificates import (
    LocalCertificates,
    TlsFiles,
)

_LIFE = timedelta(days=90)
_CLOCK_SKEW = timedelta(minutes=5)


def issue_client(local: LocalCertificates, name: str, now: datetime) -> TlsFiles:
    """Return a new client certificate; its only name is the URI ``name``."""
    authority_file = local.authority_path.with_name("authority.pem")
    if not authority_file.exists():
        local.ensure_server(now)
    pem = authority_file.read_bytes()
    authority = x509.load_pem_x509_certificate(pem)
    signing_key = serialization.load_pem_private_key(pem, password=None)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]),
            critical=False,
        )
        .sign(cast("ec.EllipticCurvePrivateKey", signing_key), hashes.SHA256())
    )
    return TlsFiles(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        authority=local.authority_path.read_bytes(),
    )
