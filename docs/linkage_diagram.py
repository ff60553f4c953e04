"""Writes the state diagram of docs/linkage.md from the table of transitions.

Run it after a change of the table: ``python docs/linkage_diagram.py``.
"""

import re
from pathlib import Path

from pseudo_service.core.linkage.approval import TRANSITIONS
from pseudo_service.core.linkage.request import LinkageState

HANDBOOK = Path(__file__).with_name("linkage.md")
_BLOCK = re.compile(
    r"(?<=^```mermaid\n)stateDiagram-v2\n.*?(?=^```)", re.MULTILINE | re.DOTALL
)


def draw_states() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {LinkageState.SUBMITTED}: submit"]
    for state, steps in TRANSITIONS.items():
        lines += [f"    {state} --> {new}: {step}" for step, new in steps.items()]
        if not steps or state is LinkageState.RELEASED:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"


def insert_diagram(handbook: str) -> str:
    """Return the handbook's text with the diagram as it is now.

    Raises:
        ValueError: The text has no state diagram, or several.
    """
    diagram = draw_states()
    written, places = _BLOCK.subn(lambda _: diagram, handbook)
    if places != 1:
        msg = f"the handbook has {places} state diagrams: keep exactly one"
        raise ValueError(msg)
    return written


if __name__ == "__main__":
    HANDBOOK.write_text(insert_diagram(HANDBOOK.read_text()))
