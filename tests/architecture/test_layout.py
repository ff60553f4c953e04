"""The house by subject: no circle, no crowded folder, a test beside every module."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_MODULES = 20
TESTED_ROOMS = ("core", "engine")

pytest.importorskip("grimp", reason="the layout is read by grimp, of the extra dev")

from tests.architecture.layout import main, read_layout  # noqa: E402

LAYOUT = read_layout()


def test_no_folder_has_a_circle() -> None:
    assert {each.package: each.circle for each in LAYOUT if each.circle} == {}


def test_no_folder_is_crowded() -> None:
    crowded = {each.package: each.modules for each in LAYOUT}
    assert {name: n for name, n in crowded.items() if n > MOST_MODULES} == {}


def test_the_table_names_every_folder(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [each.package for each in LAYOUT]


def only_declares(path: Path) -> bool:
    """Tell whether a module has values and types, and no code to test."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return not any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))


@pytest.mark.parametrize("room", TESTED_ROOMS)
def test_every_module_has_a_test_file_of_its_name(room: str) -> None:
    source = ROOT / "pseudo_service" / room
    tests = ROOT / "tests" / "unit" / room
    missing = [
        path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*.py"))
        if path.stem != "__init__"
        and not only_declares(path)
        and not (tests / path.relative_to(source).parent / f"test_{path.name}").exists()
    ]
    assert missing == []
