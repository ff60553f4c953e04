"""A document is fetched over verified HTTPS, whole and in time, or not at all."""

import http.client
import ssl
import time
import urllib.error
from datetime import timedelta

import pytest

from pseudo_service.adapters.files.https_documents import make_fetch
from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.core.errors import ConfigurationInvalid
from tests.lib.services.tokens import JwksServer

FAILURES = (OSError, http.client.HTTPException)


def fetch(
    jwks: JwksServer, certificates: LocalCertificates, *, seconds: float = 5
) -> bytes:
    return make_fetch(
        jwks.url,
        timeout=timedelta(seconds=seconds),
        ca_file=certificates.authority_path,
    )()


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * (1 << 20)])
def test_a_document_comes_as_it_is(
    body: bytes, jwks: JwksServer, certificates: LocalCertificates
) -> None:
    jwks.body = body
    assert fetch(jwks, certificates) == body


def test_a_document_that_is_too_long_is_given_up(
    jwks: JwksServer, certificates: LocalCertificates
) -> None:
    jwks.body = b"x" * ((1 << 20) + 1)
    with pytest.raises(OSError, match="too long"):
        fetch(jwks, certificates)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(
    status: int, jwks: JwksServer, certificates: LocalCertificates
) -> None:
    jwks.status, jwks.location = status, jwks.url
    with pytest.raises(FAILURES):
        fetch(jwks, certificates)
    assert jwks.fetches == 1


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_failure_is_no_document(
    status: int, jwks: JwksServer, certificates: LocalCertificates
) -> None:
    jwks.status = status
    with pytest.raises(urllib.error.HTTPError):
        fetch(jwks, certificates)


def test_a_server_of_an_unknown_authority_is_not_asked(jwks: JwksServer) -> None:
    with pytest.raises(urllib.error.URLError) as caught:
        make_fetch(jwks.url)()
    assert isinstance(caught.value.reason, ssl.SSLError)
    assert jwks.fetches == 0


def test_silence_ends_the_wait(
    jwks: JwksServer, certificates: LocalCertificates
) -> None:
    jwks.gate.clear()
    began = time.monotonic()
    with pytest.raises(FAILURES):
        fetch(jwks, certificates, seconds=0.3)
    jwks.gate.set()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url", ["", "http://localhost/keys", "ftp://localhost/", "https://", "localhost"]
)
def test_another_address_is_refused_before_any_call(url: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="https://"):
        make_fetch(url)
