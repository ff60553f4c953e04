"""A project's end over the wire: two custodians, time, and a certificate that holds."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from pseudo_client.errors import ClosingRefused, ProjectExists, ProjectNotActive
from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.key_vaults.local import LocalKeyVault
from pseudo_service.bootstrap import read_audit_verifier
from pseudo_service.core.errors import KeyUnknown, KeyVaultRefused
from pseudo_service.core.keys.statements import SignedStatement, verify_statement
from pseudo_service.core.projects.closing import CLOSURE_FORMAT
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.services.service import RunningService

NUMBER = "9990000018"


def end_project(service: RunningService) -> SignedStatement:
    first = service.client("custodian", subject="first")
    second = service.client("custodian", subject="second")
    first.close_project("asthma", reason="study ended", cooling_days=7)
    second.agree_to_close("asthma")
    service.clock.advance(days=7, minutes=1)
    _, signed = service.client("custodian", subject="third").destroy_project("asthma")
    return SignedStatement(
        statement=signed.statement,
        signature=signed.signature,
        certificate=signed.certificate,
        certificate_signature=signed.certificate_signature,
        certificate_key_id=signed.certificate_key_id,
    )


def test_data_calls_stop_with_the_first_custodians_word(
    service: RunningService,
) -> None:
    assert service.pseudonymise(NUMBER)
    custodian = service.client("custodian", subject="first")
    closing = custodian.close_project("asthma", reason="study ended", cooling_days=7)
    assert closing.state == "closing"
    assert closing.closing is not None
    assert closing.closing.agreed_by is None
    with pytest.raises(ProjectNotActive, match="cancel-close"):
        service.pseudonymise(NUMBER)
    with pytest.raises(ClosingRefused):
        custodian.agree_to_close("asthma")
    with pytest.raises(ClosingRefused):
        custodian.destroy_project("asthma")
    custodian.cancel_closing("asthma", reason="extended")
    assert custodian.get_project("asthma").closing is None
    custodian.resume_project("asthma", reason="extended")
    assert service.pseudonymise(NUMBER)


def test_the_certificate_verifies_and_is_answered_again(
    service: RunningService,
) -> None:
    service.pseudonymise(NUMBER)
    kept = service.pseudonymise(NUMBER, "stroke")
    signed = end_project(service)
    stated = verify_statement(
        signed, read_audit_verifier(service.config), CLOSURE_FORMAT
    )
    assert stated["project"] == "asthma"
    assert stated["vault_key_purged_at"].startswith("20")
    project, again = service.custodian().destroy_project("asthma")
    assert project.state == "destroyed"
    assert project.closing is not None
    assert again.statement == signed.statement
    assert not service.custodian().get_project("asthma").key_versions
    with pytest.raises(ProjectNotActive, match="for ever"):
        service.pseudonymise(NUMBER)
    with pytest.raises(ProjectExists):
        service.create_project("asthma")
    assert service.pseudonymise(NUMBER, "stroke") == kept


def test_a_stolen_database_and_every_other_vault_key_reverse_nothing(
    service: RunningService, tmp_path: Path
) -> None:
    pseudonym = service.pseudonymise(NUMBER)
    assert pseudonym
    backup = tmp_path / "backup.db"
    database = next(service.state.glob("*.sqlite"))
    with sqlite3.connect(database) as live, sqlite3.connect(backup) as copy:
        live.backup(copy)
    end_project(service)
    assert _count_rows(database) == 0

    stolen = tmp_path / "stolen-vault"
    shutil.copytree(service.state / "key-vault", stolen)
    vault = LocalKeyVault(stolen, entropy=SystemEntropy())
    with sqlite3.connect(backup) as copy:
        rows = copy.execute(
            "select wrapping_key_id, wrapped from key_rows where owner = 'asthma'"
        ).fetchall()
    assert len(rows) == 2
    others = [
        vault.current_key(file.name).key_id for file in (stolen / "keys").iterdir()
    ]
    assert len(others) >= 4
    for key_id, wrapped in rows:
        with pytest.raises(KeyUnknown):
            vault.unwrap(Wrapped(key_id=key_id, ciphertext=wrapped))
        for other in others:
            with pytest.raises(KeyVaultRefused):
                vault.unwrap(Wrapped(key_id=other, ciphertext=wrapped))


def _count_rows(database: Path) -> int:
    with sqlite3.connect(database) as live:
        query = "select count(*) from key_rows where owner = 'asthma'"
        return int(live.execute(query).fetchone()[0])
