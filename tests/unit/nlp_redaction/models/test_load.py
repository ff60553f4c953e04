"""The models that ship: loaded, honest about what is missing, the same alone or in a batch."""

import json
from pathlib import Path

import numpy as np
import pytest
import spacy

from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing
from nlp_redaction.models.labels import CLASS_NAMES, NONE
from nlp_redaction.models.load import digest_model, load_model, read_thresholds

TEXTS = (
    "Dear Dr Prydderch,\nI saw Mrs Comfort Agyemang on 3rd April.",
    "",
    "Plan: aspirin 75 mg, repeat U&E in 2/52.",
    "told kwabena his 30th is on monday\n" * 30,
)


@pytest.fixture(scope="module", params=["thorough", "fast"])
def model(request):
    return load_model(request.param)


def test_every_token_has_probabilities(model):
    documents = [Document.read(text) for text in TEXTS]
    for document, answer in zip(documents, model.predict(documents), strict=True):
        assert answer.shape == (len(document.words), len(CLASS_NAMES))
        assert np.isfinite(answer).all()
        assert ((answer >= 0) & (answer <= 1)).all()


def test_a_name_is_likelier_than_a_drug(model):
    (letter,) = (Document.read(TEXTS[0]),)
    (plan,) = (Document.read(TEXTS[2]),)
    found, other = (
        model.predict([document])[0][:, NONE] for document in (letter, plan)
    )
    assert found[letter.words.index("Comfort")] < 0.5
    assert other[plan.words.index("aspirin")] > 0.9


def test_a_batch_answers_as_one_by_one(model):
    documents = [Document.read(text) for text in TEXTS]
    together = model.predict(documents)
    for document, answer in zip(documents, together, strict=True):
        (alone,) = model.predict([document])
        assert np.allclose(alone, answer, atol=1e-6)


def test_a_word_that_shares_a_piece_shares_the_answer():
    document = Document.read("Reviewed on 30th October")
    (answer,) = load_model("thorough").predict([document])
    at = document.words.index("th")
    assert (answer[at] == answer[at - 1]).all()


def test_an_unknown_mode_is_refused_by_name():
    with pytest.raises(ModelMissing, match="thorough"):
        load_model("through")


def test_a_folder_without_a_pipeline_is_refused(tmp_path):
    with pytest.raises(ModelMissing, match="no spaCy pipeline"):
        load_model(str(tmp_path))


def test_another_pipeline_plugs_in(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Olwen"}])
    nlp.to_disk(tmp_path / "theirs")
    model = load_model(str(tmp_path / "theirs"))
    document = Document.read("I saw Olwen today")
    (answer,) = model.predict([document])
    assert answer[document.words.index("Olwen"), CLASS_NAMES.index("NAME")] > 0.5
    assert answer[document.words.index("today"), NONE] == 1


def test_a_pipeline_without_entities_is_refused(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ModelMissing, match="no named entities"):
        load_model(str(tmp_path / "blank"))


def test_thresholds_that_do_not_fit_are_refused(tmp_path):
    (tmp_path / "thresholds.json").write_text(
        json.dumps({"by_class": [0.5], "hinted": [0.1], "protected": 0.9})
    )
    with pytest.raises(ModelMissing, match="do not fit"):
        read_thresholds(tmp_path)
    with pytest.raises(ModelMissing, match="cannot be read"):
        read_thresholds(Path(tmp_path / "nowhere"))


def test_a_model_has_a_digest_of_all_its_files() -> None:
    assert digest_model("thorough") != digest_model("fast")
    with pytest.raises(ModelMissing):
        digest_model("rules")
