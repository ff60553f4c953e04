"""The laptop's certificates: valid for localhost only, owner-only, renewed."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pseudo_service.adapters.identity.local_certificates import (
    LocalCertificates,
    TlsFiles,
)
from pseudo_service.core.errors import ConfigurationInvalid
from tests.lib.values.foreign_keys import UNKNOWN_KIND

NOW = datetime.now(UTC)


def connect(server: TlsFiles, authority: bytes, name: str, directory: Path) -> str:
    """Shake hands once over loopback and return the protocol's version."""
    pem = directory / "pair.pem"
    pem.write_bytes(server.certificate + server.private_key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        try:
            with serving.wrap_socket(connection, server_side=True):
                pass
        except OSError:
            connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    trusting = ssl.create_default_context(cadata=authority.decode())
    try:
        with (
            socket.create_connection(listener.getsockname()) as plain,
            trusting.wrap_socket(plain, server_hostname=name) as secured,
        ):
            return str(secured.version())
    finally:
        thread.join()
        listener.close()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_strict_client_trusts_the_server(name: str, tmp_path: Path) -> None:
    server = LocalCertificates(tmp_path / "tls").ensure_server(NOW)
    assert connect(server, server.authority, name, tmp_path) == "TLSv1.3"


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    server = LocalCertificates(tmp_path / "a").ensure_server(NOW)
    other = LocalCertificates(tmp_path / "b").ensure_server(NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(server, other.authority, "localhost", tmp_path)


def test_files_are_kept_and_for_the_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "tls"
    first = LocalCertificates(directory).ensure_server(NOW)
    again = LocalCertificates(directory).ensure_server(NOW + timedelta(days=50))
    assert again == first
    assert directory.stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o077 for path in directory.glob("*.pem")}
    assert modes == {0}
    assert LocalCertificates(directory).authority_path.read_bytes() == first.authority


def test_the_server_is_renewed_before_it_expires(tmp_path: Path) -> None:
    certificates = LocalCertificates(tmp_path / "tls")
    first = certificates.ensure_server(NOW)
    later = NOW + timedelta(days=61)
    renewed = certificates.ensure_server(later)
    assert renewed.certificate != first.certificate
    assert renewed.authority == first.authority
    found = x509.load_pem_x509_certificate(renewed.certificate)
    assert found.not_valid_after_utc > later + timedelta(days=80)


def test_a_renewed_authority_renews_the_server(tmp_path: Path) -> None:
    certificates = LocalCertificates(tmp_path / "tls")
    first = certificates.ensure_server(NOW)
    renewed = certificates.ensure_server(NOW + timedelta(days=710))
    assert renewed.authority != first.authority
    x509.load_pem_x509_certificate(renewed.certificate).verify_directly_issued_by(
        x509.load_pem_x509_certificate(renewed.authority)
    )


def test_the_authority_may_name_localhost_only(tmp_path: Path) -> None:
    server = LocalCertificates(tmp_path / "tls").ensure_server(NOW)
    authority = x509.load_pem_x509_certificate(server.authority)
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert limits.value.permitted_subtrees == [x509.DNSName("localhost")]


def test_open_directories_and_files_are_refused(tmp_path: Path) -> None:
    directory = tmp_path / "tls"
    certificates = LocalCertificates(directory)
    certificates.ensure_server(NOW)
    (directory / "server.pem").chmod(0o644)
    with pytest.raises(ConfigurationInvalid, match="chmod 600"):
        certificates.ensure_server(NOW)
    directory.chmod(0o755)
    with pytest.raises(ConfigurationInvalid, match="chmod 700"):
        LocalCertificates(directory)


def test_a_spoilt_file_is_refused_and_not_overwritten(tmp_path: Path) -> None:
    certificates = LocalCertificates(tmp_path / "tls")
    certificates.ensure_server(NOW)
    path = tmp_path / "tls" / "authority.pem"
    path.write_bytes(b"spoilt")
    with pytest.raises(ConfigurationInvalid, match=r"authority\.pem"):
        certificates.ensure_server(NOW)
    assert path.read_bytes() == b"spoilt"


def test_a_key_of_a_kind_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    certificates = LocalCertificates(tmp_path / "tls")
    certificates.ensure_server(NOW)
    path = tmp_path / "tls" / "authority.pem"
    (certificate,) = x509.load_pem_x509_certificates(path.read_bytes())
    path.write_bytes(UNKNOWN_KIND + certificate.public_bytes(Encoding.PEM))
    with pytest.raises(ConfigurationInvalid, match=r"authority\.pem"):
        certificates.ensure_server(NOW)


def test_keys_do_not_show_in_a_repr(tmp_path: Path) -> None:
    server = LocalCertificates(tmp_path / "tls").ensure_server(NOW)
    assert "PRIVATE KEY" not in repr(server)


def test_two_at_once_end_with_one_authority(tmp_path: Path) -> None:
    found: list[bytes] = []

    def ensure() -> None:
        server = LocalCertificates(tmp_path / "tls").ensure_server(NOW)
        found.append(server.authority + server.certificate)

    threads = [threading.Thread(target=ensure) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
