"""An encoder and its objectives as one model for `fit()`."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from bertkit import family
from bertkit.distribution import across_devices, sum_over_devices
from bertkit.errors import Error
from bertkit.heads import LanguageModel, PretrainingModel
from bertkit.heads.unread import FreezesUnreadLayers
from bertkit.objectives.objective import Objective

INTERNAL = "keys"       # an entry that only the draws of a batch read, and not the model


class Pretrainer(FreezesUnreadLayers):
    """An encoder and its objectives as one model, which minimises the weighted sum of the objectives' losses.

    `Pretrainer(encoder, [MLM(tokenizer), NSP()]).fit(pretrainer.dataset(sampler), ...)`. The attribute `model` is what
    is saved: the encoder with the heads of the objectives. The logs are the losses of the step, not means. Pre-train
    with rates of dropout as the config says (0.1 in the paper).

    Args:
        encoder: The `Encoder` to pre-train.
        objectives: The objectives, such as `MLM` and `NSP`.
        options: Further arguments of `keras.Model`, such as `name`.

    Raises:
        Error: when two objectives need different rows, or have a loss of the same name.

    Example:
        >>> from bertkit import Encoder, EncoderConfig
        >>> from bertkit.objectives import MLM, NSP
        >>> encoder = Encoder(EncoderConfig(7, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"]
        >>> pretrainer = Pretrainer(encoder, [MLM(words), NSP()])
        >>> type(pretrainer.model).__name__, pretrainer.factors
        ('PretrainingModel', {'mlm': 1.0, 'nsp': 1.0})
    """

    def __init__(self, encoder: Any, objectives: Iterable[Objective], **options: Any) -> None:
        super().__init__(**options)
        self.objectives = list(objectives)
        self.model = _with_heads(encoder, self.objectives)
        self.encoder = encoder
        self.parts = {str(i): part for i, objective in enumerate(self.objectives)
                      if (part := objective.make_layer(encoder)) is not None}
        self.factors = _factors(self.objectives)
        self.latest = {name: keras.Variable(0.0, trainable=False, dtype="float32", name=f"latest_{name}",
                                            aggregation="only_first_replica")
                       for name in ("loss", "tokens", *self.factors)}
        self.refused: Error | None = None
        self.built = True

    def compile(self, *arguments: Any, jit_compile: bool = False, **options: Any) -> None:
        """Compile as Keras does, by default without XLA, which would compile the step anew for each length of batch.

        Args:
            arguments: Those of `keras.Model.compile`.
            jit_compile: Whether XLA compiles the whole step.
            options: Those of `keras.Model.compile`.
        """
        super().compile(*arguments, jit_compile=jit_compile, **options)

    def fit(self, *arguments: Any, **options: Any) -> Any:
        """Train as `keras.Model.fit` does.

        Args:
            arguments: Those of `keras.Model.fit`.
            options: Those of `keras.Model.fit`.

        Returns:
            The Keras `History`.

        Raises:
            Error: when the corpus is damaged; TensorFlow would wrap this error in its own.
        """
        try:
            return super().fit(*arguments, **options)
        except tf.errors.OpError:
            if self.refused is None:
                raise
            raise self.refused from None

    @property
    def unread_layers(self) -> tuple[Any, ...]:
        """Layers of the saved model that no output depends on; they are not trained."""
        return self.model.unread_layers

    @property
    def arrange(self) -> Callable[..., Any] | None:
        """The function that makes a row from a record (see `corpus.rows`); None where no objective needs one."""
        return arrangement(self.objectives)

    def corrupt(self, batch: dict[str, Any]) -> dict[str, np.ndarray]:
        """Apply every objective's `corrupt` to a batch, in their order.

        Args:
            batch: A batch of a sampler, see `CorpusSampler.batch`.

        Returns:
            The batch for the model as numpy arrays: "token_ids" int32 [B,T], the sampler's other entries, and what the
            objectives add.
        """
        for objective in self.objectives:
            batch = objective.corrupt(batch)
        return {name: np.asarray(value) for name, value in batch.items() if name not in (INTERNAL, "step")}

    def dataset(self, sampler: Any, start: int = 0, steps: int | None = None) -> Any:
        """Make a dataset of the corrupted batches of a sampler.

        Args:
            sampler: An object with `batch(step)`, such as a `CorpusSampler` or a `PhasedSampler`.
            start: The first step.
            steps: How many steps; None never ends.

        Returns:
            A `tf.data.Dataset` of batches.
        """
        def batches():
            step = start
            while steps is None or step < start + steps:
                try:
                    yield self.corrupt(sampler.batch(step))
                except Error as error:
                    self.refused = error
                    raise
                step += 1

        signature = {name: tf.TensorSpec((None,) * value.ndim, value.dtype)
                     for name, value in self.corrupt(sampler.batch(start)).items()}
        return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(4)

    def call(self, features: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Compute the outputs of the saved model and of the objectives' own parts.

        Args:
            features: A batch that `corrupt` returned, as tensors of the same shapes.
            training: Whether dropout is on.

        Returns:
            The outputs by name, such as "mlm_logits" [B,K,V].
        """
        own: dict[str, Any] = {}
        for i, objective in enumerate(self.objectives):
            features, more = objective.prepare_features(features, self.parts.get(str(i)), training)
            own |= more
        outputs = self.model(self.model.select_entries(features), training=training)
        return {**(outputs if isinstance(outputs, dict) else {"mlm_logits": outputs}), **own}

    def train_step(self, data: Any) -> Any:
        """Do Keras' training step, together with the other workers where there are any.

        Args:
            data: A batch.

        Returns:
            The logs of the step, {name: number}.
        """
        with across_devices():
            return super().train_step(data)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Any:
        """Compute the weighted sum of the losses, and remember each of them for the logs.

        Args:
            x: The batch.
            y: Not used; the labels are in the batch.
            y_pred: The outputs of `call`.
            sample_weight: Not used.
            training: Not used.

        Returns:
            A float32 scalar.
        """
        losses = self.weighted_losses(y_pred, x)
        tokens, = sum_over_devices([ops.sum(ops.cast(x["padding_mask"], "float32"))])
        for name, value in {**losses, "tokens": tokens}.items():
            self.latest[name].assign(value)
        return losses["loss"]

    def weighted_losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute each objective's losses, and their weighted sum.

        Args:
            outputs: The outputs of `call`.
            features: The batch.

        Returns:
            {name: loss} and "loss", their weighted sum, float32 scalars.
        """
        losses = {name: value for objective in self.objectives
                  for name, value in objective.losses(outputs, features).items()}
        return losses | {"loss": sum(self.factors[name] * value for name, value in losses.items())}

    def scores(self, batch: dict[str, Any]) -> dict[str, float]:
        """Compute the losses and accuracies of a batch without dropout.

        Args:
            batch: A batch that `corrupt` returned.

        Returns:
            {name: number}.
        """
        scores = self._scored({name: ops.convert_to_tensor(value) for name, value in batch.items()})
        return {name: float(value) for name, value in scores.items()}

    @cached_property
    def _scored(self):
        """The function behind `scores`, compiled once for batches of every shape."""
        def scored(features):
            outputs = self(features, training=False)
            accuracies = [objective.accuracies(outputs, features) for objective in self.objectives]
            return self.weighted_losses(outputs, features) | {name: value for shares in accuracies
                                                              for name, value in shares.items()}

        return tf.function(scored, reduce_retracing=True)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Return the losses of the latest step.

        Args:
            x: Not used.
            y: Not used.
            y_pred: Not used.
            sample_weight: Not used.

        Returns:
            {name: a float32 scalar}.
        """
        return {name: ops.convert_to_tensor(variable) for name, variable in self.latest.items()}


def _factors(objectives):
    """Return the factor of each loss; raises `Error` where two objectives have a loss of the same name."""
    factors = {}
    for objective in objectives:
        if twice := sorted(factors.keys() & objective.weights.keys()):
            raise Error(f"Two objectives have a loss of the name {twice[0]!r}; give one of them.")
        factors |= objective.weights
    return factors


def arrangement(objectives: Iterable[Objective]) -> Callable[..., Any] | None:
    """Return the one arrangement of rows that the objectives need.

    Args:
        objectives: The objectives that are trained together.

    Returns:
        A function of `corpus.rows`, or None where any arrangement will do.

    Raises:
        Error: when two objectives need different arrangements.
    """
    wanted = list(dict.fromkeys(objective.arrange for objective in objectives if objective.arrange))
    if len(wanted) > 1:
        raise Error(f"{wanted[0].__name__} and {wanted[1].__name__} need different rows; give one of these two "
                    "objectives.")
    return wanted[0] if wanted else None


def _with_heads(encoder, objectives):
    """Return the model that is shipped: the family's own kind of each head where its page has one."""
    kinds = {name: kind for objective in objectives for name, kind in objective.heads.items()}
    published = family.page(encoder.config.family).HEADS
    kinds = {name: None if name in published else kind for name, kind in kinds.items()}
    if list(kinds) == ["mlm"]:
        return LanguageModel(encoder, kinds["mlm"])
    sizes = {name: size for objective in objectives for name, size in objective.sizes.items()}
    return PretrainingModel(encoder, list(kinds), kinds, sizes)
