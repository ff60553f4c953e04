"""The word lists, read once a process. README.md says where each comes from."""

from functools import cache
from importlib import resources


@cache
def read_lexicon(name: str) -> frozenset[str]:
    """Return the entries of a list, in lower case.

    Args:
        name: The file's name in ``data/`` without ``.txt``; lines that begin with
            ``#`` and blank lines are comments.
    """
    path = resources.files(__name__) / "data" / f"{name}.txt"
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return frozenset(
        line.lower() for line in lines if line and not line.startswith("#")
    )


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text, for short lists that stand in the code."""
    return frozenset(text.split())
