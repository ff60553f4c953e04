"""The search's packages depend one way, and load no library before a mode needs it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "nlp_redaction"
HEAVY = ("presidio_analyzer", "spacy", "thinc", "onnxruntime", "tokenizers", "torch")
LIGHT_MODULES = (
    "nlp_redaction.pipeline",
    "nlp_redaction.replacement",
    "nlp_redaction.workers",
    "nlp_redaction.models.load",
    "nlp_redaction.__main__",
)


def find_imports(path: Path) -> Iterator[str]:
    """Yield every module of the package that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def build_graph(folder: Path) -> dict[str, set[str]]:
    """Return what each child of a package imports of its siblings.

    Args:
        folder: The package, below the root of the project.
    """
    name = ".".join(folder.relative_to(ROOT).parts)
    graph: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        child = path.relative_to(folder).with_suffix("").parts[0]
        siblings = graph.setdefault(child, set())
        for module in find_imports(path):
            if module.startswith(f"{name}."):
                siblings.add(module.removeprefix(f"{name}.").split(".")[0])
        siblings.discard(child)
    return graph


@pytest.mark.parametrize("folder", ["nlp_redaction", "nlp_redaction/recognisers"])
def test_no_package_is_in_a_circle(folder: str) -> None:
    graph = build_graph(ROOT / folder)
    assert len(graph) > 5
    tuple(TopologicalSorter(graph).static_order())


def test_a_circle_would_be_seen() -> None:
    graph = build_graph(ROOT / PACKAGE)
    graph["errors"].add("pipeline")
    with pytest.raises(CycleError):
        tuple(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_an_import_loads_no_library_of_a_model(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == []
