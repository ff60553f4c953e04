"""Projects, keys and policies from the command line."""

import json

import pytest

from pseudo_service.cli.console.exit_codes import ExitCode
from pseudo_service.cli.demo.policies import write_patients_policy

CREATE = (
    "project", "create", "asthma", "--title", "Asthma outcomes",
    "--opt-outs", "applied", "--legal-basis", "section 251 support",
)  # fmt: skip


def test_a_project_is_made_as_custodian_and_shown(service, pseudo):
    done = pseudo(*CREATE)
    assert done.code == ExitCode.OK
    assert "7K2M (begins each of its pseudonyms)" in done.out
    assert "up to 52 weeks, past" in done.out
    assert service.roles == [["custodian"]]
    assert service.closed == 1
    assert service.connections[0]["root_certificates"] == b"authority"


def test_what_is_fixed_for_life_is_passed_on(service, pseudo):
    done = pseudo(
        *CREATE, "--shift-unit", "days", "--shift-bound", "90",
        "--shift-direction", "both", "--uncheckable", "keep",
        "--daily-quota", "1000", "--json",
    )  # fmt: skip
    answer = json.loads(done.out)
    assert answer["date_shift"] == {"unit": "days", "bound": 90, "direction": "both"}
    assert answer["opt_outs"]["uncheckable"] == "keep"
    assert answer["daily_quota"] == 1000
    assert answer["key_versions"][0]["check_value"] == "0102"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (("--shift-bound", "1"), "date shift bound"),
        (("--legal-basis", "x"), "legal basis"),
    ],
)
def test_impossible_rules_are_refused_before_anything_starts(
    service, pseudo, changes, says
):
    done = pseudo(*CREATE, *changes)
    assert done.code == ExitCode.USAGE
    assert says in done.err
    assert service.connections == []


def test_a_refusal_of_the_service_is_one_line_with_its_code(service, pseudo):
    pseudo(*CREATE)
    done = pseudo(*CREATE)
    assert done.code == ExitCode.REFUSED
    assert done.err.splitlines() == ["pseudo: project: made before [PROJECT_EXISTS]"]
    assert done.out == ""


def test_projects_are_listed_suspended_and_resumed(service, pseudo):
    assert "No project yet" in pseudo("project", "list").out
    pseudo(*CREATE)
    suspended = pseudo("project", "suspend", "asthma", "--reason", "lapsed", "--json")
    assert json.loads(suspended.out)["state"] == "suspended"
    assert "suspended" in pseudo("project", "list").out
    resumed = pseudo("project", "resume", "asthma", "--reason", "renewed")
    assert "active" in resumed.out
    listed = json.loads(pseudo("project", "list", "--json").out)
    assert [each["project"] for each in listed["projects"]] == ["asthma"]
    assert (
        json.loads(pseudo("project", "show", "asthma", "--json").out)
        == (listed["projects"][0])
    )


def test_an_unknown_project_is_refused(service, pseudo):
    done = pseudo("project", "show", "nobody")
    assert (done.code, done.out) == (ExitCode.REFUSED, "")
    assert "[PROJECT_UNKNOWN]" in done.err


def test_keys_are_rotated_from_the_version_that_is_named(service, pseudo):
    pseudo(*CREATE)
    done = pseudo(
        "key", "rotate", "asthma", "--current-version", "1", "--reason", "yearly"
    )
    assert "key version 2 from now on" in done.out
    shown = json.loads(pseudo("project", "show", "asthma", "--json").out)
    assert [each["version"] for each in shown["key_versions"]] == [1, 2]


def test_a_rotation_needs_a_reason(service, pseudo):
    done = pseudo("key", "rotate", "asthma", "--current-version", "1")
    assert done.code == ExitCode.USAGE
    assert "--reason" in done.err


def test_a_policy_is_registered_listed_and_shown(service, pseudo, tmp_path):
    file = tmp_path / "patients.yaml"
    file.write_text(write_patients_policy("asthma"))
    done = pseudo("policy", "register", file, "--json")
    assert json.loads(done.out)["policy"] == "asthma/patients@1"
    assert "asthma/patients@1" in pseudo("policy", "list", "asthma").out
    shown = pseudo("policy", "show", "asthma", "patients@1")
    assert shown.out == file.read_text()


def test_a_policy_that_cannot_be_read_is_refused_here(service, pseudo, tmp_path):
    file = tmp_path / "patients.yaml"
    file.write_text("policy: asthma/patients@1\ncolumnz: {}\n")
    done = pseudo("policy", "register", file)
    assert done.code == ExitCode.USAGE
    assert "[POLICY_INVALID]" in done.err
    assert service.connections == []
