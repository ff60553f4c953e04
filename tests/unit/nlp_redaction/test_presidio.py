"""Our recognisers in Presidio's engine, and Presidio out of our workers."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from nlp_redaction.registry import list_recognisers

HEAVY = ("presidio_analyzer", "spacy", "torch", "transformers")


@pytest.fixture(scope="module")
def registry() -> Iterator[Any]:
    """Ours, made without the libraries of other engines, which take half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        for name in {"stanza", "torch", "transformers"} - set(sys.modules):
            patch.setitem(sys.modules, name, None)
        from nlp_redaction.presidio import make_registry  # noqa: PLC0415 - takes seconds

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


@pytest.fixture(scope="module")
def engine(registry: Any) -> Any:
    """Presidio's engine around ours, with no model of its own."""
    import spacy  # noqa: PLC0415 - takes seconds
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415 - takes seconds
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415 - takes seconds

    class BlankEngine(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    return AnalyzerEngine(
        registry=registry, nlp_engine=BlankEngine(), supported_languages=["en"]
    )


def test_its_engine_works_with_ours_and_a_blank_pipeline(engine: Any) -> None:
    text = "Dr.Smith (NHS 999 473 7805) rang 07700 900123. Disc at L5 1st, BP 120/80."
    found = {text[r.start : r.end] for r in engine.analyze(text, "en")}
    assert {"Smith", "999 473 7805", "07700 900123"} <= found
    assert not {"L5 1st", "120/80"} & found


def test_no_text_stays_when_its_engine_has_answered(engine: Any) -> None:
    engine.analyze("Dr Smith rang", "en")
    gc.collect()
    from nlp_redaction.presidio import _DOCUMENTS  # noqa: PLC0415 - takes seconds

    assert not _DOCUMENTS


def test_a_worker_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys, nlp_redaction.workers.worker_loop\n"
        "from nlp_redaction.pipeline import Finder\n"
        "Finder('thorough').find('Dr Okafor rang.')\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
