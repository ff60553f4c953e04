"""Every command that a document shows exists, with these words and options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pseudo_service.cli.main import build_command

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".hypothesis", ".pytest_cache", "node_modules", ".venv", "build"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not NOT_OURS & set(path.relative_to(ROOT).parts)
)
HELP_WIDTH = 88
SHELL_BLOCK = re.compile(r"^ *```(?:sh|bash)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
TEXT_BLOCK = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
IN_BACKTICKS = re.compile(r"`(pseudo [^`\n]+)`")
OPTION = re.compile(r"--[a-z][a-z-]*")
# Words that stand for a choice among commands, as in `pseudo register verify|compact`.
ALTERNATIVES = re.compile(r"[a-z-]+(?:\|[a-z-]+)+")


def make_context(command: Any, name: str, parent: Any = None) -> Any:
    return command.context_class(
        command,
        info_name=name,
        parent=parent,
        terminal_width=HELP_WIDTH,
        max_content_width=HELP_WIDTH,
    )


def find_shown(text: str) -> Iterator[list[str]]:
    """Yield the words of each ``pseudo`` command of a document, in code and prose."""
    for block in SHELL_BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from find_in_line(line)
    for quoted in IN_BACKTICKS.findall(FENCED.sub("", text)):
        yield from find_in_line(quoted)


def find_in_line(line: str) -> Iterator[list[str]]:
    words = list(shlex.shlex(line, posix=True, punctuation_chars="&|;<>"))
    if ALTERNATIVES.search(line):
        words = split_plainly(line)
    here: list[str] = []
    for word in [*words, "&&"]:
        if word and not set(word) <= set("&|;<>"):
            here.append(word)
        else:
            if here[:1] == ["pseudo"]:
                yield here
            here = []


def split_plainly(line: str) -> list[str]:
    return line.partition(" #")[0].split()


def find_faults(words: list[str]) -> Iterator[str]:
    """Walk the commands along the words, then look each option up."""
    command: Any = build_command(whole=True)
    context = make_context(command, "pseudo")
    rest = words[1:]
    while rest and hasattr(command, "list_commands") and not rest[0].startswith("-"):
        first, *more = rest[0].split("|")
        if any(command.get_command(context, each) is None for each in more):
            yield f"no command among {rest[0]}"
        found = command.get_command(context, first)
        if found is None:
            yield f"no command {first}"
            return
        command, rest = found, rest[1:]
        context = make_context(command, first, context)
    known = {"--help"} | {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in rest:
        for option in OPTION.findall(word) if word.startswith("--") else []:
            if option not in known:
                yield f"no option {option}"


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_that_is_shown_exists(path: Path) -> None:
    faults = [
        f"{' '.join(words)}: {fault}"
        for words in find_shown(path.read_text(encoding="utf-8"))
        for fault in find_faults(words)
    ]
    assert faults == []


def test_the_readme_shows_many_commands() -> None:
    shown = list(find_shown((ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(shown) > 15
    assert any(len(words) > 8 for words in shown), "continued lines are read, too"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("pseudo demo --outptu x", "no option --outptu"),
        ("pseudo projects list", "no command projects"),
        ("cd x && pseudo project create a --titel b", "no option --titel"),
        ("pseudo register verify|compcat", "no command among verify|compcat"),
    ],
)
def test_a_mistake_would_be_found(line: str, fault: str) -> None:
    (words,) = find_in_line(line)
    assert list(find_faults(words)) == [fault]


def list_help_texts(
    command: Any, name: str = "pseudo", parent: Any = None
) -> Iterator[str]:
    context = make_context(command, name, parent)
    yield command.get_help(context).strip()
    for each in command.list_commands(context) if hasattr(command, "commands") else ():
        yield from list_help_texts(command.get_command(context, each), each, context)


def test_a_quoted_help_text_is_the_real_one() -> None:
    quoted = [
        (name_of(path), block.strip())
        for path in DOCUMENTS
        for block in TEXT_BLOCK.findall(path.read_text(encoding="utf-8"))
        if block.startswith("Usage: pseudo")
    ]
    real = set(list_help_texts(build_command(whole=True)))
    assert quoted, "the tutorial quotes what `pseudo --help` prints"
    assert [name for name, text in quoted if text not in real] == []
