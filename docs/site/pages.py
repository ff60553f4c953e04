"""Write the documents as the site's generator reads them, and lead their links there.

In the repository a document links to any file of it. In the site a link to another
document leads to its page; a link to a file that is no page becomes the file's name.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCED = re.compile(r"(^```.*?^```[^\n]*$)", re.MULTILINE | re.DOTALL)
_STATES = re.compile(
    r"^```mermaid\nstateDiagram-v2\n(.*?)^```", re.MULTILINE | re.DOTALL
)
_STEP = re.compile(r"\d+\. ")
_TRANSITION = re.compile(r"^ *(\S+) --> (\S+?)(?:: (\w+))?$", re.MULTILINE)


def lead_links(text: str, source: Path, page: str, pages: Mapping[Path, str]) -> str:
    """Return a document's text with its links as the site needs them.

    Args:
        text: The document.
        source: Where it lies in the repository.
        page: Its path in the site.
        pages: The path in the site of every document of the repository.
    """

    def lead(match: re.Match[str]) -> str:
        shown, target = match[1], match[2]
        if target.startswith(("https://", "mailto:", "#")):
            return match[0]
        named, hash_sign, anchor = target.partition("#")
        found = pages.get((source.parent / named).resolve())
        if found is None:
            return shown
        relative = os.path.relpath(found, Path(page).parent)
        return f"[{shown}]({relative}{hash_sign}{anchor})"

    parts = _FENCED.split(text)
    return "".join(
        part if part.startswith("```") else _LINK.sub(lead, indent_steps(part))
        for part in parts
    )


def indent_steps(text: str) -> str:
    """Return a text whose numbered steps hold what is indented below them.

    In the repository three blanks are enough, and the next step may follow at once;
    the site's generator wants four, and an empty line after a step of several parts.
    """
    lines: list[str] = []
    in_code = has_parts = False
    for line in text.split("\n"):
        if _STEP.match(line):
            if has_parts and lines[-1]:
                lines.append("")
            has_parts = False
        shallow = line.startswith("   ") and not line.startswith("    ")
        lines.append(f" {line}" if shallow or (in_code and line) else line)
        if shallow and line.lstrip().startswith("```"):
            in_code, has_parts = not in_code, True
        has_parts = has_parts or not line
    return "\n".join(lines)


def write_states_as_table(text: str) -> str:
    """Return a text whose state diagrams are tables, for a site without scripts."""

    def write(match: re.Match[str]) -> str:
        rows = [
            f"| {a} | {step or '(end)'} | {b} |"
            for a, b, step in _TRANSITION.findall(match[1])
            if a != "[*]" and b != "[*]"
        ]
        return "\n".join(["| from | step | to |", "|---|---|---|", *rows])

    return _STATES.sub(write, text)
