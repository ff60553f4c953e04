"""Our recognisers in Presidio's engine, and Presidio out of our workers."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from nlp_redaction.registry import list_recognisers, make_registry

HEAVY = ("presidio_analyzer", "spacy", "torch", "transformers")


@pytest.fixture(scope="module")
def registry() -> Iterator[Any]:
    """Ours, made without the libraries of other engines, which take half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        for name in {"stanza", "torch", "transformers"} - set(sys.modules):
            patch.setitem(sys.modules, name, None)
        yield make_registry()


def test_the_registry_holds_ours_and_nothing_else(registry: Any) -> None:
    ours = {type(each).__name__ for each in list_recognisers()}
    assert {each.name for each in registry.recognizers} == ours


def test_presidio_hears_what_we_find(registry: Any) -> None:
    text = "NHS 999 473 7805"
    results = [
        result
        for each in registry.recognizers
        for result in each.analyze(text, ["NHS_NUMBER"])
        if result.entity_type == "NHS_NUMBER"
    ]
    assert {text[each.start : each.end] for each in results} == {"999 473 7805"}
    found = max(results, key=lambda each: each.score)
    assert found.score >= 0.5
    assert found.analysis_explanation.textual_explanation


def test_what_presidio_does_not_ask_for_it_does_not_hear(registry: Any) -> None:
    results = [
        result
        for each in registry.recognizers
        for result in each.analyze("NHS 999 473 7805", ["EMAIL"])
    ]
    assert results == []


def test_a_worker_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys, nlp_redaction.workers.service\n"
        "from nlp_redaction.pipeline import Finder\n"
        "Finder('thorough').find('Dr Okafor rang.')\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
