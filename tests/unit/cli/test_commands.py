"""The table of commands says what the commands say, and importing them waits."""

import subprocess
import sys

import pytest

from pseudo_service.cli.commands import COMMANDS, load_command
from pseudo_service.cli.main import build_command

SERVICE = ("sqlalchemy", "numba", "pseudo_service.engine.tables", "nlp_redaction")
HEAVY = ("grpc", "pyarrow", "numpy", "sqlalchemy", "numba", "pydantic", "rich.console")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_repeats_the_command_s_own_help(name):
    entry = COMMANDS[name]
    own = load_command(name, entry).get_short_help_str(limit=200)
    assert own.rstrip(".") == entry.help.rstrip(".")


def test_loading_a_command_twice_adds_its_parts_once():
    audit = COMMANDS["audit"]
    assert load_command("audit", audit) is load_command("audit", audit)


def test_a_late_command_is_the_command_itself_when_it_is_used(pseudo):
    late, whole = build_command(), build_command(whole=True)
    assert list(late.commands) == list(whole.commands) == list(COMMANDS)
    assert "rotate" in pseudo("key", "--help").out


def test_the_first_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from pseudo_service.cli.main import run_command\n"
        "assert run_command(['--help']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_of_a_server_imports_no_service():
    code = (
        "import sys\n"
        "from pseudo_service.cli.main import run_command\n"
        "run_command(['project', 'list', '--server', 'localhost:1', '--ca', '/none'])\n"
        f"print([name for name in {SERVICE!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
