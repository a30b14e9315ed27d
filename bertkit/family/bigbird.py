"""Big Bird: Transformers for Longer Sequences (Zaheer et al. 2020, arXiv 2007.14062).

BERT over 4096 tokens whose blocks attend to their neighbours, to the first and last and to random blocks.
"""

from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.kinds import Answer, Full, HeadConfig, Sparse, Summed

CHANGES = {"vocabulary_size": 50358, "max_sequence_length": 4096, "activation": "gelu_tanh", "attention": Sparse(),
           "inputs": Summed(early_dropout=True, separator=66), "family": "bigbird"}
CONFIG = bert.CONFIG.but(**CHANGES)
SIZES = {"bigbird-roberta-base": CONFIG, "bigbird-roberta-large": bert.LARGE.but(**CHANGES)}
HEADS = bert.HEADS | {"classify": HeadConfig("first", "encoder", drop_first=True), "answer": Answer()}
PRETRAINING = bert.PRETRAINING

# How config.json calls attention over all pairs and over blocks.
_FULL, _BLOCKS = "original_full", "block_sparse"


def _attention(values):
    causal = entries.flag(values, "is_decoder", False)
    if entries.choice(values, "attention_type", _BLOCKS, (_BLOCKS, _FULL)) == _FULL:
        return Full(causal=causal)
    if causal:
        raise Error(f"is_decoder=true came with attention_type={_BLOCKS}, whose blocks attend to later tokens; "
                    f"give attention_type={_FULL}.")
    return Sparse(entries.whole(values, "block_size", 64, least=1), entries.whole(values, "num_random_blocks", 3))


def _read(values):
    return {"attention": _attention(values), "qkv_bias": entries.flag(values, "use_bias", True),
            "inputs": Summed(scaled=entries.flag(values, "rescale_embeddings", False), early_dropout=True,
                             separator=entries.whole(values, "sep_token_id", 66))}


def _write(config):
    kind = config.attention
    attention = {"attention_type": _FULL, "is_decoder": kind.causal} if isinstance(kind, Full) else {
        "attention_type": _BLOCKS, "block_size": kind.size, "num_random_blocks": kind.random}
    return attention | {"use_bias": config.qkv_bias, "rescale_embeddings": config.inputs.scaled,
                        "sep_token_id": config.inputs.separator}


HUGGINGFACE = bert.HUGGINGFACE.but(
    type="big_bird", class_name="BigBird", causal="ForCausalLM", keeps_pooler=True,
    names={ours: theirs for ours, theirs in bert.HUGGINGFACE.names.items() if ours != "answer/logits"} | {
        "encoder/pooler": "pooler", "classify/dense": "classifier.dense", "classify/logits": "classifier.out_proj",
        "answer/inner": "qa_classifier.intermediate.dense", "answer/outer": "qa_classifier.output.dense",
        "answer/norm": "qa_classifier.output.LayerNorm", "answer/logits": "qa_classifier.qa_outputs"},
    unused=("cls.", "classifier.", "qa_classifier."),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "cls.predictions.decoder."),
    read=_read, write=_write)
