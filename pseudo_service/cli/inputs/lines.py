"""Short inputs: one line a value, from a file, a prompt or standard input."""

import sys
from pathlib import Path

import typer

from pseudo_service.cli.console.connection import read_text_file
from pseudo_service.cli.console.exit_codes import Failure


def read_lines(file: Path) -> list[tuple[int, str]]:
    """Read the lines that are not blank, each with its number from 1.

    Raises:
        Failure: The file cannot be read, or holds nothing.
    """
    text = sys.stdin.read() if str(file) == "-" else read_text_file(file, "FILE")
    stripped = (
        (number, line.strip()) for number, line in enumerate(text.splitlines(), 1)
    )
    lines = [(number, line) for number, line in stripped if line]
    if not lines:
        msg = f"{file}: no pseudonym in it; give one a line"
        raise Failure(msg)
    return lines


def read_identifier(file: Path | None) -> str:
    """Read one person's number from a file, a prompt or standard input.

    Raises:
        Failure: There is none, or more than one line.
    """
    if file is not None and str(file) != "-":
        text = read_text_file(file, "--identifier-file")
    elif sys.stdin.isatty():
        text = typer.prompt("The person's number", hide_input=True, err=True)
    else:
        text = sys.stdin.read()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        msg = "give exactly one number, on one line of --identifier-file or the input"
        raise Failure(msg)
    return lines[0]
