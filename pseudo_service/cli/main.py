"""The command ``pseudo``: registers the commands and turns failures into lines.

Whatever happens, a person sees one line that says what, where and what to do, and
a script sees a documented exit code; a traceback could carry a value.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from pseudo_service.adapters.core_dumps import forbid_core_dumps
from pseudo_service.cli.commands import COMMANDS, LateCommand
from pseudo_service.cli.console.exit_codes import (
    EXIT_CODES_HELP,
    ExitCode,
    Failure,
    exit_code_of,
    withhold_numbers,
)
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import PseudoError

if TYPE_CHECKING:
    from pseudo_client import PseudoClientError

app = typer.Typer(
    name="pseudo",
    help="Pseudonymise and de-identify health data for research.",
    epilog=EXIT_CODES_HELP + " Begin with `pseudo demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - only for this

        typer.echo(f"pseudo {version('pseudo')}")
        raise typer.Exit


@app.callback()
def pseudo(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Pseudonymise and de-identify health data for research."""
    del version


def build_command(*, whole: bool = False) -> TyperGroup:
    """Return ``pseudo`` with its commands: imported if ``whole``, else when used."""
    command = cast("TyperGroup", typer.main.get_command(app))
    for name, entry in COMMANDS.items():
        late = LateCommand(name, entry)
        command.add_command(late.load() if whole else late)
    return command


def main() -> None:
    """Run ``pseudo`` with the command line's arguments and exit."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    forbid_core_dumps()  # a command holds keys and identifiers, as a server does
    try:
        result = build_command().main(
            args=list(arguments), prog_name="pseudo", standalone_mode=False
        )
    except SystemExit as done:  # so typer ends a shell's completion
        return done.code if isinstance(done.code, int) else ExitCode.OK
    except BaseException as error:  # noqa: BLE001 - the last line of defence
        return explain(error)
    if result == ExitCode.INTERRUPTED:
        # Typer has caught the interrupt and made a number of it.
        return explain(KeyboardInterrupt())
    return result if isinstance(result, int) else ExitCode.OK


def explain(error: BaseException) -> ExitCode:
    """Say an error in one line and return the exit code for it."""
    match error:
        case Failure(message=message, exit_code=exit_code):
            return _complain(message, exit_code)
        case PseudoError():
            line = f"{error.message} [{error.code}]"
            return _complain(line, exit_code_of(error.code, found_here=True))
        case TyperException():
            line = f"{withhold_numbers(error.format_message())} (see --help)"
            return _complain(line, ExitCode.USAGE)
        case KeyboardInterrupt() | Abort():
            line = "interrupted; everything that was started has stopped"
            return _complain(line, ExitCode.INTERRUPTED)
        case BrokenPipeError():
            # Whoever read the answer, `head` for example, has seen enough.
            return ExitCode.OK
        case _:
            return _explain_other(error)


def _explain_other(error: BaseException) -> ExitCode:
    # What was never imported has raised nothing, and importing it may be what failed.
    client = sys.modules.get("pseudo_client")
    if client is not None and isinstance(error, client.PseudoClientError):
        return _complain(*_explain_refusal(cast("PseudoClientError", error)))
    # The text of an unforeseen error may hold a value; its type does not.
    line = f"unexpected {type(error).__name__}; please report it with the command"
    return _complain(line, ExitCode.FAULTS_FOUND)


def _explain_refusal(error: "PseudoClientError") -> tuple[str, ExitCode]:
    request = f", request {error.request_id}" if error.request_id else ""
    line = f"{error.message} [{error.code}{request}]"
    if error.retryable:
        return line, ExitCode.UNAVAILABLE
    known = error.code in ErrorCode.__members__
    return line, exit_code_of(ErrorCode(error.code)) if known else ExitCode.REFUSED


def _complain(line: str, exit_code: ExitCode) -> ExitCode:
    # Late, because rich takes a third of the time in which ``--help`` answers.
    from pseudo_service.cli.console.output import complain  # noqa: PLC0415

    complain(line)
    return exit_code
