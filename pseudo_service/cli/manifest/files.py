"""A manifest as it was written, read without trusting it."""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.run.outputs import MANIFEST_FORMAT
from pseudo_service.cli.run.state import MANIFEST, STATE, PartName
from pseudo_service.core.keys.statements import SignedStatement

_PART_FILE = re.compile(r"part-(\d{5})-(\d{5})\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPart:
    """A part as the manifest lists it."""

    name: PartName
    rows_in: int
    rows_out: int
    removed: Mapping[str, int]
    output_digest: str
    signed: SignedStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the manifest of a folder says."""

    project: str
    policy: str
    purpose: str
    operation: str
    inputs: int
    pins: Mapping[str, Any]
    totals: Mapping[str, Any]
    parts: tuple[ListedPart, ...]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run's output folder.

    Raises:
        Failure: There is none, the run is not finished, or it cannot be read.
    """
    if (folder / STATE).is_dir():
        msg = "the run in this folder is not finished: give the same `pseudo run` again"
        raise Failure(msg, ExitCode.FAULTS_FOUND)
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if document["format"] == MANIFEST_FORMAT:
            return _read_document(document)
    except FileNotFoundError:
        msg = f"no {MANIFEST} in this folder: give the output folder of a run"
        raise Failure(msg) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Base64Error):
        pass
    msg = f"{MANIFEST} is not a manifest of the form {MANIFEST_FORMAT}: it was changed"
    raise Failure(msg, ExitCode.FAULTS_FOUND)


def read_part_name(file_name: str) -> PartName | None:
    """Return the part that a file's name stands for, if it is one."""
    found = _PART_FILE.fullmatch(file_name)
    if found is None:
        return None
    return PartName(input=int(found[1]), part=int(found[2]))


def _read_document(document: Mapping[str, Any]) -> Manifest:
    return Manifest(
        project=str(document["project"]),
        policy=str(document["policy"]),
        purpose=str(document["purpose"]),
        operation=str(document["operation"]),
        inputs=int(document["inputs"]),
        pins=dict(document["pins"]),
        totals=dict(document["totals"]),
        parts=tuple(_read_part(part) for part in document["parts"]),
    )


def _read_part(part: Mapping[str, Any]) -> ListedPart:
    name = read_part_name(part["name"])
    if name is None:
        raise ValueError
    receipt = part["receipt"]
    return ListedPart(
        name=name,
        rows_in=int(part["rows_in"]),
        rows_out=int(part["rows_out"]),
        removed={reason: int(n) for reason, n in part["removed"].items()},
        output_digest=str(part["output_digest"]),
        signed=SignedStatement(
            statement=receipt["statement"].encode(),
            signature=b64decode(receipt["signature"]),
            certificate=receipt["certificate"].encode(),
            certificate_signature=b64decode(receipt["certificate_signature"]),
            certificate_key_id=str(receipt["certificate_key_id"]),
        ),
    )
