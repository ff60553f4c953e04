"""``pseudo serve``: runs the service until it is told to stop."""

from pathlib import Path
from typing import Annotated

import typer

from pseudo_service.bootstrap import processes
from pseudo_service.cli.console.exit_codes import Failure, show_examples

EXAMPLES = show_examples(
    "pseudo serve --config pseudo.yaml",
    "pseudo serve --config /etc/pseudo/pseudo.yaml --workers 4",
)


def serve(
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="PSEUDO_CONFIG",
            help="The service's configuration.",
        ),
    ] = Path("pseudo.yaml"),
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processes; overrides the configuration."),
    ] = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C, then drain and stop."""
    if not config.is_file():
        msg = f"no configuration {config}: `pseudo init DIR` writes one"
        raise Failure(msg)
    raise typer.Exit(processes.serve(config, workers))
