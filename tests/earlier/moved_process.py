"""The child's side of a `Console`: moves its clock, then answers command lines.

Requests and opt-out lists expire within a month, and the product has no setting for
its clock. So Python's own clock is moved, before anything of the product is imported:
this file imports the standard library alone.
"""

import contextlib
import datetime as dt
import importlib.metadata
import io
import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
AHEAD = "PSEUDO_TEST_SECONDS_AHEAD"
SERVE = "serve"


def answer_lines() -> None:
    """Answer each command line of standard input; the child's side of `Console`."""
    if ahead := float(os.environ[AHEAD]):
        move_clock(dt.timedelta(seconds=ahead))
    with os.fdopen(os.dup(1), "w") as channel:
        os.dup2(2, 1)  # nothing else may write between the answers
        for line in sys.stdin:
            arguments = json.loads(line)
            answer = run_command(arguments)
            channel.write(json.dumps(answer) + "\n")
            channel.flush()


def run_command(arguments: list[str]) -> dict[str, object]:
    main = load_main()
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["pseudo", *arguments]
    # A server logs for as long as it lives, to where the process writes.
    shown = () if arguments[0] == SERVE else (out, err)
    code: object = 0
    with contextlib.ExitStack() as stack:
        if shown:
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def load_main() -> Any:
    """Return what the command ``pseudo`` of ``pyproject.toml`` runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    value = project["scripts"]["pseudo"]
    return importlib.metadata.EntryPoint("pseudo", value, "console_scripts").load()


def move_clock(ahead: dt.timedelta) -> None:
    """Move ``datetime.now``, for what is imported from now on."""
    real = dt.datetime

    class AnyDatetime(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

    class MovedDatetime(real, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return super().now(tz) + ahead

    dt.datetime = MovedDatetime  # type: ignore[misc]
