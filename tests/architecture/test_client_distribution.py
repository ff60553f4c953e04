"""The client is a distribution of its own, and lives beside the service in one process."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"
SOURCES = sorted((CLIENT / "pseudo_client").rglob("*.py"))
CONTRACT = sorted(path.stem for path in (ROOT / "proto").rglob("*.proto"))
# What the client may need, and what a part of it may need.
NEEDED = {"google", "grpc", "pyarrow"}
NEEDED_BY_AN_EXTRA = {"cryptography"}
ROOMS_IN_ONE_PROCESS = """
import importlib, sys

first, second = sys.argv[1:3]
for name in sys.argv[3:]:
    stubs = [importlib.import_module(f"{each}.api.v1.{name}_pb2") for each in (first, second)]
    one, other = (each.DESCRIPTOR for each in stubs)
    assert one.serialized_pb == other.serialized_pb, name
    for message in one.message_types_by_name:
        assert getattr(stubs[0], message) is getattr(stubs[1], message), message
import google.rpc.error_details_pb2
import pseudo_client.api.failures_pb2
"""


def read_project(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())
    return project["project"]


def name_requirements(listed: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", each)[0] for each in listed}


def test_client_and_service_have_one_version_and_one_licence() -> None:
    service, client = read_project(ROOT), read_project(CLIENT)
    for name in ("version", "license", "requires-python", "classifiers"):
        assert client[name] == service[name]
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_client_asks_for_three_packages_and_one_more_to_open_results() -> None:
    client = read_project(CLIENT)
    assert name_requirements(client["dependencies"]) == {
        "grpcio",
        "protobuf",
        "pyarrow",
    }
    extra = client["optional-dependencies"]["linkage"]
    assert name_requirements(extra) == {"cryptography"}


def test_the_client_imports_nothing_else() -> None:
    found = {
        name.partition(".")[0]
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in list_imports(node)
    }
    others = found - set(sys.stdlib_module_names) - {"pseudo_client"}
    assert others == NEEDED | NEEDED_BY_AN_EXTRA


def test_of_google_the_client_imports_protobuf_alone() -> None:
    found = {
        name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in list_imports(node)
        if name.partition(".")[0] == "google"
    }
    assert {".".join(name.split(".")[:2]) for name in found} == {"google.protobuf"}


def list_imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{each.name}" for each in node.names]
    return []


@pytest.mark.parametrize("backend", ["upb", "python"])
@pytest.mark.parametrize(
    "order",
    [("pseudo_client", "pseudo_service"), ("pseudo_service", "pseudo_client")],
    ids=["client first", "service first"],
)
def test_both_sets_of_stubs_are_one_contract(
    order: tuple[str, str], backend: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ROOMS_IN_ONE_PROCESS, *order, *CONTRACT],
        env={
            "PYTHONPATH": f"{ROOT}:{CLIENT}",
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": backend,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
