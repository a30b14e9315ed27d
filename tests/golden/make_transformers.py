"""Make the golden BERTs whose oracle is transformers; needs torch and transformers, not bertkit.

    python tests/golden/make_transformers.py

One tiny random BERT with its pre-training heads (weights of standard deviation 0.2, every bias
and LayerNorm weight included, so that a mistake shows), written next to this file as

    bert_tiny_erf/          the encoder, GELU by erf
    bert_tiny_tanh/         the same weights, GELU by tanh
    bert_tiny_pretraining/  the same encoder (erf) with its MLM and NSP heads
    bert_tiny_classifier/   an encoder (erf) with a head of 3 labels
    bert_tiny_google/       ref.npz alone: the pre-training model by tanh (see make_google.py)

each config.json, model.safetensors, tokenizer_config.json, vocab.txt and ref.npz, with entries

    <call>/in/<batch entry>         int32; the names of bertkit's batches
    <call>/out/<transformers name>  hidden_states [L+1,B,T,D] and attentions [L,B,N,T,T] are stacked
    <call>/gradnorm/<parameter>     L2 norm of the gradient of out/loss, dropout off

Calls: `padded` (three lengths, two segments), `positions` (explicit position ids), `bare` (ids
alone).  Compare real positions only.  The files are committed: this script is how they came to be.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers

HERE = Path(__file__).parent
SEED, STD, LABELS = 7, 0.2, 3
SIZES = {
    "vocab_size": 60, "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 24, "type_vocab_size": 2,
    "attn_implementation": "eager",
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, CLS, SEP, MASK, FIRST_WORD = 0, 2, 3, 4, 5
WORDS = ["a", "the", "film", "is", "not", "good", "bad", "very", "fun", "."]
REFERENCE_NAMES = {
    "token_ids": "input_ids", "segment_ids": "token_type_ids", "padding_mask": "attention_mask",
    "position_ids": "position_ids", "labels": "labels", "mlm_labels": "labels",
    "nsp_labels": "next_sentence_label",
}


def vocabulary():
    """Return the 60 entries: special tokens, words, letters (`a` is a word), continuations."""
    letters = [chr(code) for code in range(ord("b"), ord("z") + 1)]
    return SPECIAL + WORDS + letters + ["##" + letter for letter in "etaoinshrdlucmfwygpb"]


def calls():
    """Return call -> batch of token ids, and what that call says beside them."""
    random = np.random.default_rng(SEED)
    lengths, first = (11, 7, 4), (6, 4, 2)             # tokens of a row; tokens before segment 1
    token_ids = random.integers(FIRST_WORD, SIZES["vocab_size"], (3, 11))
    column = np.arange(11)
    mask = column < np.array(lengths)[:, None]
    segments = (column >= np.array(first)[:, None]) & mask
    token_ids[:, 0] = CLS
    for row, (length, start) in enumerate(zip(lengths, first, strict=True)):
        token_ids[row, [start - 1, length - 1]] = SEP
    token_ids = np.where(mask, token_ids, PAD)
    every_position = np.arange(SIZES["max_position_embeddings"])
    positions = np.stack([random.permutation(every_position)[:11] for _ in lengths])
    padded = {"token_ids": token_ids, "segment_ids": segments, "padding_mask": mask}
    batches = {"padded": padded, "positions": {**padded, "position_ids": positions},
               "bare": {"token_ids": token_ids[:1]}}
    return {call: {name: array.astype("int32") for name, array in batch.items()}
            for call, batch in batches.items()}


def randomise(model):
    """Draw every parameter anew; LayerNorm weights around 1."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.copy_(centre + STD * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def outputs(model, batch):
    """Return one call's `in/`, `out/` and, where there is a loss, `gradnorm/` entries."""
    inputs = {REFERENCE_NAMES[name]: torch.tensor(array, dtype=torch.long)
              for name, array in batch.items()}
    found = model(**inputs, output_hidden_states=True, output_attentions=True)
    entries = {f"in/{name}": array for name, array in batch.items()}
    for name, value in found.items():
        if name == "cross_attentions":                 # of a decoder; empty here
            continue
        value = torch.stack(value) if isinstance(value, tuple) else value
        entries[f"out/{name}"] = value.detach().numpy()
    if "loss" in found:
        model.zero_grad()
        found["loss"].backward()
        for name, parameter in model.named_parameters():
            entries[f"gradnorm/{name}"] = parameter.grad.norm().numpy()
    return entries


def record(model, folder, batches):
    """Write ref.npz of `model` on `batches` into `folder`."""
    folder.mkdir(exist_ok=True)
    entries = {f"{call}/{key}": value for call, batch in batches.items()
               for key, value in outputs(model, batch).items()}
    np.savez_compressed(folder / "ref.npz", **entries)


def save(model, name, batches):
    """Write the directory `name`: weights, configuration, vocabulary, reference outputs."""
    folder = HERE / name
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    tokenizer = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer) + "\n", encoding="utf-8")
    record(model, folder, batches)


def build(cls, weights, activation):
    """Return a `cls` that computes with `weights`, a state dict that must fit exactly."""
    model = cls(transformers.BertConfig(**SIZES, hidden_act=activation))
    model.load_state_dict(weights)
    return model.eval()


def pretraining_batches(batches):
    """Add labels of both heads: masked positions hold [MASK], all others are -100."""
    labelled = {}
    for call, batch in batches.items():
        token_ids = batch["token_ids"]
        chosen = (token_ids >= FIRST_WORD) & (np.arange(token_ids.shape[1]) % 3 == 1)
        labelled[call] = {
            **batch, "token_ids": np.where(chosen, MASK, token_ids).astype("int32"),
            "mlm_labels": np.where(chosen, token_ids, -100).astype("int32"),
            "nsp_labels": np.arange(len(token_ids), dtype="int32") % 2}
    return labelled


def main():
    """Write every directory."""
    batches = calls()
    config = transformers.BertConfig(**SIZES, hidden_act="gelu")
    heads = randomise(transformers.BertForPreTraining(config))
    save(heads, "bert_tiny_pretraining", pretraining_batches(batches))
    tanh_heads = build(transformers.BertForPreTraining, heads.state_dict(), "gelu_new")
    record(tanh_heads, HERE / "bert_tiny_google", pretraining_batches(batches))
    encoder = heads.bert.state_dict()
    save(build(transformers.BertModel, encoder, "gelu"), "bert_tiny_erf", batches)
    save(build(transformers.BertModel, encoder, "gelu_new"), "bert_tiny_tanh", batches)
    config = transformers.BertConfig(**SIZES, hidden_act="gelu", num_labels=LABELS)
    classifier = randomise(transformers.BertForSequenceClassification(config))
    labelled = {call: {**batch, "labels": np.array([2, 0, 1], "int32")[:len(batch["token_ids"])]}
                for call, batch in batches.items()}
    save(classifier, "bert_tiny_classifier", labelled)


if __name__ == "__main__":
    main()
