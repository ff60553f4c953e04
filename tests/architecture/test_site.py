"""The site's pages say what the documents say, where its generator reads otherwise."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"


def load(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"site_{name}", SITE / f"{name}.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


PAGES = load("pages")
MODULES = load("modules")


@pytest.mark.parametrize(
    ("written", "led"),
    [
        ("[a](policy.md)", "[a](../policy.md)"),
        ("[a](policy.md#what-is-counted)", "[a](../policy.md#what-is-counted)"),
        ("[a](../GLOSSARY.md)", "[a](../glossary.md)"),
        ("[`a`](../buf.yaml)", "`a`"),
        ("[a](https://semver.org/)", "[a](https://semver.org/)"),
        ("[a](#here)", "[a](#here)"),
        ("![a](pictures/rooms.svg)", "![a](pictures/rooms.svg)"),
        ("```sh\n[a](policy.md)\n```", "```sh\n[a](policy.md)\n```"),
    ],
)
def test_a_link_leads_to_the_page_or_becomes_a_name(written: str, led: str) -> None:
    docs = ROOT / "docs"
    pages = {docs / "policy.md": "policy.md", ROOT / "GLOSSARY.md": "glossary.md"}
    source = docs / "architecture.md"
    assert PAGES.lead_links(written, source, "deep/page.md", pages) == led


def test_steps_hold_what_is_indented_below_them() -> None:
    written = (
        "1. Ask:\n\n   ```sh\n   a \\\n       b\n   ```\n\n   Then wait.\n2. Go.\n"
    )
    expected = "1. Ask:\n\n    ```sh\n    a \\\n        b\n    ```\n\n    Then wait.\n\n2. Go.\n"
    assert PAGES.indent_steps(written) == expected


def test_what_is_indented_enough_stays() -> None:
    written = "1. Ask:\n\n    ```sh\n    a\n    ```\n\n2. Go.\n\n    code\n"
    assert PAGES.indent_steps(written) == written


def test_the_diagram_of_a_request_becomes_a_table_of_all_its_steps() -> None:
    written = (ROOT / "docs" / "linkage.md").read_text(encoding="utf-8")
    steps = re.findall(r"^ +(\w+) --> (\w+): (\w+)$", written, re.MULTILINE)
    table = PAGES.write_states_as_table(written)
    assert len(steps) > 15
    assert "stateDiagram" not in table
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert {f"| {a} | {step} | {b} |" for a, b, step in steps} <= set(rows)


def test_every_module_of_the_core_has_its_place_and_generated_ones_have_none() -> None:
    core = ROOT / "pseudo_service" / "core"
    pages = MODULES.write_api_pages(core, "pseudo_service.core")
    shown = "\n".join(pages.values()).splitlines()
    for path in core.rglob("*.py"):
        if path.stem != "__init__":
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            assert f"::: {dotted}" in shown
    whole = MODULES.write_api_pages(ROOT / "pseudo_service", "pseudo_service")
    assert whole
    assert not any("_pb2" in text for text in whole.values())
