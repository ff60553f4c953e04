"""Commands that are given a patient's number tell it to the service and to nobody else.

What is looked at: all that is printed, the arguments, and every file and file name that
a command leaves behind, but for the files that it was given and the opened result.
"""

import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.main import run_command
from tests.lib.services.service import choose_config, run_service
from tests.lib.values.canaries import (
    BAD_NUMBER,
    NUMBERS,
    SURNAME,
    Canaries,
    make_canary_table,
    read_files,
)
from tests.lib.values.cohort import PURPOSE

Run = Callable[..., SimpleNamespace]
TELLING = {"number.txt", "people.txt", "aliases.csv", "opened.csv"}
"""The files that a command is given, and the one that is opened for the officer."""

MARA = ("--as", "mara", "--role", "linkage_officer:asthma")
GWEN = ("--as", "gwen", "--role", "guardian:asthma")
RAVI = ("--as", "ravi", "--role", "linkage_officer:asthma")
STATED = ("--purpose", PURPOSE, "--consent", "letter of 3 March")
TRACE = ("audit", "subject", "--purpose", "a complaint")
LOCATE = ("linkage", "locate", "--project", "asthma", *STATED, *MARA)
ERASE = ("register", "erase", "--order", "order 7", "--yes")


@pytest.fixture
def released(state: Path) -> list[str]:
    """The pseudonyms of a service that has stopped since."""
    with run_service(choose_config(state)) as service:
        found: list[str] = service.deidentify(make_canary_table())[
            "patient"
        ].to_pylist()
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands are given, and where all their temporary files would be."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def pseudo(
    state: Path,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    """Run a command line, on a laptop; check that nothing of it tells a patient."""
    config = state.with_name("pseudo.yaml")
    settings = choose_config(state).model_dump(
        mode="json", include={"environment", "state_directory"}
    )
    settings["identity"] = {"local_issuer": True}
    settings["identifiers"] = {"accept_test_range": True}
    config.write_text(json.dumps(settings))

    def run(*arguments: object, given: str = "", service: bool = True) -> Any:
        capfd.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        where = ("--config", config) if service else ()
        line = [str(each) for each in (*arguments, *where)]
        code = run_command(line)
        printed = capfd.readouterr()
        assert Canaries().find(printed.out + printed.err) == []
        for name, data in read_files(folder).items():
            assert Canaries().find(name) == []
            assert name in TELLING or Canaries().find(data) == [], name
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    yield run
    for name, data in read_files(state).items():
        assert Canaries().find(data) == [], name


@pytest.fixture
def public(pseudo: Run, folder: Path) -> Path:
    assert pseudo("linkage", "keygen", "officer", service=False).code == ExitCode.OK
    for half in ("public", "private"):
        assert is_owner_only(folder / f"officer.{half}.pem")
    return folder / "officer.public.pem"


def is_owner_only(file: Path) -> bool:
    return stat.S_IMODE(file.stat().st_mode) == 0o600


def approve(pseudo: Run, request: str) -> None:
    for reviewer in (GWEN, RAVI):
        reason = ("--reason", "as agreed", "--yes")
        done = pseudo("linkage", "review", request, "--approve", *reason, *reviewer)
        assert done.code == ExitCode.OK, done.err


def test_only_the_opened_result_names_people(
    pseudo: Run, released: list[str], public: Path, folder: Path
) -> None:
    (folder / "cohort.txt").write_text("\n".join(released))
    basis = ("--legal-basis", "direct_care", "--key", public, "--json")
    asking = ("linkage", "submit", "cohort.txt", "--project", "asthma", *basis)
    done = pseudo(*asking, *STATED, *MARA)
    request = json.loads(done.out)["request_id"]
    approve(pseudo, request)
    for name in ("first.sealed", "again.sealed"):
        done = pseudo("linkage", "redeem", request, "--output", name, *MARA)
        assert done.code == ExitCode.OK, done.err
        assert is_owner_only(folder / name)
    opening = ("linkage", "open", "first.sealed", "--key", "officer.private.pem")
    done = pseudo(*opening, "--output", "opened.csv", service=False)
    assert done.code == ExitCode.OK, done.err
    assert is_owner_only(folder / "opened.csv")
    opened = (folder / "opened.csv").read_text()
    assert [number for number in NUMBERS if number not in opened] == []
    done = pseudo(*TRACE, "--json", given=NUMBERS[0])
    assert request in done.out, done.err


@pytest.mark.parametrize("how", ["file", "input"])
def test_a_number_is_read_where_nobody_sees_it(
    how: str, pseudo: Run, released: list[str], public: Path, folder: Path
) -> None:
    assert released
    (folder / "number.txt").write_text(f"{NUMBERS[0]}\n")
    is_file = how == "file"
    option = ("--identifier-file", "number.txt") if is_file else ()
    given = "" if is_file else NUMBERS[0]
    for command in (TRACE, (*LOCATE, "--key", public)):
        for form in ((), ("--json",)):
            done = pseudo(*command, *option, *form, given=given)
            assert done.code == ExitCode.OK, done.err
    done = pseudo(*ERASE, "number.txt" if is_file else "-", given=given)
    assert "Erased 1" in done.out, done.err


@pytest.mark.parametrize("wrong", [BAD_NUMBER, SURNAME, "\n".join(NUMBERS[:2]), ""])
def test_what_is_no_number_is_refused_and_not_repeated(
    wrong: str, pseudo: Run, released: list[str], public: Path, folder: Path
) -> None:
    assert released
    (folder / "people.txt").write_text("\n".join([*NUMBERS, wrong or BAD_NUMBER]))
    for command in (TRACE, (*LOCATE, "--key", public)):
        assert pseudo(*command, given=wrong).code != ExitCode.OK
    if "\n" not in wrong:
        assert pseudo(*ERASE, "people.txt").code != ExitCode.OK
    (folder / "aliases.csv").write_text(
        f"superseded,current\n{NUMBERS[0]},{wrong.replace(chr(10), ' ') or SURNAME}\n"
    )
    assert pseudo("aliases", "load", "aliases.csv").code != ExitCode.OK


@pytest.mark.parametrize(
    "command",
    [
        (*TRACE, NUMBERS[0]),
        (*TRACE, "--identifier", NUMBERS[0]),
        (*TRACE, "--identifier-file", NUMBERS[0]),
        (*LOCATE, NUMBERS[0], "--key", "officer.public.pem"),
        (*LOCATE, "--identifier-file", NUMBERS[0], "--key", "officer.public.pem"),
        (*ERASE, NUMBERS[0]),
        ("aliases", "load", NUMBERS[0]),
        ("opt-outs", "load", NUMBERS[0], "--kind", "opt_out"),
        ("linkage", "submit", NUMBERS[0], "--project", "asthma"),
        ("linkage", "show", NUMBERS[0], *MARA),
        ("linkage", "redeem", NUMBERS[0], "--output", "x.sealed", *MARA),
        ("linkage", "open", NUMBERS[0], "--key", "officer.private.pem"),
        ("project", "close", NUMBERS[0], "--reason", "it ended"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_number_on_the_command_line_is_no_use_and_is_not_repeated(
    command: tuple[str, ...], pseudo: Run, public: Path
) -> None:
    assert public.exists()
    assert pseudo(*command).code != ExitCode.OK
