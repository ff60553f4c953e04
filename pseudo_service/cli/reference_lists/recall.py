"""``pseudo opt-outs recall``: released pseudonyms of people who are opted out now."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pseudo_client.register_values import RecallReport
from pseudo_service.cli.console.atomic_files import draft_text
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    connect,
    takes_connection,
)
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.console.output import count_of, warn
from pseudo_service.core.access.roles import Role

HEADER = "pseudonym\n"
Take = Callable[[Sequence[str]], object]


@takes_connection
def recall(
    options: ConnectionOptions,
    *,
    project: Annotated[str, typer.Option(help="Whose releases are looked through.")],
    purpose: Annotated[
        str, typer.Option(help="What it is for; auditors read it.")
    ] = "recall of opted-out patients",
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV file, written whole or not at all; otherwise standard output.",
        ),
    ] = None,
) -> None:
    """List the released pseudonyms of people who are opted out by the list in force.

    One column, ``pseudonym``, in every key version released under: what researchers
    have to delete. The totals go to standard error. Exits with 1 if operations left
    no record of the people they released: more pseudonyms may then have to go.
    """
    if output is not None and not output.parent.is_dir():
        msg = f"--output: {output.parent} is no folder; make it first"
        raise Failure(msg)
    roles = [f"{Role.LINKAGE_OFFICER}:{project}"]
    with connect(options, roles=roles) as client, _open_answer(output) as take:
        report = client.recall_opt_outs(project, purpose=purpose, take=take)
    _print_report(report)
    if report.unaccounted_operations:
        raise typer.Exit(ExitCode.FAULTS_FOUND)


@contextmanager
def _open_answer(output: Path | None) -> Iterator[Take]:
    """Yield what takes pseudonyms; the answer is there when all went well."""
    if output is None:
        lines: list[str] = []
        yield lines.extend
        sys.stdout.write(HEADER + "".join(f"{line}\n" for line in lines))
        return
    try:
        with draft_text(output) as file:
            file.write(HEADER)
            yield lambda some: file.writelines(f"{line}\n" for line in some)
    except OSError:
        msg = f"--output: {output} cannot be written; check its folder and the space"
        raise Failure(msg) from None


def _print_report(report: RecallReport) -> None:
    released = count_of(report.people_released, "NHS number")
    warn(
        f"{released} released with a pseudonym; {report.people_opted_out:,} opted out "
        f"by list {report.opt_out_list}; {count_of(report.pseudonyms, 'pseudonym')} "
        "to recall."
    )
    for operation in report.unaccounted_operations:
        warn(f"not accounted for: {operation}")
    if report.unaccounted_operations:
        warn(
            "These were cut off, or still run, and left no record of whom they "
            "released: see docs/adr/0014-disclosures.md."
        )
