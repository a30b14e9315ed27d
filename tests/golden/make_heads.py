"""Make tiny models of the newer families with each head, whose oracle is transformers; needs torch and transformers.

    python tests/golden/make_heads.py [NAME ...]

Random weights of standard deviation 0.2, as in make_families.py, written next to this file as
heads/NAME/HEAD/: config.json, model.safetensors and ref.npz with entries CALL/in/<transformers name> and
CALL/out/<name>. The calls are "padded", "placed" (with position_ids), "bare" (ids alone) and "long" (a row that reaches
all distances). HEAD "base" is the encoder with all states and attentions. Compare real positions only. The files are
committed: this script is how they came to be.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import transformers as T

HERE = Path(__file__).parent / "heads"
SEED, STD, VOCABULARY = 5, 0.2, 40
COMMON = {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2,
          "intermediate_size": 24, "num_labels": 3, "attn_implementation": "eager", "initializer_range": 0.2}
ENDS = {"base": "Model", "seqcls": "ForSequenceClassification", "tokcls": "ForTokenClassification",
        "qa": "ForQuestionAnswering", "mc": "ForMultipleChoice", "mlm": "ForMaskedLM"}
EURO = {"pad_token_id": 0, "num_attention_heads": 4, "num_key_value_heads": 2}
# name -> beginning of the classes' names, settings, heads that it lacks
FAMILIES = {
    "mpnet": ("MPNet", {"max_position_embeddings": 212, "layer_norm_eps": 1e-5}, ()),
    "deberta": ("DebertaV2", {
        "max_position_embeddings": 96, "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm",
        "share_att_key": True, "pos_att_type": "p2c|c2p", "position_biased_input": False}, ()),
    "deberta_own": ("DebertaV2", {                     # all that DeBERTaV3 does not have, but DeBERTa-v2 can
        "max_position_embeddings": 212, "relative_attention": True, "max_relative_positions": 6, "type_vocab_size": 2,
        "pos_att_type": "c2p|p2c", "pooler_hidden_act": "relu"}, ("qa", "tokcls", "mc")),
    "deberta_new": ("DebertaV2", {                     # the newer names of the head, and one term alone
        "max_position_embeddings": 32, "relative_attention": True, "position_buckets": 4, "legacy": False,
        "share_att_key": True, "pos_att_type": "p2c", "position_biased_input": False},
        ("qa", "tokcls", "mc", "seqcls")),
    "nomic": ("NomicBert", {}, ("qa", "mc")),
    "eurobert": ("EuroBert", {**EURO, "rope_parameters": {"rope_type": "default", "rope_theta": 250_000.0}},
                 ("qa", "mc")),
    "eurobert_bos": ("EuroBert", {**EURO, "classifier_pooling": "bos", "head_dim": 6},
                     ("qa", "mc", "mlm", "tokcls")),
    "eurobert_mean": ("EuroBert", {                    # what no published model has, but the config can say
        **EURO, "classifier_pooling": "mean", "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True,
        "num_key_value_heads": None, "hidden_act": "gelu"}, ("qa", "mc", "tokcls")),
}


def randomise(model):
    """Draw every parameter anew; the weights of norms around 1."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            centre = 1.0 if parameter.ndim == 1 and name.endswith("weight") else 0.0
            parameter.copy_(centre + STD * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def batches(config, head):
    """Return {call: the arguments of one forward pass}."""
    random, pad = np.random.default_rng(SEED), config.pad_token_id or 0
    shape = (2, 3, 9) if head == "mc" else (3, 12)
    ids = random.integers(5, VOCABULARY, shape)
    mask = np.ones(shape, int)
    mask[1, ..., 7:] = 0
    ids = np.where(mask, ids, pad)
    calls = {"padded": {"input_ids": ids, "attention_mask": mask}, "bare": {"input_ids": ids[:1]}}
    if head == "base":
        calls["placed"] = {**calls["padded"], "position_ids": random.integers(3, 40, shape)}
        calls["long"] = {"input_ids": random.integers(5, VOCABULARY, (1, 200))}
    return {call: {name: torch.tensor(array) for name, array in each.items()} for call, each in calls.items()}


def outputs(model, call, batch):
    """Return the entries out/ of one call."""
    with torch.no_grad():
        found = model(**batch, output_hidden_states=call != "long", output_attentions=call != "long")
    named = {name: array for name, array in found.items() if torch.is_tensor(array)}
    if type(model).__name__.endswith("Model") and call != "long":
        named |= {f"{name}.{i}": array for name in ("hidden_states", "attentions")
                  for i, array in enumerate(found[name])}
    return {name: array.numpy() for name, array in named.items()}


def main():
    """Write every folder, or those of the families that the command line names."""
    for name in sys.argv[1:] or FAMILIES:
        beginning, settings, lacking = FAMILIES[name]
        for head in set(ENDS) - set(lacking):
            cls = getattr(T, beginning + ENDS[head])
            own = {"num_labels": 2} if head == "qa" else {}
            if head != "base" and "max_position_embeddings" in settings:
                own["max_position_embeddings"] = 16                       # a small file
            model = randomise(cls(cls.config_class(**{**COMMON, **settings, **own})))
            folder, arrays = HERE / name / head, {}
            folder.mkdir(parents=True, exist_ok=True)
            for call, batch in batches(model.config, head).items():
                arrays |= {f"{call}/in/{key}": array.numpy().astype("int32") for key, array in batch.items()}
                arrays |= {f"{call}/out/{key}": array for key, array in outputs(model, call, batch).items()}
            np.savez_compressed(folder / "ref.npz", **arrays)
            model.save_pretrained(folder)
        print(name, sum(path.stat().st_size for path in (HERE / name).rglob("*") if path.is_file()) // 1024, "KiB")


if __name__ == "__main__":
    main()
