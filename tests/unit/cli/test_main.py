"""Exit codes, and the one line that every failure becomes."""

import os
import subprocess
import sys

import pytest

from pseudo_client import PseudoClientError, UnfinishedTable
from pseudo_client.errors import ServiceError, ServiceUnavailable
from pseudo_service.cli import main
from pseudo_service.cli.commands import load_command
from pseudo_service.cli.console.exit_codes import ExitCode, Failure, exit_code_of
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import AuditBroken, ProjectUnknown, StoreUnavailable

SECRET = "9990001234"


@pytest.mark.parametrize(
    ("error", "exit_code", "says"),
    [
        (Failure("do this"), ExitCode.USAGE, "pseudo: do this"),
        (Failure("bad", ExitCode.FAULTS_FOUND), ExitCode.FAULTS_FOUND, "bad"),
        (ProjectUnknown("no project"), ExitCode.REFUSED, "[PROJECT_UNKNOWN]"),
        (StoreUnavailable("locked"), ExitCode.UNAVAILABLE, "[STORE_UNAVAILABLE]"),
        (AuditBroken("cut"), ExitCode.FAULTS_FOUND, "[AUDIT_BROKEN]"),
        (
            ServiceUnavailable("away", code="STORE_UNAVAILABLE", request_id="r-1"),
            ExitCode.UNAVAILABLE,
            "away [STORE_UNAVAILABLE, request r-1]",
        ),
        (ServiceError("new", code="NEVER_HEARD"), ExitCode.REFUSED, "[NEVER_HEARD]"),
        (UnfinishedTable("no receipt"), ExitCode.REFUSED, "no receipt"),
        (PseudoClientError("odd"), ExitCode.REFUSED, "odd"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "interrupted"),
        (ValueError(f"value {SECRET}"), ExitCode.FAULTS_FOUND, "unexpected ValueError"),
        (MemoryError(SECRET), ExitCode.FAULTS_FOUND, "unexpected MemoryError"),
    ],
)
def test_every_failure_is_one_line_without_values(error, exit_code, says, capsys):
    assert main.explain(error) == exit_code
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert SECRET not in captured.err
    assert "Traceback" not in captured.err


def test_every_code_of_the_service_has_an_exit_code():
    assert {exit_code_of(code) for code in ErrorCode} == {
        ExitCode.FAULTS_FOUND,
        ExitCode.USAGE,
        ExitCode.REFUSED,
        ExitCode.UNAVAILABLE,
    }


def test_usage_errors_do_not_repeat_numbers(pseudo, service):
    done = pseudo("project", "show", "asthma", "999 000 1234")
    assert done.code == ExitCode.USAGE
    assert "999 000 1234" not in done.err
    assert "(number withheld)" in done.err


def test_an_interrupt_inside_a_command_exits_with_130(pseudo, service, monkeypatch):
    def interrupt(config):
        raise KeyboardInterrupt

    monkeypatch.setattr("pseudo_service.bootstrap.embedded.open_embedded", interrupt)
    done = pseudo("project", "list")
    assert done.code == ExitCode.INTERRUPTED
    assert "interrupted" in done.err


def test_a_client_that_cannot_be_imported_is_one_line_too(pseudo, monkeypatch):
    monkeypatch.setitem(sys.modules, "pseudo_client", None)
    for name in [
        name for name in sys.modules if name.startswith("pseudo_service.cli.")
    ]:
        if name.endswith(("tokens", "connection")):
            monkeypatch.delitem(sys.modules, name)
    load_command.cache_clear()
    done = pseudo("token", "issue")
    load_command.cache_clear()
    assert done.code == ExitCode.FAULTS_FOUND
    assert done.err == (
        "pseudo: unexpected ModuleNotFoundError; please report it with the command\n"
    )


def test_a_shell_s_completion_is_answered_without_a_word_more(tmp_path):
    words = {"_PSEUDO_COMPLETE": "complete_bash", "COMP_WORDS": "pseudo key ro"}
    done = subprocess.run(
        [sys.executable, "-c", "from pseudo_service.cli.main import main; main()"],
        env={**os.environ, **words, "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == (["rotate"], "")


def test_the_version_is_that_of_the_package(pseudo, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", {"pseudo": "1.2.3"}.get)
    done = pseudo("--version")
    assert (done.code, done.out) == (ExitCode.OK, "pseudo 1.2.3\n")


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["serve"],
        ["init"],
        ["project", "create"],
        ["key", "rotate"],
        ["policy", "register"],
        ["opt-outs", "load"],
        ["pseudonym", "check"],
        ["audit", "verify"],
        ["token", "issue"],
    ],
)
def test_every_help_has_an_example_of_itself(command, pseudo):
    done = pseudo(*command, "--help")
    assert done.code == ExitCode.OK
    examples = done.out.partition("Examples:\n")[2]
    assert examples.split("\n")[0].strip().startswith("pseudo " + " ".join(command))


def test_the_help_says_the_exit_codes(pseudo):
    text = " ".join(pseudo("--help").out.split())
    assert "0 done, 1 a verification failed" in text
    assert "4 unavailable (try again)" in text
