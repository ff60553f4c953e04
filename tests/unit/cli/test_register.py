"""The register's maintenance from the command line."""

# ruff: noqa: ARG002, ARG005 - the fake takes what the client takes

import io
import json
import sys

import pytest

from pseudo_client import (
    CompactionReport,
    ErasureReport,
    RegisterFault,
    RegisterProgress,
    RegisterVerdict,
)
from pseudo_service.cli.console import connection
from pseudo_service.cli.console.exit_codes import ExitCode
from tests.lib.values.cohort import make_numbers

NUMBERS = make_numbers(90_000, 2)
FAULT = RegisterFault(fault="segment_mac", where="ab" * 16)


class CaringClient:
    """Answers as a service would, and keeps what was asked."""

    def __init__(self, faults=()):
        self.faults = tuple(faults)
        self.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def verify_register(self, *, watch):
        watch(RegisterProgress(segments=7, identities=20_000))
        return RegisterVerdict(
            segments=7,
            identities=20_000,
            distinct_identities=19_990,
            data_keys=3,
            memberships=5,
            faults=self.faults,
        )

    def compact_register(self, *, reason, watch):
        self.asked.append(reason)
        return CompactionReport(
            segments_before=20_000,
            segments_after=1,
            data_keys_before=1000,
            data_keys_after=2,
            memberships_before=9,
            memberships_after=3,
            identities=19_990,
            faults=self.faults,
        )

    def erase_identities(self, identifiers, *, kind, order):
        self.asked.append((list(identifiers), kind, order))
        return ErasureReport(erased=1, not_registered=len(identifiers) - 1)


@pytest.fixture
def caring(service, monkeypatch):
    client = CaringClient()
    monkeypatch.setattr(connection, "Client", lambda address, **options: client)
    return client


def test_a_sound_register_is_called_whole(service, caring, pseudo):
    done = pseudo("register", "verify")
    assert done.code == ExitCode.OK
    assert "The register is whole" in done.out
    assert "19,990" in done.out
    assert service.roles == [["custodian"]]


def test_faults_are_named_and_are_the_exit_code(caring, pseudo):
    caring.faults = (FAULT,)
    for command in (("verify",), ("compact", "--reason", "maintenance")):
        done = pseudo("register", *command)
        assert done.code == ExitCode.FAULTS_FOUND
        assert FAULT.where in done.out
        listed = json.loads(pseudo("register", *command, "--json").out)
        assert listed["faults"] == [{"fault": "segment_mac", "where": FAULT.where}]


def test_compaction_says_before_and_after(caring, pseudo):
    done = pseudo("register", "compact", "--reason", "maintenance")
    assert done.code == ExitCode.OK
    assert "20,000 before, 1 now" in done.out
    assert caring.asked == ["maintenance"]


def test_people_to_erase_come_from_a_file_after_a_question(
    caring, pseudo, tmp_path, monkeypatch
):
    people = tmp_path / "people.txt"
    people.write_text("\n".join(NUMBERS) + "\n\n")
    command = ("register", "erase", people, "--order", "DPO-1")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert pseudo(*command).code == ExitCode.INTERRUPTED
    assert caring.asked == []
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    done = pseudo(*command)
    assert done.code == ExitCode.OK
    assert caring.asked == [(NUMBERS, "nhs_number", "DPO-1")]
    assert not any(number in done.out + done.err for number in NUMBERS)


def test_people_to_erase_come_from_standard_input_with_consent(
    caring, pseudo, monkeypatch
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(NUMBERS)))
    assert pseudo("register", "erase", "-", "--order", "DPO-1").code != ExitCode.OK
    assert caring.asked == []
    done = pseudo("register", "erase", "-", "--order", "DPO-1", "--yes", "--json")
    assert json.loads(done.out) == {"erased": 1, "not_registered": 1}


def test_an_empty_file_erases_nobody(caring, pseudo, tmp_path):
    people = tmp_path / "people.txt"
    people.write_text("\n")
    done = pseudo("register", "erase", people, "--order", "DPO-1", "--yes")
    assert done.code != ExitCode.OK
    assert caring.asked == []
