from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from tests.lib.services.tokens import JwksServer, Signer, serve_jwks


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificates:
    return LocalCertificates(tmp_path_factory.mktemp("certificates") / "tls")


@pytest.fixture
def jwks(certificates: LocalCertificates, tmp_path: Path) -> Iterator[JwksServer]:
    with serve_jwks(certificates.ensure_server(datetime.now(UTC)), tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer("first")


@pytest.fixture(scope="session")
def other_signer() -> Signer:
    return Signer("second")
