"""The shape of the code itself: sizes, walls, and tables without gaps."""

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import grpc
import pytest

from pseudo_service.adapters.telemetry.logs import FIELDS
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import PseudoError
from pseudo_service.transport.status import STATUS_BY_CODE

ROOT = Path(__file__).parents[2]
PACKAGES = ("pseudo_service", "nlp_redaction", "clients/python/pseudo_client")
GENERATED = {
    ROOT / "pseudo_service" / "api",
    ROOT / "clients" / "python" / "pseudo_client" / "api",
}
LONGEST_FILE = 400
MEDIAN_FILE = 200
MEDIAN_FUNCTION = 12
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
# The root of all refusals, which says INTERNAL.
WITHOUT_A_CODE_OF_ITS_OWN = {PseudoError}
# What writes around the log, or runs a text as code.
FORBIDDEN_CALLS = {"print", "breakpoint", "exec", "eval", "input"}
MAY_PRINT = ("cli", "training", "clients")


def find_sources() -> list[Path]:
    return sorted(
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if GENERATED.isdisjoint(path.parents)
    )


SOURCES = find_sources()
TREES = {path: ast.parse(path.read_text()) for path in SOURCES}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def count_lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 30


def test_no_file_is_long() -> None:
    tests = (ROOT / "tests", ROOT / "clients" / "python" / "tests")
    found = [*SOURCES, *(path for each in tests for path in each.rglob("*.py"))]
    long = {name_of(p): count_lines(p) for p in found if count_lines(p) > LONGEST_FILE}
    assert long == {}


def test_the_median_file_is_short() -> None:
    sizes = [count_lines(path) for path in SOURCES if count_lines(path) > 1]
    assert median(sizes) <= MEDIAN_FILE


def test_the_median_function_is_short() -> None:
    sizes = [
        (node.end_lineno or node.lineno) - node.body[0].lineno + 1
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    assert median(sizes) <= MEDIAN_FUNCTION


def test_no_vague_rooms() -> None:
    parts = {part for path in SOURCES for part in path.relative_to(ROOT).parts}
    assert not VAGUE_NAMES & {part.removesuffix(".py") for part in parts}


def find_unfinished(path: Path) -> Iterator[str]:
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"{name_of(path)}:{node.lineno}"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        comment = line.partition("#")[2]
        if any(word in comment for word in ("TODO", "FIXME", "XXX")):
            yield f"{name_of(path)}:{number}"


def test_nothing_is_left_unfinished() -> None:
    assert [place for path in SOURCES for place in find_unfinished(path)] == []


def find_calls(path: Path) -> Iterator[str]:
    if any(part in MAY_PRINT for part in path.relative_to(ROOT).parts):
        return
    for node in ast.walk(TREES[path]):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in FORBIDDEN_CALLS
        ):
            yield f"{name_of(path)}:{node.lineno} {node.func.id}"


def test_nobody_prints_or_evaluates() -> None:
    assert [place for path in SOURCES for place in find_calls(path)] == []


def find_annotations(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the annotations of a module and the values of its type aliases."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as found):
                yield found
            case ast.AnnAssign(annotation=found, value=value):
                yield found
                if value is not None and ast.unparse(found).endswith("TypeAlias"):
                    yield value
            case ast.FunctionDef(returns=ast.expr() as found):
                yield found


def find_bare_arrays(tree: ast.Module) -> Iterator[int]:
    """Yield the lines of annotations that name an array and not what it holds."""
    for annotation in find_annotations(tree):
        text = ast.unparse(annotation)
        if re.search(r"\bndarray\b(?!\[)|\bNDArray\b(?!\[)", text):
            yield annotation.lineno


@pytest.mark.parametrize(
    ("source", "is_bare"),
    [
        ("def f(a: np.ndarray) -> None: ...", True),
        ("def f() -> dict[str, np.ndarray | None]: ...", True),
        ("class A:\n    a: 'np.ndarray'", True),
        ("A: TypeAlias = npt.NDArray", True),
        ("a: npt.NDArray[np.uint8] = np.ndarray(3)", False),
        ("def f(a: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None: ...", False),
    ],
)
def test_a_bare_array_is_found(source: str, is_bare: bool) -> None:
    assert bool([*find_bare_arrays(ast.parse(source))]) == is_bare


def test_every_array_says_what_it_holds() -> None:
    found = [
        f"{name_of(path)}:{line}"
        for path in SOURCES
        if path.relative_to(ROOT).parts[0] == "pseudo_service"
        for line in find_bare_arrays(TREES[path])
    ]
    assert found == []


def find_log_fields(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the field names of ``telemetry.log("event", name=...)``, with places."""
    for node in ast.walk(TREES[path]):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "log"
            and node.args
            and isinstance(node.args[0], ast.Constant | ast.IfExp)
        ):
            for keyword in node.keywords:
                if keyword.arg != "level":  # which is no field
                    yield f"{name_of(path)}:{node.lineno}", str(keyword.arg)


def test_every_logged_field_is_on_the_allow_list() -> None:
    found = [pair for path in SOURCES for pair in find_log_fields(path)]
    assert len(found) > 5
    lost = [(place, name) for place, name in found if name not in FIELDS]
    assert lost == [], "these would be dropped from the log without a word"


def find_error_classes(
    root: type[PseudoError] = PseudoError,
) -> list[type[PseudoError]]:
    found = [root]
    for child in root.__subclasses__():
        found += find_error_classes(child)
    return found


def test_every_error_has_a_code_of_its_own() -> None:
    classes = set(find_error_classes()) - WITHOUT_A_CODE_OF_ITS_OWN
    shared = {
        code: count
        for code, count in Counter(found.code for found in classes).items()
        if count > 1
    }
    assert shared == {}
    assert {found.code for found in classes} == set(ErrorCode) - {ErrorCode.INTERNAL}


def test_every_code_is_its_own_name_and_has_a_status() -> None:
    assert all(code.name == code.value for code in ErrorCode)
    assert set(STATUS_BY_CODE) == set(ErrorCode)
    never = {grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED}
    assert not never & set(STATUS_BY_CODE.values())


def find_table_rows() -> list[str]:
    """Read the table's keys from its source: a dict would hide a repeated one."""
    path = ROOT / "pseudo_service" / "transport" / "status.py"
    tables = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.Dict)]
    longest = max(tables, key=lambda node: len(node.keys))
    return [ast.unparse(key) for key in longest.keys if key is not None]


def test_no_code_is_listed_twice() -> None:
    rows = find_table_rows()
    assert len(rows) == len(set(rows)) == len(ErrorCode)


def test_the_walls_stand() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists() and shutil.which("lint-imports") is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run(
        [str(tool) if tool.exists() else "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
