"""The files of an earlier version, unpacked."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.earlier.cohort import read_rows
from tests.earlier.make_fixtures import ARCHIVE, HERE, PASSPHRASE

VERSIONS = sorted(path for path in HERE.glob("v*") if path.is_dir())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The deployment of a version, unpacked, and what the version said of it."""

    folder: Path
    outside: Path
    expected: Path
    facts: dict[str, Any]

    def read_pseudonyms(self, project: str, version: int) -> dict[str, str]:
        """Return the pseudonyms by number; empty where there was a refusal."""
        return {
            row["number"]: row["pseudonym"]
            for row in read_rows(self.expected / "pseudonyms.csv")
            if (row["project"], row["key_version"]) == (project, str(version))
        }

    def name_people(self, pseudonyms: list[str]) -> dict[str, str]:
        """Return the numbers by pseudonym."""
        rows = read_rows(self.expected / "pseudonyms.csv")
        numbers = {row["pseudonym"]: row["number"] for row in reversed(rows)}
        return {pseudonym: numbers[pseudonym] for pseudonym in pseudonyms}

    def read_officer_key(self) -> X25519PrivateKey:
        pem = (self.folder / "keys" / "officer.private.pem").read_bytes()
        key = load_pem_private_key(pem, PASSPHRASE.encode())
        assert isinstance(key, X25519PrivateKey)
        return key


def unpack(version: Path, scratch: Path) -> Kept:
    folder, outside = scratch / "deployment", scratch / "outside"
    outside.mkdir()
    with tarfile.open(version / ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    # The keys are refused if others can read them, whatever made the archive.
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    facts = json.loads((version / "facts.json").read_text())
    return Kept(folder=folder, outside=outside, expected=version, facts=facts)
