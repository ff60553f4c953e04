"""Presidio as it comes: its default registry, over the same CNN as our fast mode.

Like for like: the engine's spaCy pipeline is the very one of ``fast``, with its weights,
and the words that it tags become the entities that Presidio takes from a pipeline. So
both sides pay for the same CNN once, and what differs is the rest: Presidio's tokeniser
and recognisers against ours. Our pipeline has no named-entity component; an untaught one
would cost Presidio about as much, but would flood it with entities or give it none.
"""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp_redaction.models.labels import CLASS_NAMES

ENTITY_BY_LABEL = {
    "NAME": "PERSON",
    "DATE": "DATE_TIME",
    "LOCATION": "LOCATION",
    "ORG": "ORGANIZATION",
}


@Language.component("entities_of_tags")
def set_entities(doc: Doc) -> Doc:
    """Make entities of runs of words with the same tag."""
    entities: list[Span] = []
    start = 0
    for at in range(1, len(doc) + 1):
        if at == len(doc) or doc[at].tag_ != doc[start].tag_:
            if doc[start].tag_ != CLASS_NAMES[0]:
                entities.append(Span(doc, start, at, label=doc[start].tag_))
            start = at
    doc.ents = entities
    return doc


def make_analyser() -> Callable[[str], Any]:
    """Return ``AnalyzerEngine.analyze`` of a fresh engine, for English."""
    _stay_offline()
    pipeline = spacy.load(
        Path(str(resources.files("nlp_redaction.models"))) / "fast" / "pipeline"
    )
    # The pipeline ships without strings, for the service reads its tags by number.
    for name in CLASS_NAMES:
        pipeline.vocab.strings.add(name)
    pipeline.add_pipe("entities_of_tags", last=True)
    engine = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": "fast"}],
        ner_model_configuration=NerModelConfiguration(
            model_to_presidio_entity_mapping=ENTITY_BY_LABEL,
            labels_to_ignore=sorted(set(CLASS_NAMES) - set(ENTITY_BY_LABEL)),
        ),
    )
    engine.nlp = {"en": pipeline}  # type: ignore[assignment]
    analyser = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    return lambda text: analyser.analyze(text, language="en")


def _stay_offline() -> None:
    """Let the recognisers of e-mail and web addresses use the list that they ship."""
    offline = tldextract.TLDExtract(suffix_list_urls=())
    tldextract.extract = offline  # type: ignore[assignment]
