"""ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators (Clark et al. 2020, arXiv 2003.10555).

Two BERTs without poolers: a small generator fills in masked words, and the discriminator, which is kept, tells which
words were replaced (section 2). Both read the embeddings of the discriminator's width, projected where it is not theirs.
"""

from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.family.formats import Google
from bertkit.kinds import Full, Language, Readout

CONFIG = bert.CONFIG.but(num_heads=4, hidden_dim=256, intermediate_dim=1024, embedding_dim=128, pooler=None,
                         family="electra")
BASE, LARGE = (config.but(pooler=None, family="electra") for config in (bert.CONFIG, bert.LARGE))
SIZES = {
    "electra-small-discriminator": CONFIG,
    "electra-base-discriminator": BASE,
    "electra-large-discriminator": LARGE,
    "electra-small-generator": CONFIG,
    "electra-base-generator": CONFIG.but(embedding_dim=BASE.hidden_dim),
    "electra-large-generator": CONFIG.but(num_layers=24, embedding_dim=LARGE.hidden_dim),
}

# Replaced-token detection: each token's dense layer and logit (section 2, appendix A); sentences by GELU, not by tanh.
HEADS = {"classify": Readout("first", "gelu_erf", drop_first=True), "choose": Readout("first", "gelu_erf", dropout=0.1),
         "tag": Readout("each"), "answer": Readout("each", dropout=0.0), "mlm": Language("gelu_erf"),
         "rtd": Readout("each", "encoder", dropout=0.0)}
PRETRAINING = ("rtd",)

# What transformers calls the token that sums up a text; the one at "cls_index" is the last if nobody says which.
_SUMMARIES = {"first": "first", "last": "last", "mean": "mean", "cls_index": "last"}


def _read(values):
    """E = D says that there is no projection."""
    sizes = {name: entries.whole(values, name, default, least=1)
             for name, default in (("embedding_size", 128), ("hidden_size", CONFIG.hidden_dim))}
    narrow, wide = sizes.values()
    return {"embedding_dim": None if narrow == wide else narrow,
            "attention": Full(causal=entries.flag(values, "is_decoder", False))}


def _write(config):
    return {"embedding_size": config.embedding_dim or config.hidden_dim, "is_decoder": config.attention.causal}


def _read_heads(values):
    """The multiple-choice head sums up a text as config.json says."""
    dense = entries.flag(values, "summary_use_proj", True)
    plain = values.get("summary_activation") == ""
    activation = "linear" if plain else entries.activation(values, "summary_activation")
    return {"choose": Readout(_SUMMARIES[entries.choice(values, "summary_type", "first", _SUMMARIES)],
                              None if plain and not dense else activation, dense=dense, dropout=0.1)}


def _write_heads(kinds):
    if "choose" not in kinds:
        return {}
    kind = kinds["choose"]
    return {"summary_type": kind.reduce, "summary_use_proj": kind.dense,
            "summary_activation": entries.NAMES.get(kind.activation, "")}


_ENCODER = {ours: theirs for ours, theirs in bert.HUGGINGFACE.names.items()
            if ours.startswith("encoder/") and ours != "encoder/pooler"} | {
    "encoder/embeddings/projection": "embeddings_project"}
HUGGINGFACE = bert.HUGGINGFACE.but(
    type="electra", class_name="Electra", prefix="electra.", causal="ForCausalLM",
    names=_ENCODER | {
        "classify/dense": "classifier.dense", "classify/logits": "classifier.out_proj",
        "choose/dense": "sequence_summary.summary", "choose/logits": "classifier",
        "tag/logits": "classifier", "answer/logits": "qa_outputs",
        "rtd/dense": "discriminator_predictions.dense", "rtd/logits": "discriminator_predictions.dense_prediction",
        "mlm/dense": "generator_predictions.dense", "mlm/norm": "generator_predictions.LayerNorm",
        "mlm": "generator_lm_head", "mlm/decoder": "generator_lm_head"},
    config={**bert.HUGGINGFACE.config, "embedding_dim": "embedding_size"},
    aside=("classifier.", "sequence_summary.", "qa_outputs.", "discriminator_predictions.", "generator_"),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "generator_lm_head.weight"),
    dropouts={"classify": "classifier_dropout", "tag": "classifier_dropout", "choose": "summary_last_dropout"},
    read=_read, write=_write, read_heads=_read_heads, write_heads=_write_heads)


def _own_sizes(config, shapes):
    """The generator's sizes, of which the config says nothing: heads are as wide as the discriminator's."""
    first = "generator/encoder/layer_0/"
    hidden, inner = (shapes.get(first + name, (0,))[0] for name in ("output/dense/bias", "intermediate/dense/bias"))
    layers = {name.split("/")[2] for name in shapes if name.startswith("generator/encoder/")}
    if not layers:
        raise Error("The checkpoint holds no generator/encoder/...; without part=\"generator\" it is the discriminator.")
    width = config.embedding_dim or config.hidden_dim
    return config.but(num_layers=len(layers), hidden_dim=hidden, intermediate_dim=inner,
                      num_heads=max(1, hidden // config.head_dim), embedding_dim=None if width == hidden else width)


# google-research/electra: one checkpoint holds both models, which share the embeddings; "gelu" is the exact form there.
_SCOPES = {ours: theirs.replace("layer.{i}", "layer_{i}").replace(".", "/") for ours, theirs in _ENCODER.items()}
_GENERATOR = Google(
    file="config.json", config=HUGGINGFACE.config, gelu="gelu_erf", read=_read, measure=_own_sizes,
    aside=("electra/embeddings_project/", "electra/encoder/", "discriminator_predictions/"),
    names={ours: ("electra/" if ours.startswith("encoder/embeddings/") and not ours.endswith("projection")
                  else "generator/") + theirs for ours, theirs in _SCOPES.items()} | {
        "mlm/dense": "generator_predictions/dense", "mlm/norm": "generator_predictions/LayerNorm",
        "mlm/bias": "generator_predictions/output_bias"})
GOOGLE = _GENERATOR.but(
    measure=lambda config, shapes: config, aside=("generator/", "generator_predictions/", "discriminator_predictions/"),
    names={ours: "electra/" + theirs for ours, theirs in _SCOPES.items()} | {
        "rtd/dense": "discriminator_predictions/dense", "rtd/logits": "discriminator_predictions/dense_1"},
    parts={"generator": _GENERATOR})
