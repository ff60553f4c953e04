import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pseudo_service.adapters.key_vaults.algorithms import verify_message
from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.manifest.checks import Finding, check_folder
from pseudo_service.cli.manifest.files import read_manifest
from pseudo_service.core.errors import SignatureRefused
from tests.lib.harnesses.runs import run_files, write_csv
from tests.lib.services.fake_service import FakeService

PART = "part-00000-00001.parquet"


@pytest.fixture
def released(service: FakeService, csv_file: Path, tmp_path: Path) -> Path:
    output = tmp_path / "released"
    run_files(service, [csv_file, write_csv(tmp_path / "q.csv", 300)], output)
    return output


def verify(folder: Path, key: RSAPublicKey) -> list[Finding]:
    def check(message: bytes, signature: bytes, key_id: str) -> None:
        assert key_id == "audit/1"
        verify_message(key, message, signature)

    return check_folder(folder, read_manifest(folder), check)


@pytest.fixture
def key(service: FakeService) -> RSAPublicKey:
    loaded = load_pem_public_key(service.audit_public_key)
    assert isinstance(loaded, RSAPublicKey)
    return loaded


def test_an_untouched_release_is_sound(released: Path, key: RSAPublicKey) -> None:
    assert verify(released, key) == []


def test_other_row_groups_and_compression_are_the_same_rows(
    released: Path, key: RSAPublicKey
) -> None:
    table = pq.read_table(released / PART)
    pq.write_table(table, released / PART, row_group_size=17, compression="snappy")
    assert verify(released, key) == []


def rewrite(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        pq.write_table(change(pq.read_table(folder / PART)), folder / PART)

    return apply


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "manifest.json"
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return apply


def edit_statement(field: str, value: object) -> Callable[[Path], None]:
    def change(document: dict[str, Any]) -> None:
        receipt = document["parts"][1]["receipt"]
        statement = json.loads(receipt["statement"])
        statement[field] = value
        receipt["statement"] = json.dumps(statement)

    return edit(change)


def swap_receipts(document: dict[str, Any]) -> None:
    first, second = document["parts"][:2]
    first["receipt"], second["receipt"] = second["receipt"], first["receipt"]


def copy_extra(folder: Path) -> None:
    shutil.copy(folder / PART, folder / "part-00000-00009.parquet")


def copy_beside(folder: Path) -> None:
    shutil.copy(folder / PART, folder / "0-more.parquet")


def swap_files(folder: Path) -> None:
    one, other = folder / "part-00000-00000.parquet", folder / PART
    one.rename(folder / "x")
    other.rename(one)
    (folder / "x").rename(other)


def truncate(folder: Path) -> None:
    content = (folder / PART).read_bytes()
    (folder / PART).write_bytes(content[: len(content) // 2])


STEM = PART.removesuffix(".parquet")
FAULTS: list[tuple[str, Callable[[Path], None], str | None, str]] = [
    ("row dropped", rewrite(lambda t: t.slice(1)), STEM, "rows"),
    ("rows reordered", rewrite(lambda t: t.take([1, 0, *range(2, 225)])), STEM, "rows"),
    ("column dropped", rewrite(lambda t: t.drop_columns(["born"])), STEM, "columns"),
    (
        "value changed",
        rewrite(lambda t: t.set_column(1, "row", pc.replace_substring(t[1], "7", "8"))),
        STEM,
        "columns number 2 differ",
    ),
    ("file cut", truncate, STEM, "damaged"),
    ("file gone", lambda f: (f / PART).unlink(), STEM, "file is missing"),
    ("file extra", copy_extra, "part-00000-00009", "not in the manifest"),
    ("file of another name", copy_beside, None, "no part of the run"),
    ("files swapped", swap_files, STEM, "not those that were signed"),
    ("part unlisted", edit(lambda d: d["parts"].pop(1)), STEM, "missing from"),
    ("last part unlisted", edit(lambda d: d["parts"].pop(3)), None, "total of parts"),
    (
        "part doubled",
        edit(lambda d: d["parts"].append(d["parts"][1])),
        STEM,
        "listed 2 times",
    ),
    ("receipts swapped", edit(swap_receipts), STEM, "another part"),
    ("rows restated", edit(lambda d: d["parts"][1].update(rows_in=9)), STEM, "rows_in"),
    ("totals restated", edit(lambda d: d["totals"].update(rows_out=9)), None, "total"),
    ("pins restated", edit(lambda d: d["pins"].update(key_version=9)), STEM, "pins"),
    ("project restated", edit(lambda d: d.update(project="p")), STEM, "project"),
    ("purpose restated", edit(lambda d: d.update(purpose="p")), STEM, "purpose"),
    ("policy restated", edit(lambda d: d.update(policy="p")), STEM, "another policy"),
    ("receipt edited", edit_statement("rows_out", 1), STEM, "signature"),
    ("policy edited", edit_statement("policy", "x/y@1"), STEM, "signature"),
]


@pytest.mark.parametrize(
    ("tamper", "part", "says"),
    [fault[1:] for fault in FAULTS],
    ids=[fault[0] for fault in FAULTS],
)
def test_every_fault_is_found_and_named(
    *,
    released: Path,
    key: RSAPublicKey,
    tamper: Callable[[Path], None],
    part: str | None,
    says: str,
) -> None:
    tamper(released)
    findings = verify(released, key)
    assert any(each.part == part and says in each.fault for each in findings), findings


def test_another_audit_key_is_not_believed(released: Path) -> None:
    stranger = generate_private_key(65537, 2048).public_key()
    findings = verify(released, stranger)
    assert len(findings) == 6
    assert {each.fault for each in findings} == {
        "the signature is not over this message: it was changed or moved"
    }


def test_a_vault_that_refuses_is_a_fault(released: Path) -> None:
    def refuse(message: bytes, signature: bytes, key_id: str) -> None:
        msg = "not by audit"
        raise SignatureRefused(msg)

    findings = check_folder(released, read_manifest(released), refuse)
    assert {each.fault for each in findings} == {"not by audit"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{"), "not a manifest"),
        (lambda f: (f / "manifest.json").write_text("[]"), "not a manifest"),
        (edit(lambda d: d.update(format="x")), "not a manifest"),
        (edit(lambda d: d["parts"][0].update(name="../x")), "not a manifest"),
        (edit(lambda d: d["parts"][0].pop("receipt")), "not a manifest"),
        (lambda f: (f / ".pseudo-run").mkdir(), "not finished"),
    ],
)
def test_what_is_no_finished_run_is_said(
    released: Path, change: Callable[[Path], None], says: str
) -> None:
    change(released)
    with pytest.raises(Failure, match=says):
        read_manifest(released)
