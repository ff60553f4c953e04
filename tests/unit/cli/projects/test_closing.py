"""The end of a project, and the map of a rotation, from the command line."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pseudo_client import KeyVersionMapEnd, SignedStatement
from pseudo_service.adapters.key_vaults.algorithms import sign_message
from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.core.keys.statements import build_certificate, encode_statement
from pseudo_service.core.projects.closing import CLOSURE_FORMAT
from pseudo_service.core.pseudonyms.version_map import KEY_MAP_FORMAT, PairsDigest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CREATE = (
    "project", "create", "asthma", "--title", "Asthma outcomes",
    "--opt-outs", "applied", "--legal-basis", "section 251 support",
)  # fmt: skip
STATED = {
    "format": CLOSURE_FORMAT,
    "project": "asthma",
    "tag": "7K2M",
    "requested_by": "first",
    "requested_at": "2026-02-01T12:00:00+00:00",
    "agreed_by": "second",
    "agreed_at": "2026-02-02T12:00:00+00:00",
    "destroyed_by": "third",
    "issued_at": NOON.isoformat(),
    "keys": [{"purpose": "stable", "version": 1, "check_value": "0102"}],
    "vault_key": "project-asthma",
    "vault_key_purged_at": "2026-05-30T12:00:00+00:00",
    "survives": ["released data"],
}
OLD, NEW = ["7K2M-N1A", "7K2M-N1B"], ["7K2M-N2A", "7K2M-N2B"]


@pytest.fixture(scope="module")
def audit_key():
    return generate_private_key(65_537, 2048)


@pytest.fixture
def pem(audit_key, tmp_path):
    file = tmp_path / "audit.pem"
    public = audit_key.public_key()
    file.write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return str(file)


def sign(statement: dict, audit_key) -> SignedStatement:
    process = Ed25519PrivateKey.generate()
    certificate = build_certificate(
        process="p",
        instance="i",
        public_key=process.public_key(),
        not_before=NOON - timedelta(hours=1),
        not_after=NOON + timedelta(hours=1),
    )
    encoded = encode_statement(statement)
    return SignedStatement(
        statement=encoded,
        signature=process.sign(encoded),
        certificate=certificate,
        certificate_signature=sign_message(audit_key, certificate),
        certificate_key_id="local:audit/1",
    )


@pytest.fixture
def made(service, pseudo):
    pseudo(*CREATE)
    return pseudo


def test_a_close_shows_who_must_agree_and_until_when(made):
    done = made(
        "project", "close", "asthma", "--reason", "over", "--cooling-days", "30"
    )
    assert done.code == ExitCode.OK
    assert "nobody yet; a second custodian must" in done.out
    assert "until 2026-03-31 12:00 UTC" in done.out
    shown = json.loads(made("project", "agree-close", "asthma", "--json").out)
    assert shown["closing"]["agreed_by"] == "second"
    cancelled = made("project", "cancel-close", "asthma", "--reason", "extended")
    assert "suspended" in cancelled.out


def test_destroying_wants_the_id_twice(service, made, tmp_path):
    connections = len(service.connections)
    file = tmp_path / "end.json"
    done = made(
        "project", "destroy", "asthma", "--confirm", "stroke", "--output", str(file)
    )
    assert done.code == ExitCode.USAGE
    assert "nothing was destroyed" in done.err
    assert len(service.connections) == connections
    assert not file.exists()


def test_a_certificate_is_written_shown_and_verified(
    service, made, audit_key, pem, tmp_path
):
    service.certificate = sign(STATED, audit_key)
    file = str(tmp_path / "end.json")
    done = made("project", "destroy", "asthma", "--confirm", "asthma", "--output", file)
    assert done.code == ExitCode.OK, done.err
    assert "purged: 2026-05-30" in done.out
    verified = made("project", "verify-certificate", file, "--audit-key", pem)
    assert verified.code == ExitCode.OK, verified.err
    assert "Sound" in verified.out


def test_a_changed_certificate_is_found(service, made, audit_key, pem, tmp_path):
    service.certificate = sign(STATED, audit_key)
    file = tmp_path / "end.json"
    made("project", "destroy", "asthma", "--confirm", "asthma", "--output", str(file))
    file.write_text(file.read_text().replace("project-asthma", "project-stroke"))
    done = made("project", "verify-certificate", str(file), "--audit-key", pem)
    assert done.code != ExitCode.OK
    assert "signature" in done.err
    file.write_text("{}")
    done = made("project", "verify-certificate", str(file), "--audit-key", pem)
    assert done.code == ExitCode.FAULTS_FOUND


def give_map(service, audit_key, *, signed_pairs=(OLD, NEW)) -> None:
    digest = PairsDigest()
    digest.add(*signed_pairs)
    statement = {
        "format": KEY_MAP_FORMAT,
        "project": "asthma",
        "old_version": 1,
        "new_version": 2,
        "pairs": digest.pairs,
        "sha256": digest.hex(),
        "unaccounted_operations": ["run-1 part 0"],
        "issued_at": NOON.isoformat(),
    }
    service.pairs = [(OLD[:1], NEW[:1]), (OLD[1:], NEW[1:])]
    service.map_end = KeyVersionMapEnd(
        statement=sign(statement, audit_key),
        pairs=digest.pairs,
        unaccounted_operations=("run-1 part 0",),
    )


def ask_for_map(pseudo, file):
    return pseudo(
        "key", "map", "asthma", "--old", "1", "--new", "2",
        "--purpose", "carry over", "--output", str(file),
    )  # fmt: skip


def test_a_map_is_written_with_its_statement_and_verified(
    service, made, audit_key, pem, tmp_path
):
    give_map(service, audit_key)
    file = tmp_path / "map.csv"
    done = ask_for_map(made, file)
    assert done.code == ExitCode.OK, done.err
    assert file.read_text().splitlines() == [
        "old,new",
        "7K2M-N1A,7K2M-N2A",
        "7K2M-N1B,7K2M-N2B",
    ]
    assert "run-1 part 0" in done.err
    assert service.roles[-1] == ["linkage_officer:asthma"]
    verified = made("key", "verify-map", str(file), "--audit-key", pem)
    assert verified.code == ExitCode.OK, verified.err
    file.write_text(file.read_text().replace("N2A", "N2C"))
    assert (
        made("key", "verify-map", str(file), "--audit-key", pem).code
        == ExitCode.FAULTS_FOUND
    )


def test_a_map_that_is_not_what_was_signed_is_not_written(
    service, made, audit_key, tmp_path
):
    give_map(service, audit_key, signed_pairs=(OLD, OLD))
    done = ask_for_map(made, tmp_path / "map.csv")
    assert done.code == ExitCode.FAULTS_FOUND
    assert [file.name for file in tmp_path.glob("*map.csv*")] == []


def test_a_map_writes_over_nothing(service, made, audit_key, tmp_path):
    give_map(service, audit_key)
    (tmp_path / "map.csv").write_text("mine")
    assert ask_for_map(made, tmp_path / "map.csv").code == ExitCode.USAGE
    assert (tmp_path / "map.csv").read_text() == "mine"


def test_a_rotation_with_an_overlap_shows_its_window(made):
    made(
        "key", "rotate", "asthma", "--current-version", "1", "--reason", "yearly",
        "--overlap-days", "14",
    )  # fmt: skip
    assert "until 2026-03-15" in made("project", "show", "asthma").out
