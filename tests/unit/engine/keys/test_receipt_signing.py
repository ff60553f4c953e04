"""ReceiptSigner: certificates end, are renewed, and outlast a vault outage."""

from datetime import timedelta

import pytest

from pseudo_service.core.errors import (
    CertificateExpired,
    KeyVaultUnavailable,
    SignatureRefused,
)
from pseudo_service.core.keys.statements import (
    SignedStatement,
    encode_statement,
    verify_statement,
)
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.ports.key_vault import Signature
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryVault

LIFETIME = timedelta(hours=24)


class Bench:
    def __init__(self) -> None:
        self.vault = MemoryVault()
        self.vault.create_key("audit")
        self.clock = FakeClock()
        self.signer = ReceiptSigner(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy(),
            process="process-1",
            instance="pseudo",
            lifetime=LIFETIME,
        )
        self.signer.certify()

    def sign(self) -> SignedStatement:
        issued = self.clock.now().isoformat()
        statement = {"format": RECEIPT_FORMAT, "issued_at": issued, "rows_in": 3}
        return self.signer.sign(encode_statement(statement))

    def issue(self) -> SignedStatement:
        """Sign as a stream does that ends: prepared, stated, a moment later signed."""
        self.signer.prepare()
        issued = self.clock.now().isoformat()
        statement = {"format": RECEIPT_FORMAT, "issued_at": issued, "rows_in": 3}
        self.clock.advance(seconds=1)
        return self.signer.sign(encode_statement(statement))

    def verify(self, signed: SignedStatement) -> dict:
        def check(message: bytes, signature: bytes, key_id: str) -> None:
            self.vault.verify(message, Signature(key_id=key_id, value=signature))

        return verify_statement(signed, check, RECEIPT_FORMAT)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("left", [-3600, -1, 0, 1, 59, 61, 3600])
def test_a_receipt_verifies_however_near_its_certificate_s_end(
    bench: Bench, left: int
) -> None:
    bench.clock.advance(seconds=LIFETIME.total_seconds() - left)
    assert bench.verify(bench.issue())["rows_in"] == 3


@pytest.mark.parametrize("step", [-7200, -301, -300, -20, 3600, 400 * 86400])
def test_a_receipt_verifies_after_a_step_of_the_clock(bench: Bench, step: int) -> None:
    bench.clock.advance(seconds=step)
    assert bench.verify(bench.issue())["rows_in"] == 3


def test_a_clock_that_was_ahead_for_a_while_leaves_no_void_receipts(
    bench: Bench,
) -> None:
    """The certificate was renewed meanwhile, and begins in a future that never was."""
    bench.clock.advance(days=400)
    bench.signer.renew_if_due()
    bench.clock.advance(days=-400)
    assert bench.verify(bench.issue())["rows_in"] == 3
    bench.clock.advance(days=400)
    bench.signer.certify()
    bench.clock.advance(days=-400)
    bench.signer.renew_if_due()
    assert bench.verify(bench.sign())["rows_in"] == 3


def test_a_receipt_verifies(bench: Bench) -> None:
    signed = bench.sign()
    assert bench.verify(signed)["rows_in"] == 3
    assert signed.certificate_key_id == "memory/audit/1"


def test_the_vault_is_asked_once_for_many_receipts(bench: Bench) -> None:
    bench.vault.down = True
    receipts = [bench.sign() for _ in range(20)]
    bench.vault.down = False
    assert len({receipt.certificate for receipt in receipts}) == 1
    assert bench.vault.asked == ["create", "sign"]
    for receipt in receipts:
        bench.verify(receipt)


def test_it_is_renewed_at_half_of_its_life(bench: Bench) -> None:
    first = bench.sign().certificate
    bench.clock.advance(hours=11, minutes=59)
    bench.signer.renew_if_due()
    assert bench.sign().certificate == first
    bench.clock.advance(minutes=1)
    bench.signer.renew_if_due()
    renewed = bench.sign()
    assert renewed.certificate != first
    bench.verify(renewed)


def test_each_renewal_has_a_key_of_its_own(bench: Bench) -> None:
    statement = b"the same statement"
    first = bench.signer.sign(statement)
    bench.signer.certify()
    assert bench.signer.sign(statement).signature != first.signature


def test_an_outage_at_renewal_stops_no_receipt(bench: Bench) -> None:
    first = bench.sign().certificate
    bench.vault.down = True
    bench.clock.advance(hours=23, minutes=59)
    with pytest.raises(KeyVaultUnavailable):
        bench.signer.renew_if_due()
    late = bench.sign()
    assert late.certificate == first
    bench.vault.down = False
    bench.verify(late)


def test_nothing_is_signed_under_an_ended_certificate(bench: Bench) -> None:
    bench.clock.advance(hours=24)
    bench.vault.down = True
    with pytest.raises(CertificateExpired, match="try again when the vault answers"):
        bench.sign()
    bench.vault.down = False
    bench.verify(bench.sign())


def test_a_receipt_of_outside_the_certificate_s_time_does_not_verify(
    bench: Bench,
) -> None:
    late = (bench.clock.now() + LIFETIME + timedelta(seconds=1)).isoformat()
    statement = {"format": RECEIPT_FORMAT, "issued_at": late}
    with pytest.raises(SignatureRefused, match="outside"):
        bench.verify(bench.signer.sign(encode_statement(statement)))


def test_a_signer_that_was_never_certified_makes_up_for_it(bench: Bench) -> None:
    signer = ReceiptSigner(
        vault=bench.vault,
        clock=bench.clock,
        entropy=SeededEntropy("another"),
        process="process-2",
        instance="pseudo",
        lifetime=LIFETIME,
    )
    bench.signer = signer
    bench.verify(bench.sign())


def test_no_key_shows_in_what_is_printed(bench: Bench) -> None:
    seed = SeededEntropy().draw(32)
    assert seed.hex() not in f"{bench.signer.__dict__!r}"
    assert repr(seed)[2:-1] not in f"{bench.signer.__dict__!r}"
