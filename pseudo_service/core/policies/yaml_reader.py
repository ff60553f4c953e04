"""Reads policy YAML strictly: plain text, lists and mappings, each with its line.

YAML's implicit types are switched off: ``no``, ``null``, ``007`` and ``2021-04-01``
mean the text that is written. Anchors, aliases, tags, duplicate keys and several
documents are refused. Messages name the path and the line, never what stands there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

import yaml

from pseudo_service.core.errors import PolicyInvalid, name_field

LONGEST_POLICY: Final = 1 << 18
LONGEST_TEXT: Final = 300
LONGEST_LIST: Final = 10_000
DEEPEST: Final = 8

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A scalar, list or mapping, and where it stands.

    ``path`` is safe to show: names that may be a patient's values are withheld.
    """

    path: str
    line: int
    value: "str | tuple[Entry, ...] | Mapping[str, Entry]"

    def refuse(self, problem: str) -> NoReturn:
        """Raise PolicyInvalid with the path and the line in front."""
        msg = f"{self.path or 'policy'} (line {self.line}): {problem}"
        # What a library says of a value may quote it, so no cause is attached.
        raise PolicyInvalid(msg) from None

    def text(self, *, longest: int = LONGEST_TEXT) -> str:
        """Return the scalar, not blank and not over-long."""
        if not isinstance(self.value, str):
            self.refuse("give one text, not a list or a mapping")
        if not self.value.strip():
            self.refuse("give a text; it is blank")
        if len(self.value) > longest:
            self.refuse(f"give at most {longest} characters, not {len(self.value)}")
        if not self.value.replace("\n", "").isprintable():
            self.refuse("take the control characters out")
        return self.value

    def texts(self, *, longest: int = LONGEST_TEXT) -> tuple[str, ...]:
        """Return a list of one or more different texts."""
        texts = tuple(entry.text(longest=longest) for entry in self.entries())
        if len(set(texts)) < len(texts):
            self.refuse("a text stands here twice; leave one out")
        return texts

    def entries(self) -> "tuple[Entry, ...]":
        """Return the entries of a list that is not empty."""
        if not isinstance(self.value, tuple):
            self.refuse("give a list, [like, this]")
        if not self.value:
            self.refuse("the list is empty; name what it holds, or leave the key out")
        return self.value

    def choice(self, choices: type[Choice]) -> Choice:
        """Return the member of an enumeration that the scalar names."""
        text = self.text()
        names = [member.value for member in choices]
        if text not in names:
            self.refuse("give one of " + ", ".join(names))
        return choices(text)

    def mapping(self) -> "Mapping[str, Entry]":
        """Return a mapping's entries by key, in the order written."""
        if isinstance(self.value, str | tuple):
            self.refuse("give a mapping, {key: value}")
        return self.value


class Fields:
    """Takes a mapping's keys one by one; ``close`` refuses what nobody took."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._left = dict(entry.mapping())
        self._known: list[str] = []

    def take(self, key: str) -> Entry | None:
        """Return the entry of an optional key."""
        self._known.append(key)
        return self._left.pop(key, None)

    def need(self, key: str, hint: str) -> Entry:
        """Return the entry of a key that must be there; the hint says what to give."""
        entry = self.take(key)
        if entry is None:
            self.entry.refuse(f'"{key}" is missing: {hint}')
        return entry

    def close(self) -> None:
        """Raise if a key is left that nobody takes."""
        for position, (key, entry) in enumerate(self._left.items()):
            known = ", ".join(self._known)
            msg = f"unknown key {name_field(key, position)} (line {entry.line})"
            self.entry.refuse(f"{msg}; it takes {known}")


def read_document(text: str) -> Entry:
    """Read one YAML document.

    Args:
        text: The policy, at most 256 KiB.

    Raises:
        PolicyInvalid: It is no YAML of the strict kind described above.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_POLICY:
        msg = f"policy: give at most {LONGEST_POLICY // 1024} KiB"
        raise PolicyInvalid(msg)
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}" if mark is not None else "an unknown line"
        msg = (
            f"policy: no valid YAML at {where}; check indentation, quotes and brackets"
        )
        raise PolicyInvalid(msg) from None
    except (yaml.YAMLError, ValueError):
        msg = "policy: no valid YAML; it has characters that no text may have"
        raise PolicyInvalid(msg) from None
    if not isinstance(node, yaml.MappingNode):
        msg = 'policy: begin with "policy: project/release@1" and "columns:"'
        raise PolicyInvalid(msg)
    return _convert(node, "")


def _check_events(text: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = _number_line(event)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if documents > 1:
            _refuse(line, "give one document only; take the second --- out")
        if depth > DEEPEST:
            _refuse(line, f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _refuse(line, "anchors (&) and aliases (*) are not taken; quote the text")
        if getattr(event, "tag", None):
            _refuse(line, "tags (!) are not taken; quote the text or take them out")


def _refuse(line: int, problem: str) -> NoReturn:
    msg = f"policy (line {line}): {problem}"
    raise PolicyInvalid(msg)


def _number_line(place: yaml.Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark is not None else 0


def _convert(node: yaml.Node, path: str) -> Entry:
    line = _number_line(node)
    if isinstance(node, yaml.ScalarNode):
        return Entry(path=path, line=line, value=node.value)
    if isinstance(node, yaml.SequenceNode):
        if len(node.value) > LONGEST_LIST:
            _refuse(line, f"give at most {LONGEST_LIST} entries")
        entries = [
            _convert(child, f"{path}[{position + 1}]")
            for position, child in enumerate(node.value)
        ]
        return Entry(path=path, line=line, value=tuple(entries))
    return Entry(path=path, line=line, value=_convert_mapping(node, path))


def _convert_mapping(node: yaml.Node, path: str) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for position, (key, child) in enumerate(node.value):
        line = _number_line(key)
        if not isinstance(key, yaml.ScalarNode) or not key.value.strip():
            _refuse(line, "every key must be a text that is not blank")
        name = name_field(key.value, position).strip('"')
        if key.value in entries:
            _refuse(line, f"the key {name} stands twice in {path or 'the policy'}")
        entries[key.value] = _convert(child, f"{path}.{name}" if path else name)
    return entries
