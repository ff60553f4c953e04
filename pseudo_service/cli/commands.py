"""The commands of ``pseudo``, each imported when it is asked for.

A command brings the service, Arrow and gRPC with it. ``pseudo --help`` and a wrong
word on the command line need none of them and answer at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperCommand

_ROOT = "pseudo_service.cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """Where one command of ``pseudo`` is, and what ``pseudo --help`` says of it.

    ``function`` names the function of a single command; a group of commands has
    none, and its module's ``app``. ``parts`` are modules that add commands to it.
    ``help`` repeats the command's own first sentence; a test compares them.
    """

    module: str
    help: str
    function: str = ""
    parts: tuple[str, ...] = ()


COMMANDS: Mapping[str, CommandEntry] = {
    "demo": CommandEntry(
        module="demo.command",
        function="demo",
        help="Show the service at work: invented data, two projects, and what "
        "is refused.",
    ),
    "init": CommandEntry(
        module="init",
        function="initialise",
        help="Write a commented laptop configuration.",
    ),
    "serve": CommandEntry(
        module="serve",
        function="serve",
        help="Run the service until SIGTERM or Ctrl-C, then drain and stop.",
    ),
    "run": CommandEntry(
        module="run.command",
        function="run",
        help="De-identify files into Parquet parts, each with a signed receipt.",
    ),
    "project": CommandEntry(
        module="projects.command",
        parts=("projects.closing",),
        help="Make, list, suspend and resume projects.",
    ),
    "key": CommandEntry(
        module="projects.keys",
        parts=("projects.version_map",),
        help="The key versions of a project.",
    ),
    "policy": CommandEntry(
        module="projects.policies", help="Write, explain and register policies."
    ),
    "opt-outs": CommandEntry(
        module="reference_lists.opt_outs", help="The national data opt-out list."
    ),
    "aliases": CommandEntry(
        module="reference_lists.superseded",
        help="Superseded and re-issued NHS numbers.",
    ),
    "manifest": CommandEntry(
        module="manifest.command", help="Prove what a run has left."
    ),
    "pseudonym": CommandEntry(
        module="pseudonyms", help="Check pseudonyms from elsewhere."
    ),
    "register": CommandEntry(
        module="register", help="Verify, compact and erase from the register."
    ),
    "linkage": CommandEntry(
        module="linkage.requests",
        help="Re-identify, translate and locate people, with four eyes on each.",
    ),
    "audit": CommandEntry(
        module="audit.command",
        parts=("audit.queries", "audit.evidence"),
        help="Prove, export and anchor the audit trail.",
    ),
    "token": CommandEntry(module="tokens", help="Access tokens of the local issuer."),
}


class LateCommand(TyperCommand):
    """Stands for a command until somebody runs it or asks for its help."""

    def __init__(self, name: str, entry: CommandEntry) -> None:
        super().__init__(name, help=entry.help)
        self._entry = entry

    def load(self) -> Any:
        """Import the command and return it."""
        return load_command(str(self.name), self._entry)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Answer for the command itself: everything from here on is its own."""
        return self.load().make_context(*args, **extra)


@cache
def load_command(name: str, entry: CommandEntry) -> Any:
    """Import a command's modules and return the command."""
    module = _import(entry.module)
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    if entry.function:
        function = getattr(module, entry.function)
        app.command(name, epilog=module.EXAMPLES)(function)
    else:
        for part in entry.parts:
            _import(part).register(module.app)
        app.add_typer(module.app, name=name)
    return typer.main.get_group(app).commands[name]


def _import(module: str) -> ModuleType:
    return import_module(f"{_ROOT}.{module}")
