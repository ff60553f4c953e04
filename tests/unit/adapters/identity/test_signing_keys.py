"""Fetched keys: rotation, floods, outages, and who has to wait."""

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pseudo_service.adapters.files.https_documents import make_fetch
from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.adapters.identity.signing_keys import (
    FetchedKeys,
    FetchTimes,
    parse_keys,
)
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    IdentityProviderUnavailable,
)
from pseudo_service.ports.telemetry import IdentityEvent
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.services.tokens import JwksServer, Signer

TIMES = FetchTimes(
    fresh_for=timedelta(minutes=30),
    usable_for=timedelta(hours=12),
    cooldown=timedelta(seconds=30),
    retry_after=timedelta(seconds=5),
    timeout=timedelta(seconds=30),
)
SHORT = timedelta(seconds=1)


class Bench:
    """Fetched keys over a server and a clock that a test moves."""

    def __init__(
        self,
        jwks: JwksServer,
        certificates: LocalCertificates,
        times: FetchTimes = TIMES,
    ) -> None:
        self.clock = FakeClock()
        self.telemetry = RecordingTelemetry()
        self.keys = FetchedKeys(
            make_fetch(
                jwks.url, timeout=times.timeout, ca_file=certificates.authority_path
            ),
            clock=self.clock,
            telemetry=self.telemetry,
            times=times,
        )

    def settle(self) -> None:
        """Wait until no fetch is under way."""
        for _ in range(3_000):
            if not any(t.name == "signing-keys" for t in threading.enumerate()):
                return
            time.sleep(0.01)
        pytest.fail("a fetch does not end")


@pytest.fixture
def bench(jwks: JwksServer, certificates: LocalCertificates, signer: Signer) -> Bench:
    jwks.signers = [signer]
    return Bench(jwks, certificates)


def test_one_fetch_serves_many(bench: Bench, jwks: JwksServer) -> None:
    for _ in range(20):
        assert bench.keys.find("first") is not None
    assert jwks.fetches == 1


def test_rotation_is_noticed_at_once(
    bench: Bench, jwks: JwksServer, signer: Signer, other_signer: Signer
) -> None:
    bench.keys.find("first")
    bench.clock.advance(seconds=31)
    jwks.signers = [signer, other_signer]
    assert bench.keys.find("second") is not None
    bench.clock.advance(minutes=31)
    jwks.signers = [other_signer]
    assert bench.keys.find("first") is not None, "stale, and being fetched"
    bench.settle()
    assert bench.keys.find("first") is None, "a key that was withdrawn"


def test_a_flood_of_unknown_keys_fetches_once_a_cooldown(
    bench: Bench, jwks: JwksServer
) -> None:
    bench.keys.find("first")
    for number in range(50):
        assert bench.keys.find(f"made-up-{number}") is None
    assert jwks.fetches == 1
    bench.clock.advance(seconds=31)
    for number in range(50):
        assert bench.keys.find(f"made-up-{number}") is None
    assert jwks.fetches == 2
    assert bench.telemetry.identity_events[IdentityEvent.UNKNOWN_KEY] == 100


def test_an_outage_within_the_window_stops_nobody(
    bench: Bench, jwks: JwksServer
) -> None:
    bench.keys.find("first")
    jwks.status = 503
    bench.clock.advance(hours=11, minutes=59)
    assert bench.keys.find("first") is not None
    bench.settle()
    assert jwks.fetches == 2
    assert bench.telemetry.identity_events[IdentityEvent.STALE_KEYS_USED] == 1
    assert bench.telemetry.identity_events[IdentityEvent.KEYS_NOT_FETCHED] == 1


def test_an_outage_after_the_window_stops_everybody_until_it_ends(
    bench: Bench, jwks: JwksServer
) -> None:
    bench.keys.find("first")
    jwks.status = 503
    bench.clock.advance(hours=12, seconds=1)
    for _ in range(3):
        with pytest.raises(IdentityProviderUnavailable):
            bench.keys.find("first")
    assert jwks.fetches == 2, "tried once, then not before retry_after"
    jwks.status = 200
    bench.clock.advance(seconds=6)
    assert bench.keys.find("first") is not None


def test_an_outage_at_the_start(bench: Bench, jwks: JwksServer) -> None:
    jwks.body = b"<html>not JSON, 9990000018</html>"
    with pytest.raises(IdentityProviderUnavailable) as caught:
        bench.keys.find("first")
    assert "999" not in str(caught.value)


def test_an_empty_document_does_not_wipe_the_keys(
    bench: Bench, jwks: JwksServer
) -> None:
    bench.keys.find("first")
    jwks.signers = []
    bench.clock.advance(seconds=31)
    assert bench.keys.find("made-up") is None
    assert bench.keys.find("first") is not None


def test_a_slow_issuer_blocks_no_known_key(bench: Bench, jwks: JwksServer) -> None:
    bench.keys.find("first")
    jwks.gate.clear()
    bench.clock.advance(seconds=31)
    waiting = threading.Thread(target=bench.keys.find, args=("made-up",))
    waiting.start()
    while jwks.fetches < 2:
        time.sleep(0.005)
    assert bench.keys.find("first") is not None
    assert waiting.is_alive(), "the known key was found while the issuer was silent"
    jwks.gate.set()
    waiting.join()


def test_callers_at_a_cold_start_share_one_fetch(
    bench: Bench, jwks: JwksServer
) -> None:
    jwks.gate.clear()
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(bench.keys.find("first")))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    jwks.gate.set()
    for thread in threads:
        thread.join()
    assert jwks.fetches == 1
    assert len(found) == 10
    assert None not in found


def test_a_silent_issuer_is_given_up(
    jwks: JwksServer, certificates: LocalCertificates, signer: Signer
) -> None:
    jwks.signers = [signer]
    bench = Bench(jwks, certificates, replace(TIMES, timeout=SHORT))
    jwks.gate.clear()  # the server holds its answer back until the gate opens
    with pytest.raises(IdentityProviderUnavailable):
        bench.keys.find("first")
    assert not jwks.gate.is_set()
    jwks.gate.set()
    bench.settle()


def test_a_redirect_is_not_followed(bench: Bench, jwks: JwksServer) -> None:
    jwks.status = 302
    jwks.location = jwks.url
    with pytest.raises(IdentityProviderUnavailable):
        bench.keys.find("first")
    assert jwks.fetches == 1


def test_an_endless_document_is_given_up(bench: Bench, jwks: JwksServer) -> None:
    jwks.body = json.dumps({"keys": [], "x": "y" * (2 << 20)}).encode()
    with pytest.raises(IdentityProviderUnavailable):
        bench.keys.find("first")


def test_a_server_of_an_unknown_authority(jwks: JwksServer, signer: Signer) -> None:
    jwks.signers = [signer]
    keys = FetchedKeys(
        make_fetch(jwks.url), clock=FakeClock(), telemetry=RecordingTelemetry()
    )
    with pytest.raises(IdentityProviderUnavailable):
        keys.find("first")
    assert jwks.fetches == 0


@pytest.mark.parametrize(
    "url", ["http://localhost/keys", "file:///etc/passwd", "https://", "keys"]
)
def test_only_https(url: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        make_fetch(url)


def test_only_usable_keys_are_read(signer: Signer) -> None:
    good = signer.jwk()
    elliptic = Signer("elliptic", "EC").jwk()
    entries: list[Any] = [
        good,
        elliptic,
        {**good, "kid": None},
        {**good, "kid": "for-encryption", "use": "enc"},
        {**good, "kid": "broken", "n": "!"},
        {**good, "kid": "private", "d": "AQAB"},
        {"kid": "shared", "kty": "oct", "k": "AAAA"},
        {"kid": "edwards", "kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {**elliptic, "kid": "other-curve", "crv": "P-384"},
        "text",
    ]
    keys = parse_keys(json.dumps({"keys": entries}).encode())
    assert set(keys) == {"first", "elliptic"}
