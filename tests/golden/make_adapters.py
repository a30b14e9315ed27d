"""Make small adapters of PEFT and the outputs of the models that have them; needs torch, transformers and peft.

    python tests/golden/make_adapters.py

The base model is bert_tiny_pretraining/ beside this file, without its heads. Written to adapters/:

    NAME/adapter_config.json, NAME/adapter_model.safetensors   as save_pretrained of PEFT writes them
    ref.npz                                                    {NAME: outputs for the token ids IDS}

All weights of the adapters are drawn with standard deviation 0.2. peft 0.21, transformers 5.24, 2026-11-30.
"""

import shutil
from pathlib import Path

import numpy as np
import torch
import transformers
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.numpy import load_file

HERE = Path(__file__).parent
BASE, OUT = HERE / "bert_tiny_pretraining", HERE / "adapters"
IDS = [[2, 7, 9, 14, 20, 3], [2, 30, 31, 3, 0, 0]]
KINDS = {
    "plain": ("AutoModel", {"task_type": TaskType.FEATURE_EXTRACTION, "r": 4, "lora_alpha": 7}),
    "rslora": ("AutoModel", {"r": 4, "lora_alpha": 7, "use_rslora": True, "target_modules": ["query", "dense"]}),
    "dora": ("AutoModel", {"r": 2, "lora_alpha": 5, "use_dora": True, "target_modules": ["key"]}),
    "table": ("AutoModel", {"r": 2, "lora_alpha": 5, "target_modules": ["word_embeddings", "value"]}),
    "patterns": ("AutoModel", {"r": 2, "lora_alpha": 5, "target_modules": ["query", "value"],
                               "rank_pattern": {"value": 3}, "alpha_pattern": {"layer.1.attention.self.query": 11}}),
    "transposed": ("AutoModel", {"r": 2, "lora_alpha": 5, "target_modules": ["query"], "fan_in_fan_out": True}),
    "classifier": ("AutoModelForSequenceClassification", {"task_type": TaskType.SEQ_CLS, "r": 2, "lora_alpha": 5,
                                                              "bias": "all"}),
    "tagger": ("AutoModelForTokenClassification", {"task_type": TaskType.TOKEN_CLS, "r": 2, "lora_alpha": 5}),
}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    found, ids = {}, torch.tensor(IDS)
    for name, (kind, options) in KINDS.items():
        labels = {} if kind == "AutoModel" else {"num_labels": 3}
        base = getattr(transformers, kind).from_pretrained(BASE, **labels)
        model = get_peft_model(base, LoraConfig(**options)).eval()
        generator = torch.Generator().manual_seed(len(name))
        with torch.no_grad():
            for key, weight in model.named_parameters():
                if weight.requires_grad:
                    drawn = 0.2 * torch.randn(weight.shape, generator=generator)
                    weight.copy_(drawn.abs() + 1 if "magnitude" in key else drawn)
            output = model(input_ids=ids, attention_mask=(ids != 0).long())
        model.save_pretrained(OUT / name)
        (OUT / name / "README.md").unlink()
        config = OUT / name / "adapter_config.json"         # where the base model lay is no business of the test
        config.write_text(config.read_text().replace(str(BASE), "BASE"))
        found[name] = output[0].numpy()
        print(name, found[name].shape, sorted(load_file(OUT / name / "adapter_model.safetensors"))[:2])
    np.savez_compressed(OUT / "ref.npz", **found)


if __name__ == "__main__":
    main()
