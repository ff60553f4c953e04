"""What the owner of a local key vault does by hand: take a key version out of use."""

from pathlib import Path


def disable_version(vault: Path, key_id: str) -> None:
    """Disable a version; the vault's folder and an id like ``local:0a/trial/1``."""
    _locate_flag(vault, key_id).touch(mode=0o600)


def enable_version(vault: Path, key_id: str) -> None:
    """Undo ``disable_version``."""
    _locate_flag(vault, key_id).unlink()


def _locate_flag(vault: Path, key_id: str) -> Path:
    _, name, version = key_id.split("/")
    return vault / "keys" / name / f"{version}.disabled"
