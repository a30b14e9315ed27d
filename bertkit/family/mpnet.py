"""MPNet: Masked and Permuted Pre-training for Language Understanding (Song et al. 2020, arXiv 2004.09297).

RoBERTa without segments, whose scores have a bias by distance that all blocks share (T5's, Raffel et al. 2020, arXiv
1910.10683); the sentence encoders of sentence-transformers are its best known models.
"""

from bertkit.errors import Error
from bertkit.family import bert, entries, roberta
from bertkit.kinds import Bucketed

CONFIG = roberta.CONFIG.but(vocabulary_size=30527, num_segments=0, attention=Bucketed(), family="mpnet")
SIZES = dict.fromkeys(("mpnet-base", "all-mpnet-base-v1", "all-mpnet-base-v2", "multi-qa-mpnet-base-dot-v1",
                       "multi-qa-mpnet-base-cos-v1", "paraphrase-mpnet-base-v2"), CONFIG)

# Its own objective, words in a drawn order of which the masked ones keep their places, is not here; words are masked.
HEADS, PRETRAINING = roberta.HEADS, roberta.PRETRAINING


def _read(values):
    """transformers puts distances into 32 buckets, and padding at id 1, whatever config.json says of them."""
    buckets, farthest = CONFIG.attention.buckets, CONFIG.attention.farthest
    if entries.whole(values, "relative_attention_num_buckets", buckets) != buckets:
        raise Error(f"relative_attention_num_buckets={values['relative_attention_num_buckets']}; MPNet's code puts "
                    f"distances into {buckets}, so give {buckets}.")
    return {"attention": Bucketed(buckets, farthest)}


def _write(config):
    if config.attention != CONFIG.attention or config.positions != CONFIG.positions:
        raise Error(f"transformers' MPNet has {CONFIG.attention} and {CONFIG.positions}, and this one has "
                    f"{config.attention} and {config.positions}; save a bundle instead.")
    return {"relative_attention_num_buckets": config.attention.buckets, "pad_token_id": config.positions.pad_id}


_ATTENTION = "encoder/block_{i}/attention"
HUGGINGFACE = roberta.HUGGINGFACE.but(
    type="mpnet", class_name="MPNet", prefix="mpnet.",
    names={ours: theirs for ours, theirs in roberta.HUGGINGFACE.names.items() if "segment" not in ours} | {
        "encoder/distances": "encoder.relative_attention_bias",
        **{f"{_ATTENTION}/{ours}": f"encoder.layer.{{i}}.attention.attn.{ours[0]}"
           for ours in ("query", "key", "value", "output")},
        _ATTENTION + "_norm": "encoder.layer.{i}.attention.LayerNorm"},
    config={ours: key for ours, key in bert.HUGGINGFACE.config.items() if ours != "num_segments"},
    ignored=("embeddings.position_ids", "lm_head.decoder."),
    defaults={"max_position_embeddings": 512, "layer_norm_eps": 1e-12}, read=_read, write=_write)
