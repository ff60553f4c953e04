"""The audit trail as a test reads it: events as they were written, verified."""

import json
from typing import Any

from pseudo_client import Client
from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.bootstrap import read_audit_verifier
from pseudo_service.bootstrap.trust import VerifyVaultSignature
from pseudo_service.config import Config
from pseudo_service.core.audit.events import AuditVerdict, Checkpoint
from pseudo_service.core.audit.verification import verify_trail
from pseudo_service.core.errors import SignatureRefused


def read_events(auditor: Client, kind: str | None = None) -> list[dict[str, Any]]:
    """Return all events of a kind in the order of their chains."""
    events = [
        json.loads(each.body)
        for each in auditor.export_audit()
        if hasattr(each, "body")
    ]
    return [event for event in events if kind in (None, event["kind"])]


def read_stored_events(config: Config, kind: str | None = None) -> list[dict[str, Any]]:
    """Return the same from the database, where no service runs."""
    database = SqlDatabase(config.database_url, chain="reader-of-a-test")
    try:
        log = SqlAuditLog(database)
        events = [json.loads(e.body) for name in log.chains() for e in log.read(name)]
    finally:
        database.close()
    return [event for event in events if kind in (None, event["kind"])]


def verify_stored_trail(
    config: Config, verify: VerifyVaultSignature | None = None
) -> AuditVerdict:
    """Verify the trail in the database against the copies outside it."""
    verify = verify or read_audit_verifier(config)

    def is_signed(checkpoint: Checkpoint) -> bool:
        try:
            verify(
                checkpoint.signed_bytes(),
                checkpoint.signature,
                checkpoint.signing_key_id,
            )
        except SignatureRefused:
            return False
        return True

    database = SqlDatabase(config.database_url, chain="reader-of-a-test")
    try:
        log = SqlAuditLog(database)
        return verify_trail(
            [(name, list(log.read(name))) for name in log.chains()],
            inside=list(log.checkpoints()),
            outside=list(DirectoryArchive(config.archive_directory).read()),
            is_signed=is_signed,
        )
    finally:
        database.close()
