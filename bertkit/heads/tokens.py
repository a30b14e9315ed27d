"""Models with logits for each token: its class, whether an answer starts or ends there, which word it is."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads.losses import SpanCrossEntropy, TokenCrossEntropy
from bertkit.heads.task_model import TaskModel, check_labels
from bertkit.kinds.values import to_json


@keras.saving.register_keras_serializable("bertkit")
class TokenClassifier(TaskModel):
    """An encoder with a head that gives each token a logit for each of `labels`; call(batch) -> [B,T,C] float32.

    Devlin et al. 2018, section 5.3 (NER).

    Args:
        encoder: The `Encoder` to read texts with.
        labels: The C names of the classes of a token.
        dropout: The rate of dropout of the head, a probability; None takes that of the kind of head, or else of the
            encoder.
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when there are no labels or one comes twice.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> tuple(TokenClassifier(encoder, ["O", "B-PER", "I-PER"])({"token_ids": [[5, 6]]}).shape)
        (1, 2, 3)
    """

    each_token = True

    def __init__(self, encoder: Encoder, labels: Sequence[str], dropout: float | None = None, head_config: Any = None,
                 name: str = "tagger", **options: Any) -> None:
        check_labels(labels)
        self.labels = tuple(labels)
        super().__init__(encoder, {"tag": head_config}, {"tag": len(labels)}, dropout, name=name, **options)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"labels": list(self.labels), **super().settings()}

    def loss_function(self) -> keras.losses.Loss:
        """Make the loss −log softmax(logits)[label], the mean over the tokens of a batch whose label is not −1.

        Returns:
            A Keras loss.
        """
        return TokenCrossEntropy()

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits of each token.

        Args:
            inputs: The batch: "token_ids" int [B,T] and the other entries that the encoder reads.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,T,C] float32.
        """
        return self.logits(inputs, training)["tag"]


@keras.saving.register_keras_serializable("bertkit")
class QuestionAnswering(TaskModel):
    """An encoder that scores each token as an answer's first and as its last (Devlin et al. 2018, section 4.2).

    call(batch) -> {"start_logits" [B,T], "end_logits" [B,T]} float32.

    Args:
        encoder: The `Encoder` to read texts with.
        dropout: The rate of dropout of the head, a probability; None takes that of the kind of head, or else of the
            encoder.
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the family of the encoder has no head for this task.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> sorted(QuestionAnswering(encoder)({"token_ids": [[5, 6, 7]]}))
        ['end_logits', 'start_logits']
    """

    each_token = True

    def __init__(self, encoder: Encoder, dropout: float | None = None, head_config: Any = None, name: str = "answerer",
                 **options: Any) -> None:
        super().__init__(encoder, {"answer": head_config}, {"answer": 2}, dropout, name=name, **options)

    def loss_function(self) -> keras.losses.Loss:
        """Make the loss (−log softmax(start)[first] − log softmax(end)[last]) / 2, a mean over the batch; labels [B,2].

        Returns:
            A Keras loss.
        """
        return SpanCrossEntropy()

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Compute the logits of each token as the start and as the end of the answer.

        Args:
            inputs: The batch: "token_ids" int [B,T] and the other entries that the encoder reads.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            {"start_logits" [B,T], "end_logits" [B,T]} float32.
        """
        logits = self.logits(inputs, training)["answer"]
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}


@keras.saving.register_keras_serializable("bertkit")
class BeamQuestionAnswering(TaskModel):
    """An encoder that searches for answers: the likeliest starts, the likeliest ends after each, whether there is one.

    The batch may hold "answer_mask" [B,T], 1 where no answer can be, and "cls_index" [B], the position of the
    classification token, by default the last.

    Args:
        encoder: The `Encoder` to read texts with.
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when a call gets positions outside a row.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> from bertkit.kinds import Beam
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> found = BeamQuestionAnswering(encoder, Beam(starts=2, ends=3))({"token_ids": [[5, 6, 7, 8]]})
        >>> {name: tuple(value.shape) for name, value in found.items() if name.endswith("index")}
        {'start_top_index': (1, 2), 'end_top_index': (1, 6)}
    """

    def __init__(self, encoder: Encoder, head_config: Any = None, name: str = "beam_answerer", **options: Any) -> None:
        super().__init__(encoder, {"beam": head_config}, name=name, **options)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"head_config": super().settings()["head_config"]}

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make int32 arrays of its lists and arrays.

        Args:
            inputs: A batch, {name: list, array or tensor}.

        Returns:
            The batch as this model computes with it.

        Raises:
            Error: when "cls_index" or "start_positions" holds positions outside a row, or the encoder cannot read the
                batch.
        """
        if isinstance(inputs, dict):
            shape = np.shape(inputs.get("token_ids"))  # type: ignore[arg-type]
            inputs = {name: _places(name, value, shape) if name in ("cls_index", "start_positions") else value
                      for name, value in inputs.items()}
        return super().check_batch(inputs)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Search for the answers of a batch.

        Args:
            inputs: The batch: "token_ids" int [B,T], and optionally "answer_mask" [B,T], "cls_index" [B], and, as in
                training, "start_positions" [B].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            {"start_top_probabilities", "start_top_index" [B,n], "end_top_probabilities", "end_top_index" [B,m·n],
            "cls_logits" [B]: that there is no answer}; end i·n + j is the i-th likeliest of start j. With
            "start_positions" {"start_logits" [B,T], "end_logits" [B,T], given those starts, "cls_logits" [B]} (see
            `heads.beam.answer_loss`).
        """
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
    """An encoder that gives each position a logit for each entry of the vocabulary; call(batch) -> [B,T,V].

    It is a masked language model, or a causal one where the encoder's attention is causal. With "masked_positions"
    [B,K] in the batch it computes only those, [B,K,V].

    Args:
        encoder: The `Encoder` to read texts with.
        head_config: The kind of head, such as a `HeadConfig`, or its JSON; None takes that of the paper of the
            encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the family of the encoder has no head for this task.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> model = LanguageModel(encoder)
        >>> tuple(model({"token_ids": [[5, 6, 7]]}).shape)
        (1, 3, 100)
        >>> tuple(model({"token_ids": [[5, 6, 7]], "masked_positions": np.array([[1]])}).shape)
        (1, 1, 100)
    """

    def __init__(self, encoder: Encoder, head_config: Any = None, name: str = "language_model", **options: Any) -> None:
        super().__init__(encoder, {"mlm": head_config}, name=name, **options)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"head_config": to_json(self.kinds["mlm"])}

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits over the vocabulary.

        Args:
            inputs: The batch: "token_ids" int [B,T], the other entries that the encoder reads, and optionally
                "masked_positions" int [B,K].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,T,V], or [B,K,V] of the masked positions.
        """
        return self.logits(inputs, training)["mlm"]


@keras.saving.register_keras_serializable("bertkit")
class PretrainingModel(TaskModel):
    """An encoder with some of the heads that it was pre-trained with.

    call(batch) -> {"mlm_logits" [B,T,V] (with "masked_positions" [B,K,V]), "nsp_logits" or "sop_logits" [B,2],
    "rtd_logits" [B,T] (Clark et al. 2020, section 3), "sbo_logits" [B,S,N,V]}, of each head that has what it reads.

    Args:
        encoder: The `Encoder` to read texts with.
        heads: The names of the heads: "mlm", "nsp", "sop", "rtd", "sbo".
        head_configs: {head name: kind of head, or its JSON}; a missing one is that of the encoder's family.
        sizes: {head name: number of logits}, for heads with other names.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the family of the encoder has no such head.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> found = PretrainingModel(encoder, ["mlm", "nsp"])({"token_ids": [[5, 6, 7]]})
        >>> {name: tuple(logits.shape) for name, logits in found.items()}
        {'mlm_logits': (1, 3, 100), 'nsp_logits': (1, 2)}
    """

    OUTPUTS = {"nsp": 2, "sop": 2, "rtd": 1}

    def __init__(self, encoder: Encoder, heads: Iterable[str], head_configs: dict[str, Any] | None = None,
                 sizes: dict[str, int] | None = None, name: str = "pretrained", **options: Any) -> None:
        kinds = {head: (head_configs or {}).get(head) for head in heads}
        self.sizes = dict(sizes or {})
        super().__init__(encoder, kinds, {**self.OUTPUTS, **self.sizes}, name=name, **options)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"heads": list(self.kinds), "head_configs": {name: to_json(kind) for name, kind in self.kinds.items()},
                "sizes": self.sizes}

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Compute the logits of the heads.

        Args:
            inputs: The batch: "token_ids" int [B,T] and the other entries that the encoder and the heads read.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            {head name + "_logits": its logits, float32, of the shapes that the class names}; a head without what it
            reads is left out.
        """
        found = {name: logits[..., 0] if name == "rtd" else logits
                 for name, logits in self.logits(inputs, training).items() if logits is not None}
        return {f"{name}_logits": logits for name, logits in found.items()}
