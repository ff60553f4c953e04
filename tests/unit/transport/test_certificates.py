"""Which of a certificate's names count, without a network."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pseudo_service.core.access.roles import Role, RoleGrant
from pseudo_service.core.errors import Unauthenticated
from pseudo_service.transport.interceptors.certificates import (
    AllowedCertificate,
    ClientCertificates,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GRANTS = frozenset({RoleGrant(role=Role.PIPELINE, project="asthma")})


def make_pem(common: str, names: Sequence[x509.GeneralName] = ()) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Context:
    """Only what a certificate is read from."""

    def __init__(self, *pems: bytes, transport: bytes = b"ssl") -> None:
        self.properties = {
            "transport_security_type": [transport],
            "x509_pem_cert": list(pems),
            # What a peer could make it say must not matter.
            "x509_common_name": [b"loader.nhs.example"],
        }

    def auth_context(self) -> Any:
        return self.properties


def identify(context: Context, *names: str) -> str | None:
    allowed = [AllowedCertificate(name=name, grants=GRANTS) for name in names]
    actor = ClientCertificates(allowed).identify(context)  # type: ignore[arg-type]
    return actor.subject if actor else None


DNS = x509.DNSName("loader.nhs.example")
URI = x509.UniformResourceIdentifier("spiffe://nhs.example/loader")


def test_uri_and_dns_names_count() -> None:
    for name in (DNS, URI):
        found = identify(Context(make_pem("x", [name])), name.value)
        assert found == f"certificate:{name.value}"


def test_a_common_name_counts_only_alone() -> None:
    alone = make_pem("loader.nhs.example")
    beside = make_pem("loader.nhs.example", [x509.DNSName("else.example")])
    assert identify(Context(alone), "loader.nhs.example")
    assert identify(Context(beside), "loader.nhs.example") is None


@pytest.mark.parametrize(
    "listed",
    [
        "LOADER.nhs.example",
        "loader.nhs.example.",
        "nhs.example",
        "*.nhs.example",
        "spiffe://nhs.example/loader/",
        "spiffe://nhs.example/",
    ],
)
def test_names_are_compared_as_they_stand(listed: str) -> None:
    assert identify(Context(make_pem("x", [DNS, URI])), listed) is None


def test_other_kinds_of_names_do_not_count() -> None:
    names = [
        x509.RFC822Name("loader@nhs.example"),
        x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
    ]
    pem = make_pem("x", names)
    assert identify(Context(pem), "loader@nhs.example", "10.0.0.1", "x") is None


def test_two_listed_names_in_one_certificate_are_nobody_in_particular() -> None:
    context = Context(make_pem("x", [DNS, URI]))
    with pytest.raises(Unauthenticated):
        identify(context, DNS.value, URI.value)


def test_only_tls_and_only_one_certificate() -> None:
    pem = make_pem("x", [DNS])
    assert identify(Context(pem), DNS.value)
    assert identify(Context(pem, transport=b"insecure"), DNS.value) is None
    assert identify(Context(pem, pem), DNS.value) is None
    assert identify(Context(), DNS.value) is None
