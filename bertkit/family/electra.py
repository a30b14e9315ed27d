"""ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators (Clark et al. 2020, arXiv 2003.10555).

Two BERTs without poolers: a small generator fills in masked words, and the discriminator, which is kept, tells which
words were replaced (section 2). Both read the same embeddings, projected where their width is another.
"""

from bertkit.errors import Error
from bertkit.family import bert, entries, summary
from bertkit.family.formats import Google
from bertkit.kinds import Full, HeadConfig, Language

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
HEADS = {"classify": HeadConfig("first", "gelu_erf", drop_first=True),
         "choose": HeadConfig("first", "gelu_erf", dropout=0.1), "tag": HeadConfig("each"),
         "answer": HeadConfig("each", dropout=0.0), "mlm": Language("gelu_erf"),
         "rtd": HeadConfig("each", "encoder", dropout=0.0)}
PRETRAINING = ("rtd",)


def _narrow(values, own, blocks):
    """Return the embeddings' width, or None where it is that of the blocks: then there is no projection."""
    width = entries.whole(values, own, CONFIG.embedding_dim, least=1)
    return None if width == entries.whole(values, blocks, CONFIG.hidden_dim, least=1) else width


def _read(values):
    return {"embedding_dim": _narrow(values, "embedding_size", "hidden_size"),
            "attention": Full(causal=entries.flag(values, "is_decoder", False))}


def _write(config):
    return {"embedding_size": config.embedding_dim or config.hidden_dim, "is_decoder": config.attention.causal}


def _write_heads(kinds):
    return summary.write(kinds["choose"]) if "choose" in kinds else {}


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
    unused=("classifier.", "sequence_summary.", "qa_outputs.", "discriminator_predictions.", "generator_"),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "generator_lm_head.weight"),
    dropouts={"classify": "classifier_dropout", "tag": "classifier_dropout", "choose": "summary_last_dropout"},
    read=_read, write=_write, write_heads=_write_heads,
    read_heads=lambda values: {"choose": summary.read(values, "first", "gelu")})


def _own_sizes(config, shapes):
    """Return the config with the generator's sizes, from its tensors; its heads are as wide as the discriminator's."""
    first = "generator/encoder/layer_0/"
    hidden, inner = (shapes.get(first + name, (0,))[0] for name in ("output/dense/bias", "intermediate/dense/bias"))
    layers = {name.split("/")[2] for name in shapes if name.startswith("generator/encoder/")}
    if not layers:
        raise Error("The checkpoint holds no generator; leave out part=\"generator\" for its discriminator.")
    width = config.embedding_dim or config.hidden_dim
    return config.but(num_layers=len(layers), hidden_dim=hidden, intermediate_dim=inner,
                      num_heads=max(1, hidden // config.head_dim), embedding_dim=None if width == hidden else width)


# google-research/electra: one checkpoint holds both models, which share the embeddings; "gelu" is the exact form there.
_SCOPES = {ours: theirs.replace("layer.{i}", "layer_{i}").replace(".", "/") for ours, theirs in _ENCODER.items()}
_GENERATOR = Google(
    file="config.json", config=HUGGINGFACE.config, gelu="gelu_erf", read=_read, measure=_own_sizes,
    unused=("electra/embeddings_project/", "electra/encoder/", "discriminator_predictions/"),
    names={ours: ("electra/" if ours.startswith("encoder/embeddings/") and not ours.endswith("projection")
                  else "generator/") + theirs for ours, theirs in _SCOPES.items()} | {
        "mlm/dense": "generator_predictions/dense", "mlm/norm": "generator_predictions/LayerNorm",
        "mlm/bias": "generator_predictions/output_bias"})
GOOGLE = _GENERATOR.but(
    measure=lambda config, shapes: config,
    unused=("generator/", "generator_predictions/", "discriminator_predictions/"),
    names={ours: "electra/" + theirs for ours, theirs in _SCOPES.items()} | {
        "rtd/dense": "discriminator_predictions/dense", "rtd/logits": "discriminator_predictions/dense_1"},
    parts={"generator": _GENERATOR})

# keras-nlp has the tanh form, and gives ELECTRA a pooler, which nothing trained.
PRESET = bert.PRESET.but(
    class_name="ElectraBackbone", unused=("layers/dense",),
    names={ours: theirs for ours, theirs in bert.PRESET.names.items() if ours != "encoder/pooler"} | {
        "encoder/embeddings/projection": "layers/dense"},
    read=lambda values: {
        "vocabulary_size": entries.whole(values, "vocab_size", CONFIG.vocabulary_size, least=1),
        "embedding_dim": _narrow(values, "embedding_dim", "hidden_dim")})
