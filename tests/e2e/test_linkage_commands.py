"""``pseudo linkage`` on a laptop: four people, one configuration, real commands."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.main import run_command
from tests.lib.services.service import choose_config, run_service
from tests.lib.values.cohort import make_cohort, make_numbers

NUMBERS = make_numbers(44_000, 3)
Run = Callable[..., SimpleNamespace]
MARA = ("--as", "mara", "--role", "linkage_officer:asthma")
GWEN = ("--as", "gwen", "--role", "guardian:asthma")
RAVI = ("--as", "ravi", "--role", "linkage_officer:asthma")


@pytest.fixture
def released(state: Path) -> dict[str, str]:
    """Numbers by pseudonym, of a service that has stopped since."""
    with run_service(choose_config(state)) as service:
        pseudonyms = service.deidentify(make_cohort(NUMBERS))["patient"].to_pylist()
    return dict(zip(pseudonyms, NUMBERS, strict=True))


@pytest.fixture
def linkage(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    config = tmp_path / "pseudo.yaml"
    config.write_text(
        json.dumps(
            {
                "environment": "laptop",
                "state_directory": str(state),
                "identity": {"local_issuer": True},
                "identifiers": {"accept_test_range": True},
            }
        )
    )

    def run(*arguments: object, service: bool = True) -> SimpleNamespace:
        capsys.readouterr()
        where = ("--config", config) if service else ()
        code = run_command(["linkage", *map(str, (*arguments, *where))])
        captured = capsys.readouterr()
        assert not [n for n in NUMBERS if n in captured.out + captured.err]
        return SimpleNamespace(code=int(code), out=captured.out, err=captured.err)

    return run


def test_patients_are_recalled_with_commands(
    linkage: Run, released: dict[str, str], tmp_path: Path
) -> None:
    keys = tmp_path / "officer"
    assert linkage("keygen", keys, service=False).code == ExitCode.OK
    cohort = tmp_path / "cohort.txt"
    cohort.write_text("\n".join(released))
    done = linkage(
        "submit", cohort, "--project", "asthma", "--key", f"{keys}.public.pem",
        "--purpose", "recall after an alert", "--legal-basis", "direct_care",
        "--consent", "letter of 3 March", "--json", *MARA,
    )  # fmt: skip
    assert done.code == ExitCode.OK, done.err
    request = json.loads(done.out)["request_id"]

    reason = ("--reason", "the recall is care", "--yes")
    own = linkage("review", request, "--approve", *reason, *MARA)
    assert own.code == ExitCode.REFUSED
    assert "[REVIEW_REFUSED" in own.err
    first = linkage("review", request, "--approve", *reason, *GWEN)
    assert "partially_reviewed" in first.out, first.err
    shown = linkage("show", request, *RAVI)
    assert "1 hidden until the next one is in" in shown.out
    second = linkage("review", request, "--approve", *reason, *RAVI)
    assert "approved" in second.out, second.err
    listed = linkage("list", "--project", "asthma", "--state", "approved", *MARA)
    assert request[:8] in listed.out

    sealed, opened = tmp_path / "recall.sealed", tmp_path / "recall.csv"
    done = linkage("redeem", request, "--output", sealed, *MARA)
    assert "Released, once." in done.out, done.err
    done = linkage(
        "open", sealed, "--key", f"{keys}.private.pem", "--output", opened,
        service=False,
    )  # fmt: skip
    assert done.code == ExitCode.OK, done.err
    rows = csv.DictReader(opened.read_text().splitlines())
    assert {row["subject"]: row["identifier"] for row in rows} == released
    again = linkage("redeem", request, "--output", tmp_path / "again.sealed", *MARA)
    assert "The kept result, once more." in again.out


def test_a_person_is_located_from_a_file(
    linkage: Run, released: dict[str, str], tmp_path: Path
) -> None:
    keys, number = tmp_path / "officer", tmp_path / "number.txt"
    linkage("keygen", keys, service=False)
    number.write_text(next(iter(released.values())))
    done = linkage(
        "locate", "--project", "asthma", "--identifier-file", number,
        "--key", f"{keys}.public.pem", "--purpose", "request for access",
        "--consent", "letter of 3 March", "--json", *MARA,
    )  # fmt: skip
    request = json.loads(done.out)["request_id"]
    for reviewer in (GWEN, RAVI):
        linkage("review", request, "--approve", "--reason", "asked", "--yes", *reviewer)
    sealed, opened = tmp_path / "found.sealed", tmp_path / "found.json"
    assert linkage("redeem", request, "--output", sealed, *MARA).code == ExitCode.OK
    linkage(
        "open", sealed, "--key", f"{keys}.private.pem", "--output", opened,
        service=False,
    )  # fmt: skip
    assert [row["project"] for row in json.loads(opened.read_text())["rows"]] == [
        "asthma"
    ]
