"""The README's way through the commands, each with the real embedded service."""

import json
import shutil
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.demo.policies import write_patients_policy
from pseudo_service.cli.demo.synthetic import make_extract, write_extract
from pseudo_service.cli.init import LAPTOP_CONFIG
from pseudo_service.cli.main import run_command

PATIENTS = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A laptop's folder with a project, a policy, opt-outs and a finished run."""
    home = tmp_path_factory.mktemp("laptop")
    (home / "pseudo.yaml").write_text(LAPTOP_CONFIG)
    write_extract(make_extract(patients=PATIENTS, admissions=300), home / "extract")
    (home / "patients.yaml").write_text(write_patients_policy("asthma"))
    for arguments in (
        (
            "project", "create", "asthma", "--title", "Asthma outcomes",
            "--opt-outs", "applied", "--legal-basis", "section 251 support",
        ),
        ("opt-outs", "load", home / "extract/opt-outs.csv", "--kind", "opt_out"),
        ("policy", "register", home / "patients.yaml"),
        (
            "run", "--project", "asthma", "--policy", "patients@1",
            "--input", home / "extract/patients.csv",
            "--output", home / "released", "--purpose", "test of the commands",
        ),
        ("audit", "checkpoint"),
    ):  # fmt: skip
        assert _run(home, *arguments) == ExitCode.OK, arguments[:2]
    return home


def _run(home, *arguments):
    return run_command([*map(str, arguments), "--config", str(home / "pseudo.yaml")])


@pytest.fixture
def pseudo(folder, capsys):
    def run(*arguments):
        capsys.readouterr()
        code = _run(folder, *arguments)
        captured = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=captured.out, err=captured.err)

    return run


def test_the_run_is_what_was_signed(folder, pseudo):
    done = pseudo("manifest", "verify", folder / "released", "--json")
    assert done.code == ExitCode.OK, done.err
    verdict = json.loads(done.out)
    assert verdict["sound"]
    assert 0 < verdict["rows_out"] < PATIENTS


def test_the_audit_trail_is_sound_and_anchored(folder, pseudo):
    done = pseudo("audit", "verify", "--json")
    assert done.code == ExitCode.OK, done.out + done.err
    verdict = json.loads(done.out)
    assert verdict["sound"]
    assert verdict["checkpoints"] >= 1
    assert verdict["anchored_until"] is not None
    assert verdict["chains"] > 1


def test_a_checkpoint_that_was_taken_away_outside_is_noticed(folder, pseudo, tmp_path):
    pseudo("audit", "checkpoint")
    copy = tmp_path / "archive"
    shutil.copytree(folder / "state" / "checkpoints", copy)
    next(iter(sorted(copy.glob("*.json")))).unlink()
    done = pseudo("audit", "verify", "--archive", copy)
    assert done.code == ExitCode.FAULTS_FOUND
    assert "NOT sound" in done.out


def test_released_pseudonyms_are_the_project_s(folder, pseudo, tmp_path):
    part = next(iter(sorted((folder / "released").glob("part-*.parquet"))))
    pseudonyms = pq.read_table(part)["patient"].drop_null().to_pylist()
    cohort = tmp_path / "cohort.txt"
    cohort.write_text("\n".join(pseudonyms))
    right = pseudo("pseudonym", "check", cohort, "--project", "asthma")
    assert right.code == ExitCode.OK, right.out
    swapped = pseudonyms[0][:-2] + pseudonyms[0][-1] + pseudonyms[0][-2]
    cohort.write_text("\n".join([*pseudonyms, swapped]))
    wrong = pseudo("pseudonym", "check", cohort, "--project", "asthma", "--json")
    assert wrong.code == ExitCode.FAULTS_FOUND
    assert json.loads(wrong.out.splitlines()[-1])["totals"]["OK"] == len(pseudonyms)


def test_a_suspended_project_takes_no_data(folder, pseudo, tmp_path):
    pseudo("project", "suspend", "asthma", "--reason", "test of suspension")
    refused = pseudo(
        "run", "--project", "asthma", "--policy", "patients@1",
        "--input", folder / "extract/patients.csv",
        "--output", tmp_path / "released", "--purpose", "test of suspension",
    )  # fmt: skip
    resumed = pseudo("project", "resume", "asthma", "--reason", "test is over")
    assert refused.code == ExitCode.REFUSED
    assert "[PROJECT_NOT_ACTIVE" in refused.err
    assert resumed.code == ExitCode.OK


def read_kinds(exported: str) -> set[str]:
    """Return the kinds of the events of an exported trail."""
    lines = [json.loads(line) for line in exported.splitlines()]
    return {json.loads(one["event"]["body"])["kind"] for one in lines if "event" in one}


def test_a_key_is_rotated_once(folder, pseudo):
    order = ("key", "rotate", "asthma", "--current-version", "1", "--reason", "yearly")
    assert pseudo(*order).code == ExitCode.OK
    again = pseudo(*order)
    assert again.code == ExitCode.REFUSED
    assert "[STATE_CONFLICT" in again.err
    assert "key_rotated" in read_kinds(pseudo("audit", "export", "-").out)


def test_the_exported_trail_holds_no_identifier(folder, pseudo):
    done = pseudo("audit", "export", "-")
    assert done.code == ExitCode.OK
    numbers = make_extract(patients=PATIENTS, admissions=300).numbers.to_pylist()
    assert not any(number in done.out for number in numbers)
    assert {"project_created", "table_finished"} <= read_kinds(done.out)
