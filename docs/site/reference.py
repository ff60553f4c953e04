"""Write the reference pages from the code, so that no page can fall behind it.

The command line is read from the real Typer application, the error codes from the
enumeration and the status table, and the configuration from its models.
"""

import inspect
from collections.abc import Iterator
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from pseudo_service import config
from pseudo_service.cli.main import build_command
from pseudo_service.core import errors
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.transport.status import STATUS_BY_CODE

HELP_WIDTH = 88


def list_commands(
    command: Any, path: tuple[str, ...] = ("pseudo",), parent: Any = None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command's words and help text, a group before its commands."""
    context = command.context_class(
        command,
        info_name=path[-1],
        parent=parent,
        terminal_width=HELP_WIDTH,
        max_content_width=HELP_WIDTH,
    )
    yield path, command.get_help(context)
    if not hasattr(command, "list_commands"):
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield from list_commands(found, (*path, name), context)


def write_command_line() -> str:
    """Return the page of all commands, with their help texts as they are printed."""
    parts = [
        "# The command line",
        "",
        "Each text below is what the command prints under `--help`.",
        "",
    ]
    for path, text in list_commands(build_command(whole=True)):
        parts += ["#" * min(len(path) + 1, 4) + f" {' '.join(path)}", ""]
        parts += ["```text", text.strip(), "```", ""]
    return "\n".join(parts)


def _first_line(of: object) -> str:
    return (inspect.getdoc(of) or "").partition("\n\n")[0].replace("\n", " ")


def _list_error_classes() -> dict[ErrorCode, str]:
    found: dict[ErrorCode, str] = {}
    for each in vars(errors).values():
        if isinstance(each, type) and issubclass(each, errors.PseudoError):
            found.setdefault(each.code, _first_line(each))
    found[ErrorCode.INTERNAL] = "Nobody foresaw this failure."
    return found


def write_errors() -> str:
    """Return the table of all error codes, their meaning and their gRPC status."""
    meanings = _list_error_classes()
    rows = [
        f"| `{code}` | {meanings.get(code, '')} | `{STATUS_BY_CODE[code].name}` |"
        for code in ErrorCode
    ]
    return "\n".join(
        [
            "# Error codes",
            "",
            "A code stands in `google.rpc.ErrorInfo.reason`. It never changes its name.",
            "[What to do about each](../operations.md#codes) is told to operators.",
            "",
            "| code | meaning | gRPC status |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _describe_type(annotation: object) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _describe_type(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        given = [each for each in get_args(annotation) if each is not type(None)]
        return " or ".join(_describe_type(each) for each in given)
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in get_args(annotation))
    if origin is tuple:
        return f"list of {_describe_type(get_args(annotation)[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    names = {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "yes or no",
    }
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, {"Path": "path", "SecretStr": "text"}.get(name, name))


def _describe_bounds(metadata: list[Any]) -> str:
    signs = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    said = [
        f"{words} {getattr(each, sign):,}"
        for each in metadata
        for sign, words in signs.items()
        if getattr(each, sign, None) is not None
    ]
    return ", ".join(said)


def _describe_default(value: object) -> str:
    if value is PydanticUndefined:
        return "**required**"
    if value is None:
        return ""
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(str(each) for each in value) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _find_sections(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [s for each in get_args(annotation) for s in _find_sections(each)]


def _write_section(
    path: str, model: type[BaseModel], chosen: str = ""
) -> Iterator[str]:
    title = f"`{path}`" if path else "At the top"
    about = (inspect.getdoc(model) or "").replace("``", "`")
    yield f"## {title}{chosen}\n\n{about}\n"
    plain, nested = [], []
    for name, field in model.model_fields.items():
        whole = f"{path}.{name}" if path else name
        sections = _find_sections(field.annotation)
        if sections:
            nested += [(whole, each) for each in sections]
        else:
            plain.append(
                f"| `{whole}` | {_describe_type(field.annotation)} "
                f"| {_describe_default(field.default)} "
                f"| {_describe_bounds(field.metadata)} |"
            )
    if plain:
        head = ["| key | value | default | bounds |", "|---|---|---|---|"]
        yield "\n".join([*head, *plain, ""])
    for whole, each in nested:
        kind = each.model_fields.get("type")
        choice = f", type `{get_args(kind.annotation)[0]}`" if kind else ""
        yield from _write_section(whole, each, choice)


def write_configuration() -> str:
    """Return the table of all configuration keys, with defaults and bounds."""
    intro = (
        "# Configuration\n\n"
        "One YAML file, read once at the start. A key that is not listed here is refused.\n"
        "`pseudo init` writes a commented file for a laptop; "
        "[deploying](../deploy/README.md) has those for production.\n"
    )
    return "\n".join([intro, *_write_section("", config.Config)])
