"""The options of the command line."""

import argparse
from pathlib import Path

from nlp_redaction.commands.rows import STANDARD

_EXITS = (
    "Exit status: 0 done; 1 a file cannot be read or written, or no worker starts; 2 wrong options, "
    "settings, model or input, and nothing is left behind; 3 done, but some texts were "
    "refused and are withheld."
)
_ROWS = (
    'One JSON object a line: "id", "text" and perhaps "known", an object of lists: '
    '"names" of the patient, "people" around, "dates", "numbers", "addresses", '
    '"postcodes", "phones", "emails".'
)
_ROWS_TO_REDACT = (
    f'{_ROWS} "patient" says whose text it is, so that surrogates agree between texts; '
    '"shift_days" moves the dates of this one.'
)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m nlp_redaction``."""
    parser = argparse.ArgumentParser(
        prog="python -m nlp_redaction",
        description="Finds and replaces identifiers in clinical texts.",
        epilog=_EXITS,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_find(
        commands.add_parser(
            "find", help="say where identifiers are", description=_ROWS, epilog=_EXITS
        )
    )
    _add_redact(
        commands.add_parser(
            "redact",
            help="replace identifiers",
            description=_ROWS_TO_REDACT,
            epilog=_EXITS,
        )
    )
    _add_explain(
        commands.add_parser("explain", help="show what was found in a text, and why")
    )
    _add_evaluate(
        commands.add_parser("evaluate", help="hold a search against marked notes")
    )
    return parser


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        default="thorough",
        help="thorough, fast, rules, or the folder of a spaCy pipeline "
        "(default: thorough)",
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="TOML with the site's settings"
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input", default=STANDARD, metavar="FILE", help="- is standard input"
    )
    parser.add_argument(
        "--output",
        default=STANDARD,
        metavar="FILE",
        help="- is standard output; a file is there whole or not at all",
    )


def _add_find(parser: argparse.ArgumentParser) -> None:
    _add_search(parser)
    _add_files(parser)


def _add_redact(parser: argparse.ArgumentParser) -> None:
    _add_search(parser)
    _add_files(parser)
    parser.add_argument(
        "--replacement",
        choices=("tags", "masks", "surrogates"),
        default="tags",
        help="what stands in the place of an identifier (default: tags)",
    )
    parser.add_argument(
        "--dates",
        choices=("shift", "redact", "keep"),
        default="redact",
        help="what becomes of dates (default: redact)",
    )
    parser.add_argument(
        "--shift-days",
        type=int,
        metavar="DAYS",
        help="how far dates move where a line does not say",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="32 bytes, raw or hexadecimal, from which surrogates are drawn",
    )
    parser.add_argument(
        "--processes",
        type=_read_count,
        default=1,
        metavar="N",
        help="worker processes, each with a copy of the model; one that a text holds up "
        "is ended and the text withheld. 0 works in this process, without a time-out "
        "(default: 1)",
    )


def _add_explain(parser: argparse.ArgumentParser) -> None:
    _add_search(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "file", nargs="?", default=STANDARD, help="a text; - is standard input"
    )
    source.add_argument("--text", help="the text itself")
    parser.add_argument(
        "--known", type=Path, metavar="FILE", help='JSON of "known", as for find'
    )
    parser.add_argument("--html", metavar="FILE", help="write the same as a page")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_search(parser)
    parser.add_argument(
        "gold",
        nargs="+",
        type=Path,
        help="marked notes: JSON lines with spans, or .txt with inline marks",
    )
    parser.add_argument(
        "--html", metavar="PAGE", help="misses and false flags to look at"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="the figures; - in the table's place"
    )


def _read_count(text: str) -> int:
    count = int(text)
    if count < 0:
        message = "must be 0 or more"
        raise argparse.ArgumentTypeError(message)
    return count
