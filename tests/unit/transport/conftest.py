from collections.abc import Iterator

import pytest

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from tests.lib.services.echo_server import Echo, serve_echo


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificates:
    return LocalCertificates(tmp_path_factory.mktemp("certificates") / "tls")


@pytest.fixture
def echo(certificates: LocalCertificates) -> Iterator[Echo]:
    with serve_echo(certificates) as service:
        yield service
