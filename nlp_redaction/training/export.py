"""Writes a taught encoder as an int8 ONNX file that needs no torch."""

import shutil
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import BertForTokenClassification


class _Logits(torch.nn.Module):
    """The model with plain tensors in and out, as an ONNX graph has them."""

    def __init__(self, model: BertForTokenClassification) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, pieces: torch.Tensor, classes: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        answer = self.model(
            input_ids=pieces, token_type_ids=classes, attention_mask=mask
        )
        logits: torch.Tensor = answer.logits
        return logits


def export_encoder(
    model: BertForTokenClassification, tokenizer: Path, folder: Path
) -> None:
    """Write ``model.onnx`` (int8 weights) and ``tokenizer.json`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model.train(mode=False)
    example = torch.ones((2, 16), dtype=torch.long)
    full = folder / "model.float.onnx"
    names = ["input_ids", "token_type_ids", "attention_mask"]
    axes = {name: {0: "windows", 1: "pieces"} for name in (*names, "logits")}
    torch.onnx.export(
        _Logits(model),
        (example, torch.zeros_like(example), example),
        str(full),
        input_names=names,
        output_names=["logits"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(
        full,
        folder / "model.onnx",
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gather"],
    )
    onnx.checker.check_model(str(folder / "model.onnx"))
    full.unlink()
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
