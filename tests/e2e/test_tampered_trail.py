"""`pseudo audit verify` against a database that its administrator has edited."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.init import LAPTOP_CONFIG
from pseudo_service.cli.main import run_command
from pseudo_service.core.audit.events import hash_event

Tamper = Callable[[sqlite3.Connection, str, int], None]


def run(home: Path, *arguments: str) -> ExitCode:
    config = str(home / "pseudo.yaml")
    return ExitCode(run_command([*arguments, "--config", config]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laptop's folder with a few events, anchored outside the database."""
    home = tmp_path_factory.mktemp("trail")
    (home / "pseudo.yaml").write_text(LAPTOP_CONFIG)
    create = (
        *("project", "create", "asthma", "--title", "Asthma outcomes"),
        *("--opt-outs", "not_applicable", "--legal-basis", "consent"),
    )
    assert run(home, *create) == ExitCode.OK
    for step in ("suspend", "resume"):
        done = run(home, "project", step, "asthma", "--reason", "an exercise")
        assert done == ExitCode.OK
    assert run(home, "audit", "checkpoint") == ExitCode.OK
    return home


def truncate(database: sqlite3.Connection, chain: str, last: int) -> None:
    database.execute(
        "DELETE FROM audit_events WHERE chain = ? AND sequence = ?", (chain, last)
    )


def edit(database: sqlite3.Connection, chain: str, last: int) -> None:
    database.execute(
        "UPDATE audit_events SET body = replace(body, 'local:', 'other:') "
        "WHERE chain = ? AND sequence = ?",
        (chain, last),
    )


def reorder(database: sqlite3.Connection, chain: str, last: int) -> None:
    for old, new in ((last, -1), (last - 1, last), (-1, last - 1)):
        database.execute(
            "UPDATE audit_events SET sequence = ? WHERE chain = ? AND sequence = ?",
            (new, chain, old),
        )


def fork(database: sqlite3.Connection, chain: str, last: int) -> None:
    """Put another event, soundly linked, in the place of the last one."""
    query = "SELECT body, previous FROM audit_events WHERE chain = ? AND sequence = ?"
    body, previous = database.execute(query, (chain, last)).fetchone()
    body = body.replace("local:", "other:")
    database.execute(
        "UPDATE audit_events SET body = ?, digest = ? WHERE chain = ? AND sequence = ?",
        (body, hash_event(chain, last, previous, body), chain, last),
    )


TAMPERED: dict[str, tuple[Tamper, str]] = {
    "cut off": (truncate, "chain_truncated"),
    "edited": (edit, "event_edited"),
    "reordered": (reorder, "event_edited"),
    "forked": (fork, "chain_forked"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_it_is_found_and_located(
    case: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper, fault = TAMPERED[case]
    home = tmp_path / "home"
    shutil.copytree(folder, home)
    assert run(home, "audit", "verify") == ExitCode.OK
    with closing(sqlite3.connect(home / "state" / "pseudo.sqlite")) as database:
        chain, last = database.execute(
            "SELECT chain, max(sequence) FROM audit_events GROUP BY chain "
            "HAVING max(sequence) > 2 ORDER BY chain LIMIT 1"
        ).fetchone()
        tamper(database, chain, last)
        database.commit()
    capsys.readouterr()
    assert run(home, "audit", "verify", "--json") == ExitCode.FAULTS_FOUND
    found = capsys.readouterr().out
    assert fault in found
    assert chain in found
