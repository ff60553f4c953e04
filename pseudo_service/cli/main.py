"""The command ``pseudo``: registers the commands and turns failures into lines.

Whatever happens, a person sees one line that says what, where and what to do, and
a script sees a documented exit code; a traceback could carry a value.
"""

import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pseudo_client import PseudoClientError
from pseudo_service.cli import init, pseudonyms, register, serve, tokens
from pseudo_service.cli.audit import command as audit
from pseudo_service.cli.audit import evidence, queries
from pseudo_service.cli.console.exit_codes import (
    EXIT_CODES_HELP,
    ExitCode,
    Failure,
    exit_code_of,
    withhold_numbers,
)
from pseudo_service.cli.console.output import complain
from pseudo_service.cli.demo import command as demo
from pseudo_service.cli.linkage import requests as linkage
from pseudo_service.cli.manifest import command as manifest
from pseudo_service.cli.projects import closing, keys, policies, version_map
from pseudo_service.cli.projects import command as projects
from pseudo_service.cli.reference_lists import opt_outs, superseded
from pseudo_service.cli.run import command as run
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import PseudoError

app = typer.Typer(
    name="pseudo",
    help="Pseudonymise and de-identify health data for research.",
    epilog=EXIT_CODES_HELP + " Begin with `pseudo demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(epilog=demo.EXAMPLES)(demo.demo)
app.command("init", epilog=init.EXAMPLES)(init.initialise)
app.command(epilog=serve.EXAMPLES)(serve.serve)
closing.register(projects.app)
app.add_typer(projects.app, name="project")
version_map.register(keys.app)
app.add_typer(keys.app, name="key")
app.add_typer(policies.app, name="policy")
app.add_typer(opt_outs.app, name="opt-outs")
app.add_typer(superseded.app, name="aliases")
app.command(epilog=run.EPILOG)(run.run)
app.add_typer(manifest.app, name="manifest")
app.add_typer(pseudonyms.app, name="pseudonym")
app.add_typer(register.app, name="register")
app.add_typer(linkage.app, name="linkage")
queries.register(audit.app)
evidence.register(audit.app)
app.add_typer(audit.app, name="audit")
app.add_typer(tokens.app, name="token")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pseudo {importlib.metadata.version('pseudo')}")
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


def main() -> None:
    """Run ``pseudo`` with the command line's arguments and exit."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    command = typer.main.get_command(app)
    try:
        result = command.main(
            args=list(arguments), prog_name="pseudo", standalone_mode=False
        )
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
            complain(message)
            return exit_code
        case PseudoError() | PseudoClientError():
            return _explain_refusal(error)
        case TyperException():
            complain(f"{withhold_numbers(error.format_message())} (see --help)")
            return ExitCode.USAGE
        case KeyboardInterrupt() | Abort():
            complain("interrupted; everything that was started has stopped")
            return ExitCode.INTERRUPTED
        case BrokenPipeError():
            # Whoever read the answer, `head` for example, has seen enough.
            return ExitCode.OK
        case _:
            pass
    # The text of an unforeseen error may hold a value; its type does not.
    complain(f"unexpected {type(error).__name__}; please report it with the command")
    return ExitCode.FAULTS_FOUND


def _explain_refusal(error: PseudoError | PseudoClientError) -> ExitCode:
    if isinstance(error, PseudoError):
        complain(f"{error.message} [{error.code}]")
        return exit_code_of(error.code, found_here=True)
    request = f", request {error.request_id}" if error.request_id else ""
    complain(f"{error.message} [{error.code}{request}]")
    if error.retryable:
        return ExitCode.UNAVAILABLE
    known = error.code in ErrorCode.__members__
    return exit_code_of(ErrorCode(error.code)) if known else ExitCode.REFUSED
