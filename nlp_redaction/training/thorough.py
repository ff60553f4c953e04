"""Teaches the encoder of ``thorough``: all-MiniLM-L6-v2 with a head over words.

The published encoder is uncased; the case of a word and what the lists know of it
enter as token types (see ``models/features.py``), which start as copies of the one
type that the encoder was made with.
"""

import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertForTokenClassification

from nlp_redaction.models.features import CLASS_COUNT
from nlp_redaction.models.labels import CLASS_NAMES, NONE
from nlp_redaction.training.examples import IGNORED, Example

_BATCH_PIECES: Final = 2048


@dataclass(kw_only=True)
class Recipe:
    """Everything that decides the outcome."""

    seed: int = 20
    learning_rate: float = 1.5e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    weight_decay: float = 0.01
    none_weight: float = 0.6
    smoothing: float = 0.02
    unknown_names: float = 0.25
    threads: int = 2


def build_model(folder: Path, seed: int) -> BertForTokenClassification:
    """Load the published encoder, widen its token types and put a head on it."""
    torch.manual_seed(seed)
    config = BertConfig.from_pretrained(folder)
    config.num_labels = len(CLASS_NAMES)
    model = BertForTokenClassification.from_pretrained(folder, config=config)
    old = model.bert.embeddings.token_type_embeddings
    wide = torch.nn.Embedding(CLASS_COUNT, config.hidden_size)
    with torch.no_grad():
        wide.weight.copy_(old.weight[:1].expand(CLASS_COUNT, -1))
    model.bert.embeddings.token_type_embeddings = wide
    model.config.type_vocab_size = CLASS_COUNT
    return model


def _make_batches(
    examples: Sequence[Example], generator: random.Random
) -> list[list[Example]]:
    """Batches of about as many pieces each, of windows of about the same length."""
    order = sorted(
        examples, key=lambda example: len(example.targets) + generator.random() * 16
    )
    batches: list[list[Example]] = [[]]
    for example in order:
        if (
            batches[-1]
            and len(example.targets) * (len(batches[-1]) + 1) > _BATCH_PIECES
        ):
            batches.append([])
        batches[-1].append(example)
    generator.shuffle(batches)
    return batches


def _hide_lists(
    classes: np.ndarray, targets: np.ndarray, rate: float, draw: np.random.Generator
) -> None:
    """Pretend now and then that the lists do not know a name, so that they are no crutch."""
    known = (targets > NONE) & (classes > 0)
    hidden = known & (draw.random(classes.shape) < rate)
    case = (classes - 1) // 4
    classes[hidden] = (1 + case * 4 + 3)[hidden]


def _collate(
    batch: Sequence[Example], recipe: Recipe, draw: np.random.Generator
) -> dict[str, torch.Tensor]:
    length = max(len(example.targets) for example in batch)
    shape = (len(batch), length)
    pieces, classes = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    targets, mask = np.full(shape, IGNORED, np.int64), np.zeros(shape, np.int64)
    for row, example in enumerate(batch):
        size = len(example.targets)
        pieces[row, :size] = example.window.pieces
        classes[row, :size] = example.window.classes
        targets[row, :size] = example.targets
        mask[row, :size] = 1
    if recipe.unknown_names and draw.random() < 0.5:  # noqa: PLR2004 - every other batch
        _hide_lists(classes, targets, 2 * recipe.unknown_names, draw)
    arrays = {
        "input_ids": pieces,
        "token_type_ids": classes,
        "attention_mask": mask,
        "labels": targets,
    }
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def train(
    model: BertForTokenClassification,
    epochs: Iterable[Sequence[Example]],
    recipe: Recipe,
    steps: int,
) -> None:
    """Run the examples of each epoch through the model; the rate falls linearly."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    generator = random.Random(recipe.seed)
    draw = np.random.default_rng(recipe.seed)
    head = list(model.classifier.parameters())
    types = list(model.bert.embeddings.token_type_embeddings.parameters())
    special = {id(parameter) for parameter in (*head, *types)}
    body = [p for p in model.parameters() if id(p) not in special]
    optimiser = torch.optim.AdamW(
        [
            {"params": body, "lr": recipe.learning_rate, "peak": recipe.learning_rate},
            {"params": head + types, "lr": recipe.head_rate, "peak": recipe.head_rate},
        ],
        weight_decay=recipe.weight_decay,
    )
    weights = torch.ones(len(CLASS_NAMES))
    weights[NONE] = recipe.none_weight
    loss_of = torch.nn.CrossEntropyLoss(
        weights, ignore_index=IGNORED, label_smoothing=recipe.smoothing
    )
    model.train()
    step = 0
    for number, examples in enumerate(epochs):
        began, total, seen = time.monotonic(), 0.0, 0
        for batch in _make_batches(examples, generator):
            _set_rates(optimiser, step, steps, recipe.warm_up)
            step += 1
            arrays = _collate(batch, recipe, draw)
            targets = arrays.pop("labels")
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(**arrays).logits
            loss = loss_of(logits.float().flatten(0, 1), targets.flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            total += float(loss.detach()) * targets.numel()
            seen += targets.numel()
        took = time.monotonic() - began
        progress = {
            "epoch": number,
            "loss": round(total / seen, 4),
            "pieces_per_second": round(seen / took),
        }
        print(json.dumps(progress), flush=True)


def _set_rates(optimiser: Any, step: int, steps: int, warm_up: float) -> None:
    share = min(step / max(1, steps), 1.0)
    factor = (
        share / warm_up if share < warm_up else max(0.02, (1 - share) / (1 - warm_up))
    )
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor


def count_steps(examples: Sequence[Example]) -> int:
    """How many batches an epoch of these examples makes, about."""
    return len(_make_batches(examples, random.Random(0)))


def load_tokenizer(folder: Path) -> Tokenizer:
    """Read the tokenizer of the published encoder."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
