"""``pseudo audit``: a verdict that a guardian can read, from events recomputed here."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import pseudo_client
from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.adapters.key_vaults.algorithms import (
    sign_message,
    write_public_pem,
)
from pseudo_service.cli.audit.command import MEANINGS
from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.core.audit.events import (
    EMPTY_CHAIN,
    AuditEvent,
    AuditFault,
    AuditKind,
    ChainHead,
    Checkpoint,
    describe_checkpoint,
    link,
    start_chain,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANCHORED = 6
EVENTS = 8


@pytest.fixture(scope="module")
def signing_key():
    return rsa.generate_private_key(65537, 2048)


def _chain(name):
    head = start_chain(name)
    for number in range(EVENTS):
        event = AuditEvent(
            kind=AuditKind.BATCH_INTENT,
            at=NOON,
            actor="pipeline-1",
            project="asthma",
            details={"rows": number},
        )
        recorded = link(head, event)
        yield recorded
        head = ChainHead(chain=name, sequence=recorded.sequence, digest=recorded.digest)


def _sign(key, events):
    head = events[ANCHORED - 1]
    fields = {
        "number": 1,
        "at": NOON,
        "heads": (
            ChainHead(chain=head.chain, sequence=head.sequence, digest=head.digest),
        ),
        "previous": EMPTY_CHAIN,
        "signing_key_id": "local:audit/1",
    }
    return Checkpoint(
        signature=sign_message(key, describe_checkpoint(**fields)), **fields
    )


def _export(events, *checkpoints):
    received = [
        pseudo_client.Checkpoint(
            number=each.number,
            at=each.at,
            heads=tuple(
                pseudo_client.ChainHead(
                    chain=head.chain, sequence=head.sequence, digest=head.digest
                )
                for head in each.heads
            ),
            previous=each.previous,
            signing_key_id=each.signing_key_id,
            signature=each.signature,
        )
        for each in checkpoints
    ]
    return received + [
        pseudo_client.RecordedEvent(
            chain=each.chain,
            sequence=each.sequence,
            body=each.body,
            previous=each.previous,
            digest=each.digest,
        )
        for each in events
    ]


@pytest.fixture
def trail(service, signing_key, tmp_path):
    """A sound trail of one chain, anchored at its sixth event."""
    events = list(_chain("worker-1"))
    checkpoint = _sign(signing_key, events)
    service.audit = _export(events, checkpoint)
    DirectoryArchive(tmp_path / "archive").append(checkpoint)
    (tmp_path / "audit.pem").write_bytes(write_public_pem(signing_key.public_key()))
    return service


VERIFY = ("audit", "verify", "--archive", "archive", "--audit-key", "audit.pem")


def test_a_sound_trail_is_said_to_be_sound(trail, pseudo):
    done = pseudo(*VERIFY)
    assert done.code == ExitCode.OK, done.err + done.out
    assert "The audit trail is sound." in done.out
    assert "Recomputed 8 events in 1 chain: none" in done.out
    assert "Not anchored yet: 2 later events" in done.out
    assert trail.roles == [["auditor"]]


def test_the_verdict_in_json(trail, pseudo):
    assert json.loads(pseudo(*VERIFY, "--json").out) == {
        "sound": True,
        "events": EVENTS,
        "chains": 1,
        "checkpoints": 1,
        "unanchored_events": EVENTS - ANCHORED,
        "anchored_until": NOON.isoformat(),
        "findings": [],
    }


def _edit(audit):
    audit[3] = replace(audit[3], body=audit[3].body.replace("pipeline-1", "nobody-1"))


def _remove(audit):
    del audit[3]


def _cut_off(audit):
    del audit[-4:]


def _swap(audit):
    audit[3], audit[4] = audit[4], audit[3]


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_edit, AuditFault.EVENT_EDITED),
        (_remove, AuditFault.EVENT_MISSING),
        (_cut_off, AuditFault.CHAIN_TRUNCATED),
        (_swap, AuditFault.EVENT_REORDERED),
    ],
)
def test_tampering_is_found_and_located(trail, pseudo, tamper, fault):
    tamper(trail.audit)
    done = pseudo(*VERIFY)
    assert done.code == ExitCode.FAULTS_FOUND
    assert "NOT sound" in done.out
    assert "worker-1" in done.out
    assert MEANINGS[fault] in " ".join(done.out.split())
    findings = json.loads(pseudo(*VERIFY, "--json").out)["findings"]
    assert fault in {each["fault"] for each in findings}


def test_a_checkpoint_that_another_key_signed_anchors_nothing(trail, pseudo, tmp_path):
    other = rsa.generate_private_key(65537, 2048).public_key()
    (tmp_path / "audit.pem").write_bytes(write_public_pem(other))
    done = pseudo(*VERIFY, "--json")
    verdict = json.loads(done.out)
    assert done.code == ExitCode.FAULTS_FOUND
    assert verdict["unanchored_events"] == EVENTS
    assert {each["fault"] for each in verdict["findings"]} == {"checkpoint_signature"}


def test_without_outside_checkpoints_a_remote_trail_is_not_judged(
    trail, pseudo, monkeypatch
):
    monkeypatch.setenv("PSEUDO_TOKEN", "token")
    remote = ("audit", "verify", "--server", "h:1", "--audit-key", "audit.pem")
    done = pseudo(*remote)
    assert done.code == ExitCode.USAGE
    assert "--archive" in done.err


def test_a_key_file_that_is_no_key_is_named(trail, pseudo, tmp_path):
    (tmp_path / "audit.pem").write_text("not a key")
    done = pseudo(*VERIFY)
    assert done.code == ExitCode.USAGE
    assert "audit.pem is not an RSA public key" in done.err


def test_the_export_keeps_the_text_that_was_hashed(trail, pseudo, tmp_path):
    done = pseudo("audit", "export", "trail.jsonl")
    assert "Wrote 9 events and checkpoints" in done.out
    lines = [
        json.loads(each) for each in (tmp_path / "trail.jsonl").read_text().splitlines()
    ]
    assert lines[0]["checkpoint"]["number"] == 1
    assert lines[1]["event"]["body"] == trail.audit[1].body
    again = pseudo("audit", "export", "trail.jsonl")
    assert again.code == ExitCode.USAGE
    assert "exists already" in again.err


def test_every_fault_has_words():
    assert set(MEANINGS) == set(AuditFault)
