"""ERNIE: Enhanced Representation through Knowledge Integration (Sun et al. 2019, arXiv 1904.09223).

BERT with a table of tasks from version 2 on, of which a text has the first unless a call names another, as in
transformers. That row is added to the table of segments, so that a text is read as there; the other rows are set aside.
"""

from bertkit.family import bert

CHANGES = {"family": "ernie"}
CONFIG = bert.CONFIG.but(**CHANGES)
# PaddleNLP's ErnieModel of version 3.0, as mindnlp lists its sizes.
_THIRD = CONFIG.but(vocabulary_size=40000, max_sequence_length=2048, num_segments=4)
SIZES = {"ernie-3.0-base-zh": _THIRD, "ernie-3.0-medium-zh": _THIRD.but(num_layers=6)}
HEADS, PRETRAINING = bert.HEADS, bert.PRETRAINING
_TASKS = "embeddings.task_type_embeddings.weight"
HUGGINGFACE = bert.HUGGINGFACE.but(
    type="ernie", class_name="Ernie", prefix="ernie.", causal="ForCausalLM",
    ignored=(*bert.HUGGINGFACE.ignored, _TASKS),
    first_rows={"embeddings.token_type_embeddings.weight": (_TASKS, "use_task_id")})
