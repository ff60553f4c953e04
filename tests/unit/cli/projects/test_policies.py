"""``pseudo policy suggest`` and ``check``: from a table to a policy in words."""

import json

import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.demo.policies import write_patients_policy
from pseudo_service.cli.demo.synthetic import make_extract, write_extract
from pseudo_service.core.policies.policy import parse_policy


@pytest.fixture
def files(service, tmp_path):
    return write_extract(make_extract(patients=200, admissions=400), tmp_path)


def test_what_is_suggested_can_be_read_and_fits(files, pseudo, tmp_path):
    done = pseudo("policy", "suggest", files.admissions, "--project", "asthma")
    assert done.code == ExitCode.OK, done.err
    assert parse_policy(done.out).address == "asthma/admissions@1"
    (tmp_path / "suggested.yaml").write_text(done.out)
    fits = pseudo("policy", "check", "suggested.yaml", "--input", files.admissions)
    assert fits.code == ExitCode.OK
    assert "nhs_number as patient_pseudonym: pseudonymised" in fits.out
    assert "review: diagnosis" in fits.out


def test_no_value_of_the_table_is_suggested(files, pseudo):
    done = pseudo("policy", "suggest", files.patients, "--project", "asthma")
    assert "999" not in done.out
    assert "forename: {treatment: drop}" in done.out


def test_the_release_is_named_after_the_file_or_as_told(files, pseudo, tmp_path):
    odd = files.patients.rename(tmp_path / "Patients (final) v2.csv")
    named = pseudo("policy", "suggest", odd, "--project", "asthma")
    assert "policy: asthma/patients-final-v2@1" in named.out
    told = pseudo("policy", "suggest", odd, "--project", "asthma", "--release", "gp")
    assert "policy: asthma/gp@1" in told.out


def test_a_project_that_cannot_be_is_refused(files, pseudo):
    done = pseudo("policy", "suggest", files.patients, "--project", "No!")
    assert done.code == ExitCode.USAGE
    assert "[INVALID_ARGUMENT]" in done.err


def test_a_policy_that_does_not_fit_the_table_is_refused(files, pseudo, tmp_path):
    (tmp_path / "patients.yaml").write_text(write_patients_policy("asthma"))
    done = pseudo("policy", "check", "patients.yaml", "--input", files.admissions)
    assert done.code == ExitCode.USAGE
    assert "[COLUMN_" in done.err
    assert done.out == ""


def test_check_in_json(files, pseudo, tmp_path):
    text = write_patients_policy("asthma")
    (tmp_path / "patients.yaml").write_text(text)
    answer = json.loads(pseudo("policy", "check", "patients.yaml", "--json").out)
    assert answer["policy"] == "asthma/patients@1"
    assert answer["digest"] == parse_policy(text).digest.hex()
    assert answer["review"] == []
    assert "forename: dropped" in answer["explanation"]
