"""The vault in a folder: who may open it, and what survives."""

import multiprocessing
import os
import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pseudo_service.adapters.key_vaults.local import LocalKeyVault
from pseudo_service.adapters.key_vaults.local_files import write_once
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
)
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.local_vaults import disable_version, enable_version
from tests.lib.values.foreign_keys import UNKNOWN_KIND

SECRET = b"canary-secret-of-thirty-two-byte"
PASSPHRASE = "correct horse battery staple"
# An invented key under PASSPHRASE, with a salt for which one of the wrong passphrases
# decrypts to bytes whose padding is sound: the cipher does not see that they are nonsense.
FIXED_PEM = b"""\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBC/1xX5c2yE0dLCDLfG
UlTeAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQXjWz5z7dIzpFB1S/
9WoxeQRAWwuTCIZu3wFP2PPAF3MZ/Hy94izOL+P/LzV2+VQWcaRDPL1Gh8KAj++q
D/O6WVu8qdxPxEuN+MlABZP2ms0fGA==
-----END ENCRYPTED PRIVATE KEY-----
"""
BAD_PADDING = "a wrong passphrase 49"
SOUND_PADDING = "a wrong passphrase 50"


def open_vault(path: Path, passphrase: str | None = None) -> LocalKeyVault:
    return LocalKeyVault(path, passphrase, entropy=SeededEntropy(), key_bits=2048)


def list_all(path: Path) -> list[Path]:
    return [path, *path.rglob("*")]


def test_a_vault_that_is_opened_again_has_its_keys_and_its_ids(tmp_path):
    first = open_vault(tmp_path / "v")
    first.create_key("trial")
    wrapped = first.wrap("trial", SECRET)
    first.rotate_key("trial")
    again = open_vault(tmp_path / "v")
    assert again.unwrap(wrapped) == SECRET
    assert again.current_key("trial") == first.current_key("trial")


def test_everything_in_it_is_for_its_owner_only_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        vault = open_vault(tmp_path / "v")
        vault.create_key("trial")
    finally:
        os.umask(before)
    assert len(list_all(tmp_path / "v")) == 7
    for file in list_all(tmp_path / "v"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("name", ["", "vault.pem", "passphrase", "keys", "deleted"])
@pytest.mark.parametrize("mode", [0o040, 0o004, 0o020, 0o001])
def test_a_vault_that_others_may_enter_is_not_opened(tmp_path, name, mode):
    open_vault(tmp_path / "v").create_key("trial")
    file = tmp_path / "v" / name
    file.chmod(stat.S_IMODE(file.stat().st_mode) | mode)
    with pytest.raises(ConfigurationInvalid, match="chmod"):
        open_vault(tmp_path / "v")


def test_a_key_that_others_may_read_is_not_used(tmp_path):
    vault = open_vault(tmp_path / "v")
    vault.create_key("trial")
    wrapped = vault.wrap("trial", SECRET)
    (tmp_path / "v/keys/trial/1.pem").chmod(0o644)
    with pytest.raises(ConfigurationInvalid):
        vault.unwrap(wrapped)


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path):
    vault = open_vault(tmp_path / "v")
    vault.create_key("trial")
    key = tmp_path / "v/keys/trial/1.pem"
    key.rename(tmp_path / "elsewhere.pem")
    key.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(ConfigurationInvalid, match=r"trial/1\.pem: is a link"):
        vault.current_key("trial")


def test_private_keys_are_encrypted_with_the_passphrase(tmp_path):
    open_vault(tmp_path / "v", PASSPHRASE).create_key("trial")
    content = (tmp_path / "v/keys/trial/1.pem").read_bytes()
    assert content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load_pem_private_key(content, PASSPHRASE.encode()).key_size == 2048
    with pytest.raises(ValueError, match=r"(?i)password|deserialize"):
        load_pem_private_key(content, b"another passphrase")
    assert not (tmp_path / "v/passphrase").exists()


def test_new_keys_have_3072_bits_unless_a_test_says_otherwise(tmp_path):
    vault = LocalKeyVault(tmp_path / "v", PASSPHRASE, entropy=SeededEntropy())
    vault.create_key("trial")
    content = (tmp_path / "v/keys/trial/1.pem").read_bytes()
    assert load_pem_private_key(content, PASSPHRASE.encode()).key_size == 3072


@pytest.mark.parametrize("other", ["another passphrase", None])
def test_a_wrong_or_missing_passphrase_is_told_at_once(tmp_path, other):
    open_vault(tmp_path / "v", PASSPHRASE)
    with pytest.raises(ConfigurationInvalid, match="passphrase"):
        open_vault(tmp_path / "v", other)


@pytest.mark.parametrize(
    ("wrong", "said"), [(BAD_PADDING, "password"), (SOUND_PADDING, "deserialize")]
)
def test_every_wrong_passphrase_gets_the_same_answer(tmp_path, wrong, said):
    with pytest.raises(ValueError, match=said):  # what the library says differs
        load_pem_private_key(FIXED_PEM, wrong.encode())
    (tmp_path / "v").mkdir(mode=0o700)
    write_once(tmp_path / "v/vault.pem", FIXED_PEM)
    assert open_vault(tmp_path / "v", PASSPHRASE)
    with pytest.raises(ConfigurationInvalid) as caught:
        open_vault(tmp_path / "v", wrong)
    assert str(caught.value) == (
        "local key vault: this is not the passphrase that it was made with"
    )
    assert caught.value.__context__ is None


@pytest.mark.parametrize("passphrase", [BAD_PADDING, SOUND_PADDING])
def test_a_key_file_of_another_passphrase_is_refused_alike(tmp_path, passphrase):
    vault = open_vault(tmp_path / "v", passphrase)
    (tmp_path / "v/keys/trial").mkdir(mode=0o700)
    write_once(tmp_path / "v/keys/trial/1.pem", FIXED_PEM)
    with pytest.raises(KeyVaultRefused, match="its file changed"):
        vault.current_key("trial")


def test_a_key_of_a_kind_that_nobody_knows_is_refused_alike(tmp_path):
    vault = open_vault(tmp_path / "v")
    (tmp_path / "v/keys/trial").mkdir(mode=0o700)
    write_once(tmp_path / "v/keys/trial/1.pem", UNKNOWN_KIND)
    with pytest.raises(KeyVaultRefused, match="its file changed"):
        vault.current_key("trial")
    (tmp_path / "v/vault.pem").write_bytes(UNKNOWN_KIND)
    with pytest.raises(ConfigurationInvalid, match="passphrase"):
        open_vault(tmp_path / "v")


def test_a_passphrase_does_not_open_a_vault_with_a_generated_one(tmp_path):
    open_vault(tmp_path / "v")
    with pytest.raises(ConfigurationInvalid, match="passphrase"):
        open_vault(tmp_path / "v", PASSPHRASE)


def test_a_short_passphrase_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="12 characters"):
        open_vault(tmp_path / "v", "eleven char")
    assert not (tmp_path / "v/vault.pem").exists()


def test_threads_that_race_to_create_get_the_one_first_version(tmp_path):
    vault = open_vault(tmp_path / "v")
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(vault.create_key, ["trial"] * 8))
    assert len({key.key_id for key in keys}) == 1
    assert [file.name for file in (tmp_path / "v/keys/trial").iterdir()] == ["1.pem"]


def test_two_vaults_never_take_each_others_ids(tmp_path):
    vaults = [open_vault(tmp_path / name, PASSPHRASE) for name in "ab"]
    for vault in vaults:
        vault.create_key("trial")
    wrapped = vaults[0].wrap("trial", SECRET)
    with pytest.raises(KeyVaultRefused):
        vaults[1].unwrap(wrapped)


def test_a_key_file_that_was_changed_or_swapped_is_refused(tmp_path):
    vault = open_vault(tmp_path / "v", PASSPHRASE)
    vault.create_key("trial")
    key = tmp_path / "v/keys/trial/1.pem"
    for content in (b"", b"no key", key.read_bytes()[:-40]):
        key.write_bytes(content)
        with pytest.raises(KeyVaultRefused, match="its file changed"):
            open_vault(tmp_path / "v", PASSPHRASE).current_key("trial")


def test_a_key_whose_file_is_gone_is_unknown_even_to_who_had_opened_it(tmp_path):
    vault = open_vault(tmp_path / "v")
    vault.create_key("trial")
    wrapped = vault.wrap("trial", SECRET)
    (tmp_path / "v/keys/trial/1.pem").unlink()
    with pytest.raises(KeyUnknown):
        vault.unwrap(wrapped)


def test_a_draft_that_a_crash_left_behind_is_no_version(tmp_path):
    vault = open_vault(tmp_path / "v")
    key = vault.create_key("trial")
    for name in (".draft-x", "2.pem.tmp", "02.pem", "x.pem", "2.disabled"):
        (tmp_path / "v/keys/trial" / name).touch(mode=0o600)
    assert vault.current_key("trial") == key


def test_a_folder_without_a_version_is_no_key(tmp_path):
    vault = open_vault(tmp_path / "v")
    (tmp_path / "v/keys/trial").mkdir(mode=0o700)
    with pytest.raises(KeyUnknown):
        vault.wrap("trial", SECRET)
    assert vault.create_key("trial").key_id.endswith("/trial/1")


def test_a_version_can_be_disabled_twice_and_enabled_again(tmp_path):
    vault = open_vault(tmp_path / "v")
    key = vault.create_key("trial")
    wrapped = vault.wrap("trial", SECRET)
    for _ in range(2):
        disable_version(tmp_path / "v", key.key_id)
    with pytest.raises(KeyVaultRefused, match="every version is disabled"):
        vault.wrap("trial", SECRET)
    enable_version(tmp_path / "v", key.key_id)
    assert vault.unwrap(wrapped) == SECRET


def test_a_full_disk_leaves_no_key_and_no_draft(tmp_path, monkeypatch):
    vault = open_vault(tmp_path / "v")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyVaultUnavailable):
        vault.create_key("trial")
    monkeypatch.undo()
    assert not list((tmp_path / "v/keys").rglob("*.*"))
    assert vault.create_key("trial").name == "trial"


def test_a_file_in_place_of_the_folder_is_reported(tmp_path):
    (tmp_path / "v").touch(mode=0o600)
    with pytest.raises(KeyVaultUnavailable):
        open_vault(tmp_path / "v")


def test_no_error_or_repr_shows_a_passphrase_or_a_key(tmp_path):
    vault = open_vault(tmp_path / "v", PASSPHRASE)
    key = vault.create_key("trial")
    with pytest.raises(KeyVaultRefused) as caught:
        vault.unwrap(Wrapped(key_id=key.key_id, ciphertext=SECRET * 8))
    shown = "".join(traceback.format_exception(caught.value)) + repr(vault)
    assert PASSPHRASE not in shown
    assert "BEGIN" not in shown
    assert SECRET.decode() not in shown
    assert caught.value.__context__ is None


def _create_in_process(path: Path, barrier, answers) -> None:
    barrier.wait(timeout=60)
    vault = LocalKeyVault(path, entropy=SeededEntropy(str(os.getpid())), key_bits=2048)
    key = vault.create_key("trial")
    vault.rotate_key("trial")
    wrapped = vault.wrap("trial", SECRET)
    answers.put((key.key_id.rsplit("/", 1)[0], wrapped.key_id, wrapped.ciphertext))


def test_processes_that_race_make_one_vault_and_one_key_and_lose_no_rotation(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(3), context.Queue()
    processes = [
        context.Process(
            target=_create_in_process, args=(tmp_path / "v", barrier, answers)
        )
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    results = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    vault = open_vault(tmp_path / "v")
    assert len({key for key, _, _ in results}) == 1
    assert vault.current_key("trial").key_id.endswith("/trial/4")
    for _, key_id, ciphertext in results:
        assert vault.unwrap(Wrapped(key_id=key_id, ciphertext=ciphertext)) == SECRET


def test_a_deleted_key_is_purged_by_whoever_opens_the_vault_after_its_date(tmp_path):
    clock = FakeClock()

    def reopen() -> LocalKeyVault:
        return LocalKeyVault(
            tmp_path / "v", entropy=SeededEntropy(), clock=clock, key_bits=2048
        )

    vault = reopen()
    vault.create_key("trial")
    wrapped = vault.wrap("trial", SECRET)
    vault.delete_key("trial")
    clock.advance(days=6)
    assert reopen().delete_key("trial").purged_at is not None
    clock.advance(days=1)
    purged = reopen()
    assert not list((tmp_path / "v" / "deleted").iterdir())
    with pytest.raises(KeyUnknown):
        purged.delete_key("trial")
    purged.create_key("trial")
    with pytest.raises(KeyVaultRefused):
        purged.unwrap(wrapped)


def test_a_process_that_has_the_key_open_cannot_use_it_once_another_deleted_it(
    tmp_path,
):
    first = open_vault(tmp_path / "v")
    first.create_key("trial")
    wrapped = first.wrap("trial", SECRET)
    assert first.unwrap(wrapped) == SECRET
    open_vault(tmp_path / "v").delete_key("trial")
    with pytest.raises(KeyUnknown):
        first.unwrap(wrapped)
