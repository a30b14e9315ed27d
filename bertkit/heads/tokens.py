"""Heads that answer for each token: its class, whether an answer starts or ends there, which word it is."""

import keras
import numpy as np

from bertkit.errors import Error
from bertkit.heads.losses import SpanCrossEntropy, TokenCrossEntropy
from bertkit.heads.task_model import TaskModel
from bertkit.kinds.values import to_json


@keras.saving.register_keras_serializable("bertkit")
class TokenClassifier(TaskModel):
    """An encoder with a head that gives each token a logit for each of `labels`; call(batch) -> [B,T,C] float32.

    Devlin et al. 2018, section 5.3 (NER). `head_config` and `dropout` as in `Classifier`.
    """

    each_token = True

    def __init__(self, encoder, labels, dropout=None, head_config=None, name="tagger", **options):
        if len(labels) < 1 or len(set(labels)) != len(labels):
            raise Error(f"labels={list(labels)!r}; wanted one or more different names.")
        self.labels = tuple(labels)
        super().__init__(encoder, {"tag": head_config}, {"tag": len(labels)}, dropout, name=name, **options)

    def settings(self):
        return {"labels": list(self.labels), **super().settings()}

    def loss_function(self):
        """Return −log softmax(logits)[label], the mean over the tokens of a batch whose label is not −1."""
        return TokenCrossEntropy()

    def call(self, inputs, training=None):
        return self.logits(inputs, training)["tag"]


@keras.saving.register_keras_serializable("bertkit")
class QuestionAnswering(TaskModel):
    """An encoder that scores each token as an answer's first and last (Devlin et al. 2018, section 4.2).

    call(batch) -> {"start_logits" [B,T], "end_logits" [B,T]} float32.
    """

    each_token = True

    def __init__(self, encoder, dropout=None, head_config=None, name="answerer", **options):
        super().__init__(encoder, {"answer": head_config}, {"answer": 2}, dropout, name=name, **options)

    def loss_function(self):
        """Return (−log softmax(start)[first] − log softmax(end)[last]) / 2, the batch mean; labels [B,2]."""
        return SpanCrossEntropy()

    def call(self, inputs, training=None):
        logits = self.logits(inputs, training)["answer"]
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}


@keras.saving.register_keras_serializable("bertkit")
class BeamQuestionAnswering(TaskModel):
    """An encoder that searches for answers: the likeliest starts, the likeliest ends after each, whether there is one.

    call(batch) -> {"start_top_probabilities", "start_top_index" [B,n], "end_top_probabilities", "end_top_index"
    [B,m·n], "cls_logits" [B]: that there is no answer}; end i·n + j is the i-th likeliest of start j. The batch may
    hold "answer_mask" [B,T], 1 where no answer can be, and "cls_index" [B], the place of the classification token, by
    default the last. With "start_positions" [B], as in training, it gives {"start_logits" [B,T], "end_logits" [B,T],
    given those starts, "cls_logits" [B]} (see `heads.beam.answer_loss`). Raises `Error` on places outside a row.
    """

    def __init__(self, encoder, head_config=None, name="beam_answerer", **options):
        super().__init__(encoder, {"beam": head_config}, name=name, **options)

    def settings(self):
        return {"head_config": super().settings()["head_config"]}

    def checked(self, inputs):
        if isinstance(inputs, dict):
            shape = np.shape(inputs.get("token_ids"))
            inputs = {name: _places(name, value, shape) if name in ("cls_index", "start_positions") else value
                      for name, value in inputs.items()}
        return super().checked(inputs)

    def call(self, inputs, training=None):
        return self.logits(inputs, training)["beam"]


def _places(name, places, shape):
    """Return one place in each row as an array, after looking at it; tensors as they are."""
    if not isinstance(places, list | tuple | np.ndarray) or len(shape) != 2:
        return places
    places = np.asarray(places)
    if places.shape != shape[:1] or places.dtype.kind not in "iu" or not ((0 <= places) & (places < shape[1])).all():
        raise Error(f"{name}={str(places.tolist())[:80]}; wanted one whole number of 0 to {shape[1] - 1} for each of "
                    f"{shape[0]} rows.")
    return places


@keras.saving.register_keras_serializable("bertkit")
class LanguageModel(TaskModel):
    """An encoder that gives each place a logit for each entry of the vocabulary; call(batch) -> [B,T,V].

    A masked language model, or a causal one where the encoder's attention is; "masked_positions" [B,K] in the batch
    asks for those places alone, [B,K,V].
    """

    def __init__(self, encoder, head_config=None, name="language_model", **options):
        super().__init__(encoder, {"mlm": head_config}, name=name, **options)

    def settings(self):
        return {"head_config": to_json(self.kinds["mlm"])}

    def call(self, inputs, training=None):
        return self.logits(inputs, training)["mlm"]


@keras.saving.register_keras_serializable("bertkit")
class PretrainingModel(TaskModel):
    """An encoder with some of the heads it was pre-trained with: `heads` names "mlm", "nsp", "sop", "rtd", "sbo".

    call(batch) -> {"mlm_logits" [B,T,V] (with "masked_positions" [B,K,V]), "nsp_logits" or "sop_logits" [B,2],
    "rtd_logits" [B,T] (Clark et al. 2020, section 3), "sbo_logits" [B,S,N,V]}, of each head that can answer.
    """

    OUTPUTS = {"nsp": 2, "sop": 2, "rtd": 1}

    def __init__(self, encoder, heads, head_configs=None, name="pretrained", **options):
        kinds = {head: (head_configs or {}).get(head) for head in heads}
        super().__init__(encoder, kinds, self.OUTPUTS, name=name, **options)

    def settings(self):
        return {"heads": list(self.kinds), "head_configs": {name: to_json(kind) for name, kind in self.kinds.items()}}

    def call(self, inputs, training=None):
        found = {name: logits[..., 0] if name == "rtd" else logits
                 for name, logits in self.logits(inputs, training).items() if logits is not None}
        return {f"{name}_logits": logits for name, logits in found.items()}
