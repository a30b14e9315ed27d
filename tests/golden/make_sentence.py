"""Make the vectors of small sentence-transformers folders; needs torch and sentence-transformers, not bertkit.

    python tests/golden/make_sentence.py

The encoder is that of bert_tiny_erf/ beside this file. Written to sentence/:

    folders.json       {variant: {file: its JSON}}: what stands around the encoder, whose folder is "encoder_folder"
    dense.safetensors  the weights of the Dense modules, "64 to 5/linear.weight" and so on
    texts.json         texts, one of which is cut
    ref.npz            {variant: vectors [texts, width] of SentenceTransformer.encode}

sentence-transformers 6.2.0, transformers 5.24, 2026-11-30.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
OUT, ENCODER, WIDTH = HERE / "sentence", HERE / "bert_tiny_erf", 32
TEXTS = ["the film is very good", "bad", "a film is not good . the film is bad . a good film is fun . very very good ."]
MODELS = "sentence_transformers.models."
KEYS = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")


def pooling(*on):
    return {"word_embedding_dimension": WIDTH, **{f"pooling_mode_{key}": key in on for key in KEYS}}


def dense(inputs, outputs, activation, bias=True):
    return {"in_features": inputs, "out_features": outputs, "bias": bias, "activation_function": activation}


def folder(*modules, encoder="", **files):
    """Return {file: JSON} of modules, which are (kind, folder, its config.json or None)."""
    kinds = [("Transformer", encoder, None), *modules]
    content = {f"{place}/config.json": config for _, place, config in modules if config is not None}
    return {"modules.json": [{"idx": i, "name": str(i), "path": place, "type": MODELS + kind}
                             for i, (kind, place, _) in enumerate(kinds)],
            **content, **{name.replace("__", "."): value for name, value in files.items()}, "encoder_folder": encoder}


LENGTH = {"sentence_bert_config__json": {"max_seq_length": 12, "do_lower_case": False}}
VARIANTS = {
    **{key: folder(("Pooling", "1_Pooling", pooling(key)), **LENGTH) for key in KEYS},
    "no key is true": folder(("Pooling", "1_Pooling", pooling()), ("Normalize", "2_Normalize", None)),
    "three side by side": folder(("Pooling", "1_Pooling", pooling("mean_tokens", "cls_token", "max_tokens"))),
    "a list of poolings": folder(("Pooling", "1_Pooling", {"word_embedding_dimension": WIDTH,
                                                           "pooling_mode": ["lasttoken", "cls"]})),
    "old layout": folder(("Pooling", "1_Pooling", pooling("mean_tokens")), encoder="0_Transformer",
                         **{"0_Transformer/sentence_bert_config__json": {"max_seq_length": 9}}),
    "dense": folder(("Pooling", "1_Pooling", pooling("cls_token", "mean_tokens")),
                    ("Dense", "2_Dense", dense(64, 5, "torch.nn.modules.activation.Tanh")),
                    ("Dense", "3_Dense", dense(5, 4, "torch.nn.modules.linear.Identity", bias=False)),
                    ("Normalize", "4_Normalize", None), **LENGTH),
    "gelu": folder(("Pooling", "1_Pooling", pooling("mean_tokens")),
                   ("Dense", "2_Dense", dense(32, 5, "torch.nn.modules.activation.GELU"))),
    "a default prompt": folder(("Pooling", "1_Pooling", pooling("mean_tokens")), **LENGTH, **{
        "config_sentence_transformers__json": {"prompts": {"query": "the good ", "passage": "a film . "},
                                               "default_prompt_name": "passage"}}),
}


def weights(inputs, outputs, bias):
    generator = torch.Generator().manual_seed(inputs + outputs)
    found = {"linear.weight": torch.randn(outputs, inputs, generator=generator)}
    return found | ({"linear.bias": torch.randn(outputs, generator=generator)} if bias else {})


def write(place, files, tensors):
    """Write a variant around the encoder; return its Dense weights, {size: tensors}."""
    (place / files["encoder_folder"]).mkdir(parents=True, exist_ok=True)
    for path in ENCODER.iterdir():
        if path.suffix != ".npz":
            shutil.copy(path, place / files["encoder_folder"])
    for name, content in files.items():
        if name != "encoder_folder":
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(json.dumps(content))
        if "_Dense" in name:
            size = content["in_features"], content["out_features"], content["bias"]
            tensors[f"{size[0]} to {size[1]}"] = weights(*size)
            save_file(tensors[f"{size[0]} to {size[1]}"], (place / name).parent / "model.safetensors")


def main():
    found, tensors = {}, {}
    for name, files in VARIANTS.items():
        with tempfile.TemporaryDirectory() as place:
            write(Path(place), files, tensors)
            found[name] = SentenceTransformer(place, device="cpu").encode(TEXTS)
            print(name, found[name].shape)
    OUT.mkdir(exist_ok=True)
    np.savez_compressed(OUT / "ref.npz", **found)
    save_file({f"{size}/{name}": value for size, held in tensors.items() for name, value in held.items()},
              OUT / "dense.safetensors")
    (OUT / "folders.json").write_text(json.dumps(VARIANTS, indent=1) + "\n")
    (OUT / "texts.json").write_text(json.dumps(TEXTS) + "\n")


if __name__ == "__main__":
    assert load_file(ENCODER / "model.safetensors")["embeddings.word_embeddings.weight"].shape[1] == WIDTH
    main()
