"""SpanBERT: improving pre-training by representing and predicting spans (Joshi et al. 2019, arXiv 1907.10529).

A cased BERT without next-sentence prediction; its news is the span boundary objective (section 3.2).
"""

from bertkit.family import bert
from bertkit.kinds import Boundary

CONFIG = bert.CONFIG.but(**bert.CASED, family="spanbert")
SIZES = {"spanbert-base-cased": CONFIG, "spanbert-large-cased": bert.LARGE.but(**bert.CASED, family="spanbert")}
HEADS = {name: kind for name, kind in bert.HEADS.items() if name != "nsp"} | {"sbo": Boundary()}
PRETRAINING = ("mlm", "sbo")

_SPANS = "cls.pair_target_predictions."
_LAYERS = _SPANS + "mlp_layer_norm."
HUGGINGFACE = bert.HUGGINGFACE.but(
    class_name="SpanBert",
    names={**bert.HUGGINGFACE.names,
           "sbo/positions": _SPANS + "position_embeddings.weight", "sbo/bias": _SPANS + "bias",
           "sbo/dense_1": _LAYERS + "linear1", "sbo/dense_2": _LAYERS + "linear2",
           "sbo/norm_1": _LAYERS + "layer_norm1", "sbo/norm_2": _LAYERS + "layer_norm2"},
    read_heads=lambda values: {"sbo": Boundary(targets=values.get("max_pair_targets", 20),
                                               width=values.get("pair_positional_embedding_size", 200))},
    write_heads=lambda kinds: {"max_pair_targets": kinds["sbo"].targets,
                               "pair_positional_embedding_size": kinds["sbo"].width} if "sbo" in kinds else {})
