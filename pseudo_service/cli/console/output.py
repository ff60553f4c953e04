"""What commands print: sentences, tables and JSON, plain if there is no terminal.

Standard output carries the answer, standard error what went wrong, so that a
pipe receives only answers.
"""

import json
import sys
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_WIDTH = 80
_WIDEST = 100
_UNBOUNDED = 1000


def _make_console(*, errors: bool = False) -> Console:
    """Return a console: 80 columns and no colours unless it is a terminal."""
    stream = sys.stderr if errors else sys.stdout
    console = Console(file=stream, highlight=False, emoji=False, markup=False)
    width = min(console.width, _WIDEST) if console.is_terminal else _WIDTH
    console.width = max(width, _WIDTH)
    return console


def say(text: str = "", *, style: str | None = None) -> None:
    """Print a sentence, wrapped at the console's width."""
    _print(Text(text, style=style or ""))


def say_field(name: str, value: str) -> None:
    """Print ``name  value`` on one line, never wrapped, so that it can be copied."""
    _make_console().print(Text(f"{name:<13} {value}"), soft_wrap=True)


def complain(text: str) -> None:
    """Print one line about what went wrong to standard error."""
    line = Text("pseudo: ", style="bold red").append(text, style="not bold default")
    _make_console(errors=True).print(line, soft_wrap=True)


def warn(text: str) -> None:
    """Print a remark to standard error; the command goes on."""
    _make_console(errors=True).print(Text(text, style="yellow"), soft_wrap=True)


def show_json(value: object) -> None:
    """Print one JSON document with sorted keys."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def show_json_line(value: Mapping[str, object]) -> None:
    """Print one JSON object on one line, for long lists."""
    sys.stdout.write(json.dumps(value, sort_keys=True, default=str) + "\n")


def show_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str | None = None,
    numbers: frozenset[str] = frozenset(),
    whole: frozenset[str] = frozenset(),
) -> None:
    """Print a table; ``numbers`` are the headers whose columns align right.

    Cells that do not fit are folded, not cut: a pseudonym is shown whole. Those under
    the headers ``whole`` are never folded, so that an id can be copied.
    """
    table = Table(
        box=box.SIMPLE_HEAD if _make_console().is_terminal else None,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
    )
    for header in headers:
        right = header in numbers
        table.add_column(
            header,
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=header in whole,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _print(table, is_whole=bool(whole))


def _print(renderable: RenderableType, *, is_whole: bool = False) -> None:
    """Print; where it is not a terminal, without the blanks that fill lines up."""
    console = _make_console()
    if console.is_terminal:
        console.print(renderable)
        return
    if is_whole:  # a file has no edge at which to fold
        unbounded = console.options.update(width=_UNBOUNDED)
        needed = console.measure(renderable, options=unbounded).maximum
        console.width = max(console.width, needed)
    with console.capture() as capture:
        console.print(renderable)
    for line in capture.get().splitlines():
        console.file.write(line.rstrip() + "\n")


def count(number: int) -> str:
    """Write a number with thousands separated: ``20,000``."""
    return f"{number:,}"


def count_of(number: int, noun: str) -> str:
    """Write a number of things: ``1 chain``, ``20,000 rows``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
