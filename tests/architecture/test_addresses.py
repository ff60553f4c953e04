"""One address a name: what a module imports from another is defined there."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = {
    "pseudo_service": ROOT,
    "nlp_redaction": ROOT,
    "pseudo_client": ROOT / "clients" / "python",
}
# What stands in these folders' ``__init__`` is the interface of the folder.
INTERFACES = frozenset(
    {
        "pseudo_client",
        "nlp_redaction.known_identifiers",
        "nlp_redaction.replacement",
        "nlp_redaction.workers",
    }
)
GENERATED = "api"


def list_modules() -> dict[str, Path]:
    modules = {}
    for package, root in PLACES.items():
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if GENERATED not in parts:
                name = ".".join(parts).removesuffix(".__init__")
                modules[name] = path
    return modules


def find_definitions(path: Path) -> set[str]:
    """Return the names that a module makes, not those that it imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def find_second_addresses(modules: dict[str, Path]) -> Iterator[str]:
    definitions = {name: find_definitions(path) for name, path in modules.items()}
    for path in modules.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module in INTERFACES:
                continue
            if node.module not in modules:
                continue
            for alias in node.names:
                is_module = f"{node.module}.{alias.name}" in modules
                if not is_module and alias.name not in definitions[node.module]:
                    place = path.relative_to(ROOT)
                    yield f"{place}:{node.lineno} {alias.name} of {node.module}"


def test_what_is_imported_is_defined_where_it_is_imported_from() -> None:
    assert list(find_second_addresses(list_modules())) == []
