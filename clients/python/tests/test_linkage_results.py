"""A sealed result opens where cryptography is new enough; elsewhere it says so."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_client import (
    CryptographyMissing,
    ResultUnreadable,
    SealedResult,
    open_linkage_result,
)
from pseudo_client.linkage_results import FORMAT

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DIGEST = b"\x07" * 32
KEY = X25519PrivateKey.generate()
# In a process of its own: what this one has imported says nothing.
IMPORTED = """
import sys, pseudo_client
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def deliver(sealed: bytes) -> SealedResult:
    return SealedResult(
        request_id="77aa",
        digest=DIGEST,
        sealed=sealed,
        available_until=NOON,
        released_now=True,
    )


def seal() -> bytes:
    hpke = pytest.importorskip("cryptography.hazmat.primitives.hpke")
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    document = {
        "format": FORMAT,
        "request_id": "77aa",
        "digest": DIGEST.hex(),
        "verb": "reidentify",
        "project": "asthma",
        "target_project": "",
        "released_at": NOON.isoformat(),
        "rows": [{"subject": "P1-00", "outcome": "unknown"}],
    }
    plain = json.dumps(document).encode()
    info = FORMAT.encode() + b"\x1f" + DIGEST
    return suite.encrypt(plain, KEY.public_key(), info=info)


def test_a_sealed_result_opens_with_its_key_only() -> None:
    sealed = deliver(seal())
    assert open_linkage_result(sealed, KEY).rows[0]["subject"] == "P1-00"
    with pytest.raises(ResultUnreadable):
        open_linkage_result(sealed, X25519PrivateKey.generate())


def test_a_package_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)
    with pytest.raises(CryptographyMissing, match=r"pseudo-client\[linkage\]") as error:
        open_linkage_result(deliver(b"sealed"), KEY)
    assert error.value.code == "CRYPTOGRAPHY_MISSING"


def test_nothing_else_needs_it() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "pseudo_client" in loaded
    assert {"cryptography", "pseudo_service"}.isdisjoint(loaded)
