"""Client certificates: an exact allow-list of names, and nothing else.

TLS has verified the chain, the validity and the purpose before a call arrives;
here a verified certificate only becomes an actor, or nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from cryptography import x509
from cryptography.x509.oid import NameOID

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.errors import ConfigurationInvalid, Unauthenticated

_TRANSPORT_KEY = "transport_security_type"
_CERTIFICATE_KEY = "x509_pem_cert"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedCertificate:
    """A certificate's name and what its bearer may do.

    ``name`` is a URI or DNS name from the subject alternative names, compared as
    it stands; the common name counts only in a certificate that has no
    alternative names at all (as RFC 9525 puts an end to it elsewhere).
    """

    name: str
    grants: frozenset[RoleGrant]


class ClientCertificates:
    """Knows which certificates are somebody; an empty list knows nobody."""

    def __init__(self, allowed: Sequence[AllowedCertificate]) -> None:
        """Index the list.

        Raises:
            ConfigurationInvalid: A name is blank, too long or listed twice.
        """
        self._allowed = {entry.name: entry for entry in allowed}
        if len(self._allowed) < len(allowed):
            msg = "client certificates: a name is listed twice, give it one entry"
            raise ConfigurationInvalid(msg)
        if any(not 0 < len(name) <= _LONGEST_NAME for name in self._allowed):
            msg = f"client certificates: a name has 1 to {_LONGEST_NAME} characters"
            raise ConfigurationInvalid(msg)

    def identify(self, context: grpc.ServicerContext) -> Actor | None:
        """Return the actor of the call's certificate; None if it has or is none.

        Raises:
            Unauthenticated: The certificate has several names on the list, so
                that it is not clear who calls.
        """
        pem = _read_certificate(context)
        if pem is None or not self._allowed:
            return None
        certificate = x509.load_pem_x509_certificate(pem)
        matching = _read_names(certificate) & self._allowed.keys()
        if not matching:
            return None
        if len(matching) > 1:
            msg = "the client certificate has several names on the allow-list"
            raise Unauthenticated(msg)
        entry = self._allowed[matching.pop()]
        return Actor(
            subject=f"certificate:{entry.name}",
            grants=entry.grants,
            expires_at=certificate.not_valid_after_utc,
        )


def _read_certificate(context: grpc.ServicerContext) -> bytes | None:
    # The stubs say bytes; a value is a sequence of bytes.
    properties: Mapping[str, Sequence[bytes]] = context.auth_context()  # type: ignore[assignment]
    if list(properties.get(_TRANSPORT_KEY, ())) != [b"ssl"]:
        return None
    certificates = properties.get(_CERTIFICATE_KEY, ())
    return certificates[0] if len(certificates) == 1 else None


def _read_names(certificate: x509.Certificate) -> set[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return {str(common[0].value)} if len(common) == 1 else set()
    names = extension.value
    return {
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.DNSName),
    }
