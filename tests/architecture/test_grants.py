"""Who may open the register: grants are minted where the intent is recorded."""

import ast
from pathlib import Path

from pseudo_service.engine.linkage.release import ReleaseGrant
from pseudo_service.engine.register.opening import MaintenanceGrant, RegisterGrant

ROOT = Path(__file__).parents[2] / "pseudo_service"
MINTS = {
    ReleaseGrant.__name__: {"engine/linkage/release.py"},
    MaintenanceGrant.__name__: {
        "engine/register/maintenance_runs.py",
        "engine/disclosures/register_query.py",
    },
    RegisterGrant.__name__: set(),
}


def find_mints() -> set[tuple[str, str]]:
    """Return each call of a grant's class, and any other use that is no type."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                name = node.func.attr if isinstance(node.func, ast.Attribute) else name
                if name in MINTS:
                    found.add((name, path.relative_to(ROOT).as_posix()))
    return found


def test_grants_are_minted_only_where_an_intent_is_recorded() -> None:
    found = find_mints()
    strangers = {(name, path) for name, path in found if path not in MINTS[name]}
    assert not strangers
    assert ("ReleaseGrant", "engine/linkage/release.py") in found
    assert ("MaintenanceGrant", "engine/register/maintenance_runs.py") in found


def test_there_is_no_other_kind_of_grant() -> None:
    kinds = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if bases & set(MINTS):
                    kinds.add(node.name)
    assert kinds | {"RegisterGrant"} == set(MINTS)
