"""Finds the model that a mode names: ours in the package, or a spaCy pipeline's."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, Protocol

from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing
from nlp_redaction.models.features import CLASS_COUNT
from nlp_redaction.models.labels import Probabilities
from nlp_redaction.models.thresholds import Thresholds

_PACKAGE: Final = Path(str(resources.files("nlp_redaction.models")))


class WordModel(Protocol):
    """Judges every word of a document."""

    def predict(self, documents: Sequence[Document]) -> list[Probabilities]:
        """Return a row a token and a column a class of ``labels.CLASS_NAMES``."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model, or none, and what its answers are held against.

    Attributes:
        name: What ``explain`` calls it.
        thresholds: See ``thresholds.Thresholds``.
        model: None in the mode ``rules``.
    """

    name: str
    thresholds: Thresholds
    model: WordModel | None = None

    def predict(self, documents: Sequence[Document]) -> Sequence[Probabilities | None]:
        """Return the model's answers; None a document without a model."""
        if self.model is None:
            return [None] * len(documents)
        return self.model.predict(documents)


def _load_encoder(folder: Path) -> WordModel:
    from nlp_redaction.models.encoder import Encoder  # noqa: PLC0415 - loads ONNX Runtime

    return Encoder(folder)


def _load_tagger(folder: Path) -> WordModel:
    from nlp_redaction.models.tagger import Tagger  # noqa: PLC0415 - loads spaCy

    return Tagger(folder)


def _load_plug_in(folder: Path) -> WordModel:
    from nlp_redaction.models.plug_in import PlugIn  # noqa: PLC0415 - loads spaCy

    return PlugIn(folder)


_OURS: Final[dict[str, Callable[[Path], WordModel]]] = {
    "thorough": _load_encoder,
    "fast": _load_tagger,
}
MODES: Final = (*_OURS, "rules")


def _even(threshold: float, hinted: float = 1.0) -> Thresholds:
    return Thresholds(
        by_class=(threshold,) * CLASS_COUNT, hinted=(hinted,) * CLASS_COUNT
    )


RULES_ONLY: Final = LoadedModel("rules", _even(1.0))
"""The mode without a model."""


def load_word_model(folder: Path) -> WordModel:
    """Load one of our models from a folder, without thresholds.

    Raises:
        ModelMissing: It is neither kind, or cannot be loaded.
    """
    is_encoder = (folder / "model.onnx").exists()
    return _load_encoder(folder) if is_encoder else _load_tagger(folder)


def load_model(mode: str) -> LoadedModel:
    """Load the model of a mode.

    Args:
        mode: ``thorough``, ``fast``, ``rules``, or the folder of a spaCy pipeline.

    Raises:
        ModelMissing: There is no such model, or it cannot be loaded.
    """
    if mode == RULES_ONLY.name:
        return RULES_ONLY
    if mode in _OURS:
        folder = _PACKAGE / mode
        return LoadedModel(mode, read_thresholds(folder), _OURS[mode](folder))
    folder = Path(mode)
    if not folder.is_dir():
        message = (
            f"There is no mode and no folder of that name; name one of {', '.join(MODES)} "
            "or the folder of a spaCy pipeline."
        )
        raise ModelMissing(message)
    return LoadedModel(folder.name, _even(0.5, hinted=0.2), _load_plug_in(folder))


def digest_model(mode: str) -> str:
    """Return a SHA-256 over the files of one of our models, in hexadecimal.

    Two processes with the same digest, lists and settings answer a text alike.

    Raises:
        ModelMissing: There is no such model here.
    """
    folder = _PACKAGE / mode
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if mode not in _OURS or not files:
        message = f"There is no model for the mode {mode}; install the package again."
        raise ModelMissing(message)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_thresholds(folder: Path) -> Thresholds:
    """Read ``thresholds.json`` beside a model.

    Raises:
        ModelMissing: It is not there or not what it should be.
    """
    try:
        content = json.loads((folder / "thresholds.json").read_text("utf-8"))
        thresholds = Thresholds(
            by_class=tuple(map(float, content["by_class"])),
            hinted=tuple(map(float, content["hinted"])),
            protected=float(content["protected"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"The thresholds of the model {folder.name} cannot be read; install the package again."
        raise ModelMissing(message) from error
    if not len(thresholds.by_class) == len(thresholds.hinted) == CLASS_COUNT:
        message = f"The thresholds of the model {folder.name} do not fit this version."
        raise ModelMissing(message)
    return thresholds
