"""One contract, held by every key vault."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pseudo_service.adapters.key_vaults.local import LocalKeyVault
from pseudo_service.core.errors import (
    InvalidArgument,
    KeyUnknown,
    KeyVaultRefused,
    SignatureRefused,
)
from pseudo_service.ports.key_vault import KeyVault, Signature, Wrapped
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.services.key_vault_emulator import KeyVaultEmulator
from tests.lib.stores.local_vaults import disable_version

SECRET = bytes(range(32))


@dataclass(frozen=True)
class Bench:
    """A vault under test, and an operator's hands on it."""

    vault: KeyVault
    rotate: object
    disable: object
    foreign_id: str
    unknown_version: object
    clock: FakeClock
    kept: timedelta


def _replace_version(key_id: str, version: str) -> str:
    return f"{key_id.rsplit('/', 1)[0]}/{version}"


@pytest.fixture(params=["local", "azure"])
def bench(request, tmp_path: Path) -> Iterator[Bench]:
    clock = FakeClock()
    if request.param == "local":
        vault = LocalKeyVault(
            tmp_path / "v", entropy=SeededEntropy(), clock=clock, key_bits=2048
        )
        yield Bench(
            vault=vault,
            rotate=vault.rotate_key,
            disable=partial(disable_version, tmp_path / "v"),
            foreign_id="local:0123456789abcdef/trial/1",
            unknown_version=lambda key_id: _replace_version(key_id, "9"),
            clock=clock,
            kept=timedelta(days=7),
        )
        return
    with KeyVaultEmulator(tmp_path, clock=clock) as emulator:
        vault = emulator.open_vault()
        yield Bench(
            vault=vault,
            rotate=emulator.rotate,
            disable=emulator.disable,
            foreign_id=f"https://other.vault.azure.net/keys/trial/{'a' * 32}",
            unknown_version=lambda key_id: _replace_version(key_id, "0" * 32),
            clock=clock,
            kept=timedelta(days=90),
        )
        vault.close()


def test_a_wrapped_secret_comes_back_from_the_version_that_is_stored(bench):
    bench.vault.create_key("trial")
    wrapped = bench.vault.wrap("trial", SECRET)
    assert wrapped.key_id == bench.vault.current_key("trial").key_id
    assert SECRET not in wrapped.ciphertext
    assert bench.vault.unwrap(wrapped) == SECRET


def test_wrapping_twice_gives_two_ciphertexts(bench):
    bench.vault.create_key("trial")
    once, again = (bench.vault.wrap("trial", SECRET) for _ in range(2))
    assert once.ciphertext != again.ciphertext


@pytest.mark.parametrize("length", [1, 190])
def test_the_shortest_and_the_longest_secret_fit(bench, length):
    bench.vault.create_key("trial")
    secret = b"\x00" * length
    assert bench.vault.unwrap(bench.vault.wrap("trial", secret)) == secret


@pytest.mark.parametrize("length", [0, 191])
def test_a_secret_of_another_length_is_refused(bench, length):
    bench.vault.create_key("trial")
    with pytest.raises(InvalidArgument, match="1 to 190 bytes"):
        bench.vault.wrap("trial", b"x" * length)


def test_creating_a_key_again_returns_it_as_it_stands(bench):
    first = bench.vault.create_key("trial")
    assert bench.vault.create_key("trial") == first
    bench.rotate("trial")
    assert bench.vault.create_key("trial") == bench.vault.current_key("trial")


@pytest.mark.parametrize("name", ["a", "project-0-", "a" * 127])
def test_every_name_that_a_project_can_have_is_taken(bench, name):
    key = bench.vault.create_key(name)
    assert bench.vault.key_name(key.key_id) == name


def test_a_key_tells_its_name_its_version_and_its_public_half(bench):
    key = bench.vault.create_key("trial")
    assert key.name == "trial"
    assert bench.vault.key_name(key.key_id) == "trial"
    assert load_pem_public_key(key.public_key_pem).key_size == 2048


def test_callers_that_race_to_create_end_with_one_key(bench):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(bench.vault.create_key, ["trial"] * 8))
    wrapped = [bench.vault.wrap("trial", SECRET) for _ in range(2)]
    assert {key.name for key in keys} == {"trial"}
    assert len({w.key_id for w in wrapped}) == 1
    assert all(bench.vault.unwrap(w) == SECRET for w in wrapped)
    settled = bench.vault.current_key("trial")
    assert bench.vault.create_key("trial") == settled


def test_after_a_rotation_new_wraps_use_the_new_version_and_old_ones_still_open(bench):
    bench.vault.create_key("trial")
    before = bench.vault.wrap("trial", SECRET)
    bench.rotate("trial")
    after = bench.vault.wrap("trial", b"new secret")
    assert after.key_id != before.key_id
    assert bench.vault.unwrap(before) == SECRET
    assert bench.vault.unwrap(after) == b"new secret"


def test_a_ciphertext_opens_with_no_other_version(bench):
    bench.vault.create_key("trial")
    before = bench.vault.wrap("trial", SECRET)
    bench.rotate("trial")
    moved = Wrapped(
        key_id=bench.vault.current_key("trial").key_id, ciphertext=before.ciphertext
    )
    with pytest.raises(KeyVaultRefused):
        bench.vault.unwrap(moved)


def test_a_ciphertext_opens_with_no_other_key(bench):
    bench.vault.create_key("trial")
    bench.vault.create_key("other")
    ciphertext = bench.vault.wrap("trial", SECRET).ciphertext
    other = bench.vault.current_key("other").key_id
    with pytest.raises(KeyVaultRefused):
        bench.vault.unwrap(Wrapped(key_id=other, ciphertext=ciphertext))


@pytest.mark.parametrize("ciphertext", [b"", b"\x00", b"\xff" * 256, b"x" * 4096])
def test_bytes_that_were_never_wrapped_are_refused(bench, ciphertext):
    key = bench.vault.create_key("trial")
    with pytest.raises(KeyVaultRefused):
        bench.vault.unwrap(Wrapped(key_id=key.key_id, ciphertext=ciphertext))


def test_a_disabled_version_does_not_unwrap_and_an_older_one_becomes_current(bench):
    first = bench.vault.create_key("trial")
    bench.rotate("trial")
    wrapped = bench.vault.wrap("trial", SECRET)
    bench.disable(wrapped.key_id)
    with pytest.raises(KeyVaultRefused, match="disabled"):
        bench.vault.unwrap(wrapped)
    assert bench.vault.current_key("trial") == first
    assert bench.vault.wrap("trial", SECRET).key_id == first.key_id


def test_a_key_without_an_enabled_version_is_refused_and_not_made_again(bench):
    key = bench.vault.create_key("trial")
    bench.disable(key.key_id)
    for ask in (bench.vault.current_key, bench.vault.create_key):
        with pytest.raises(KeyVaultRefused, match="disabled"):
            ask("trial")


def test_a_key_that_was_never_made_is_unknown_and_is_not_made(bench):
    for _ in range(2):
        with pytest.raises(KeyUnknown):
            bench.vault.wrap("misspelt", SECRET)
        with pytest.raises(KeyUnknown):
            bench.vault.current_key("misspelt")
        with pytest.raises(KeyUnknown):
            bench.vault.sign("audit", b"message")


def test_a_version_that_was_never_made_is_unknown(bench):
    bench.vault.create_key("trial")
    wrapped = bench.vault.wrap("trial", SECRET)
    key_id = bench.unknown_version(wrapped.key_id)
    with pytest.raises(KeyUnknown):
        bench.vault.unwrap(Wrapped(key_id=key_id, ciphertext=wrapped.ciphertext))
    with pytest.raises(KeyUnknown):
        bench.vault.verify(b"message", Signature(key_id=key_id, value=b"x" * 256))


def test_a_signature_holds_over_its_message_only(bench):
    bench.vault.create_key("audit")
    signature = bench.vault.sign("audit", b"message")
    bench.vault.verify(b"message", signature)
    with pytest.raises(SignatureRefused):
        bench.vault.verify(b"massage", signature)


@pytest.mark.parametrize("value", [b"", b"\x00" * 256, b"x" * 255, b"x" * 4096])
def test_a_value_that_is_no_signature_is_refused(bench, value):
    key = bench.vault.create_key("audit")
    with pytest.raises(SignatureRefused):
        bench.vault.verify(b"message", Signature(key_id=key.key_id, value=value))


def test_an_empty_and_a_long_message_can_be_signed(bench):
    bench.vault.create_key("audit")
    for message in (b"", b"m" * 1_000_000):
        bench.vault.verify(message, bench.vault.sign("audit", message))


def test_a_signature_outlives_a_rotation_and_the_disabling_of_its_version(bench):
    bench.vault.create_key("audit")
    signature = bench.vault.sign("audit", b"message")
    bench.rotate("audit")
    bench.disable(signature.key_id)
    bench.vault.verify(b"message", signature)
    assert bench.vault.sign("audit", b"message").key_id != signature.key_id


def test_a_key_either_signs_or_wraps(bench):
    for name in ("audit", "trial"):
        bench.vault.create_key(name)
    with pytest.raises(KeyVaultRefused, match="not for wrapKey"):
        bench.vault.wrap("audit", SECRET)
    with pytest.raises(KeyVaultRefused, match="not for sign"):
        bench.vault.sign("trial", b"message")
    audit = bench.vault.current_key("audit").key_id
    with pytest.raises(KeyVaultRefused, match="not for unwrapKey"):
        bench.vault.unwrap(Wrapped(key_id=audit, ciphertext=b"x" * 256))


def test_a_signature_of_another_key_does_not_pass_for_an_audit_signature(bench):
    bench.vault.create_key("audit")
    trial = bench.vault.create_key("trial")
    signature = bench.vault.sign("audit", b"message")
    moved = Signature(key_id=trial.key_id, value=signature.value)
    with pytest.raises(SignatureRefused):
        bench.vault.verify(b"message", moved)


def test_an_id_of_another_vault_is_refused_and_never_asked(bench):
    bench.vault.create_key("trial")
    foreign = bench.foreign_id
    with pytest.raises(KeyVaultRefused):
        bench.vault.key_name(foreign)
    with pytest.raises(KeyVaultRefused):
        bench.vault.unwrap(Wrapped(key_id=foreign, ciphertext=b"x" * 256))
    with pytest.raises(KeyVaultRefused):
        bench.vault.verify(b"message", Signature(key_id=foreign, value=b"x" * 256))


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda key_id: key_id + "/",
        lambda key_id: key_id + "?x=1",
        lambda key_id: key_id + "\n",
        lambda key_id: key_id.rsplit("/", 1)[0],
        lambda key_id: key_id.replace("/trial/", "/../trial/"),
        lambda key_id: key_id.replace("/trial/", "/TRIAL/"),
        lambda key_id: key_id.upper(),
        lambda key_id: " " + key_id,
        lambda key_id: key_id + "é",
    ],
)
def test_an_id_in_any_but_its_one_form_is_refused(bench, change):
    key_id = bench.vault.create_key("trial").key_id
    assert change(key_id) != key_id
    with pytest.raises(KeyVaultRefused):
        bench.vault.key_name(change(key_id))


@pytest.mark.parametrize(
    "name", ["", "Trial", "a_b", "../x", "-a", "a/b", "é", "a" * 128, "a\n"]
)
def test_a_name_that_a_vault_cannot_hold_is_refused(bench, name):
    for ask in (bench.vault.create_key, bench.vault.current_key):
        with pytest.raises(InvalidArgument, match="key name"):
            ask(name)


def test_many_threads_share_one_vault(bench):
    bench.vault.create_key("trial")
    secrets = [bytes([n]) * 32 for n in range(24)]

    def carry(secret: bytes) -> bytes:
        return bench.vault.unwrap(bench.vault.wrap("trial", secret))

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(carry, secrets)) == secrets


def test_nothing_secret_is_in_the_vaults_repr(bench):
    bench.vault.create_key("trial")
    assert "PRIVATE" not in repr(bench.vault)
    assert len(repr(bench.vault)) < 60


def test_a_deleted_key_opens_nothing_any_more(bench):
    bench.vault.create_key("trial")
    old = bench.vault.wrap("trial", SECRET)
    bench.rotate("trial")
    new = bench.vault.wrap("trial", SECRET)
    deleted = bench.vault.delete_key("trial")
    assert deleted.name == "trial"
    assert deleted.purged_at == bench.clock.now() + bench.kept
    for wrapped in (old, new):
        with pytest.raises(KeyUnknown):
            bench.vault.unwrap(wrapped)
    with pytest.raises(KeyUnknown):
        bench.vault.wrap("trial", SECRET)
    with pytest.raises(KeyUnknown):
        bench.vault.current_key("trial")


def test_a_key_that_is_deleted_already_keeps_its_purge_date(bench):
    bench.vault.create_key("trial")
    first = bench.vault.delete_key("trial")
    bench.clock.advance(days=2)
    assert bench.vault.delete_key("trial") == first


def test_the_name_of_a_deleted_key_is_not_used_again(bench):
    bench.vault.create_key("trial")
    wrapped = bench.vault.wrap("trial", SECRET)
    bench.vault.delete_key("trial")
    with pytest.raises(KeyVaultRefused, match="deleted key holds"):
        bench.vault.create_key("trial")
    with pytest.raises(KeyUnknown):
        bench.vault.unwrap(wrapped)


def test_a_key_that_was_never_made_cannot_be_deleted(bench):
    bench.vault.create_key("trial")
    with pytest.raises(KeyUnknown):
        bench.vault.delete_key("misspelt")
    assert bench.vault.current_key("trial").name == "trial"


def test_deleting_one_key_leaves_the_others(bench):
    for name in ("trial", "trial-2"):
        bench.vault.create_key(name)
    wrapped = bench.vault.wrap("trial-2", SECRET)
    bench.vault.delete_key("trial")
    assert bench.vault.unwrap(wrapped) == SECRET
