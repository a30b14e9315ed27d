"""Write model.onnx and model-int8.onnx of a classifier in a Hugging Face folder: python to_onnx.py FOLDER OUT."""

import sys
from pathlib import Path

import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic

NAMES = ("input_ids", "attention_mask", "token_type_ids")


def main():
    """Export by torch, with rows of any number and length, then quantize as ONNX Runtime does dynamically."""
    source, out = map(Path, sys.argv[1:])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(source, attn_implementation="eager").eval()
    model.config.return_dict = False
    example = torch.ones((2, 8), dtype=torch.long)
    axes = {name: {0: "rows", 1: "tokens"} for name in NAMES} | {"logits": {0: "rows"}}
    torch.onnx.export(model, (example,) * 3, out / "model.onnx", input_names=list(NAMES), output_names=["logits"],
                      dynamic_axes=axes, opset_version=17, dynamo=False)
    quantize_dynamic(out / "model.onnx", out / "model-int8.onnx", weight_type=QuantType.QInt8)


if __name__ == "__main__":
    main()
