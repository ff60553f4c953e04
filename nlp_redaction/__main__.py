"""``python -m nlp_redaction``: find, redact, explain, evaluate."""

import argparse
import functools
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nlp_redaction.commands.arguments import make_parser
from nlp_redaction.commands.rows import STANDARD, open_input, open_output
from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.errors import (
    ModelMissing,
    SettingsRefused,
    TextRefused,
    WorkersUnavailable,
)
from nlp_redaction.evaluation.cases import GoldRefused
from nlp_redaction.jsonl import BrokenInput, read_known
from nlp_redaction.settings import Settings
from nlp_redaction.workers.worker_main import forbid_core_dumps

DONE: Final = 0
BROKEN_OFF: Final = 1
NOT_POSSIBLE: Final = 2
SOME_WITHHELD: Final = 3
INTERRUPTED: Final = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = make_parser().parse_args(arguments)
    forbid_core_dumps()
    try:
        return _COMMANDS[options.command](options)
    except (BrokenInput, GoldRefused, SettingsRefused, ModelMissing) as error:
        _print_error(str(error))
        return NOT_POSSIBLE
    except WorkersUnavailable as error:
        _print_error(str(error))
        return BROKEN_OFF
    except BrokenPipeError:
        # Who reads has had enough; Python would complain once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_OFF
    except OSError as error:
        _print_error(f"A file cannot be read or written: {error.strerror}.")
        return BROKEN_OFF
    except KeyboardInterrupt:
        return INTERRUPTED


def _find(options: argparse.Namespace) -> int:
    from nlp_redaction.commands.find import run_find  # noqa: PLC0415 - loads models
    from nlp_redaction.pipeline import Finder  # noqa: PLC0415 - loads models

    finder = Finder(options.mode, _read_settings(options))
    return _report_withheld(run_find(finder, options.input, options.output))


def _redact(options: argparse.Namespace) -> int:
    from nlp_redaction.commands.redact import (  # noqa: PLC0415 - loads models
        Choices,
        read_key,
        run_redact,
    )
    from nlp_redaction.replacement import Style  # noqa: PLC0415 - as above
    from nlp_redaction.workers import WorkerPool  # noqa: PLC0415 - as above

    _check_redact(options)
    settings = _read_settings(options)
    key = None if options.key_file is None else read_key(options.key_file)
    choices = Choices(shift_days=options.shift_days, key=key)
    style = Style(
        mode=options.mode, replacement=options.replacement, dates=options.dates
    )
    with WorkerPool(settings, options.processes) as pool:
        pool.prepare(options.mode)
        run = functools.partial(pool.redact_all, style=style)
        return _report_withheld(run_redact(run, choices, options.input, options.output))


def _check_redact(options: argparse.Namespace) -> None:
    if options.replacement == "surrogates" and options.key_file is None:
        message = "Surrogates need a key: give --key-file."
        raise SettingsRefused(message)


def _explain(options: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415 - loads models

    from nlp_redaction.commands.explain import show, write_page  # noqa: PLC0415
    from nlp_redaction.commands.explanation import explain  # noqa: PLC0415
    from nlp_redaction.pipeline import Finder  # noqa: PLC0415

    text = _read_text(options)
    finder = Finder(options.mode, _read_settings(options))
    try:
        explanation = explain(finder, text, _read_known(options.known))
    except TextRefused as refusal:
        _print_error(f"The text is refused ({refusal.refusal.value}): {refusal}")
        return SOME_WITHHELD
    show(explanation, Console())
    if options.html is not None:
        with open_output(options.html) as file:
            file.write(write_page(explanation).encode("utf-8"))
    return DONE


def _evaluate(options: argparse.Namespace) -> int:
    from nlp_redaction.commands.evaluate import run_evaluate  # noqa: PLC0415 - as above
    from nlp_redaction.pipeline import Finder  # noqa: PLC0415 - loads models

    finder = Finder(options.mode, _read_settings(options))
    report = run_evaluate(
        finder, options.gold, mode=options.mode, page=options.html, figures=options.json
    )
    return SOME_WITHHELD if report.refused else DONE


def _read_settings(options: argparse.Namespace) -> Settings:
    return Settings() if options.settings is None else Settings.read(options.settings)


def _read_text(options: argparse.Namespace) -> str:
    if options.text is not None:
        return str(options.text)
    with open_input(options.file or STANDARD) as file:
        content = file.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "The text is not UTF-8."
        raise SettingsRefused(message) from None


def _read_known(path: Path | None) -> KnownIdentifiers:
    if path is None:
        return NOTHING_KNOWN
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except ValueError:
        message = "The file of known identifiers is not JSON."
        raise SettingsRefused(message) from None
    return read_known(1, content)


def _report_withheld(withheld: Counter[str]) -> int:
    if not withheld:
        return DONE
    by_code = ", ".join(f"{code} {count:,}" for code, count in sorted(withheld.items()))
    _print_error(f"Texts refused and withheld: {withheld.total():,} ({by_code}).")
    return SOME_WITHHELD


def _print_error(message: str) -> None:
    sys.stderr.write(f"{message}\n")


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "find": _find,
    "redact": _redact,
    "explain": _explain,
    "evaluate": _evaluate,
}

if __name__ == "__main__":
    sys.exit(main())
