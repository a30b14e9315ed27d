"""An encoder and its objectives as one model for `fit()`."""

from functools import cached_property

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from bertkit import family
from bertkit.distribution import together, total
from bertkit.errors import Error
from bertkit.heads import LanguageModel, PretrainingModel
from bertkit.heads.unread import TrainsWhatItReads

INTERNAL = "keys"       # what only the drawing of a batch reads


class Pretrainer(TrainsWhatItReads):
    """Minimise the weighted sum of the objectives' losses.

    `Pretrainer(encoder, [MLM(tokenizer), NSP()]).fit(pretrainer.dataset(sampler), ...)`; `model` is what is shipped:
    the encoder with the heads of the objectives. Its logs are the losses of the step, not means. Pre-train with rates
    of dropout as the config says (0.1 in the paper). Raises `Error` where objectives want unlike rows, or name a loss
    alike.
    """

    def __init__(self, encoder, objectives, **options):
        super().__init__(**options)
        self.objectives = list(objectives)
        self.model = _with_heads(encoder, self.objectives)
        self.encoder = encoder
        self.parts = {str(i): part for i, objective in enumerate(self.objectives)
                      if (part := objective.part(encoder)) is not None}
        self.factors = _factors(self.objectives)
        self.latest = {name: keras.Variable(0.0, trainable=False, dtype="float32", name=f"latest_{name}",
                                            aggregation="only_first_replica")
                       for name in ("loss", "tokens", *self.factors)}
        self.refused = None
        self.built = True

    def compile(self, *arguments, jit_compile=False, **options):
        """Keras' `compile`, without XLA for the whole step: batches of each length would be compiled anew."""
        super().compile(*arguments, jit_compile=jit_compile, **options)

    def fit(self, *arguments, **options):
        """Keras' `fit`; raises the `Error` that a damaged corpus gave, which TensorFlow would wrap."""
        try:
            return super().fit(*arguments, **options)
        except tf.errors.OpError:
            if self.refused is None:
                raise
            raise self.refused from None

    @property
    def unread(self):
        return self.model.unread

    @property
    def arrange(self):
        """How a record becomes a row's texts (see `corpus.rows`), None where no objective says."""
        return arrangement(self.objectives)

    def corrupted(self, batch):
        """Return a batch with every objective's corruption done, numpy."""
        for objective in self.objectives:
            batch = objective.corrupt(batch)
        return {name: np.asarray(value) for name, value in batch.items() if name not in (INTERNAL, "step")}

    def dataset(self, sampler, start=0, steps=None):
        """Return the tf.data.Dataset of `sampler.batch(step)`, corrupted, from `start` on; `steps` or without end."""
        def batches():
            step = start
            while steps is None or step < start + steps:
                try:
                    yield self.corrupted(sampler.batch(step))
                except Error as error:
                    self.refused = error
                    raise
                step += 1

        signature = {name: tf.TensorSpec((None,) * value.ndim, value.dtype)
                     for name, value in self.corrupted(sampler.batch(start)).items()}
        return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(4)

    def call(self, features, training=None):
        """Return the shipped model's outputs by name, and those of the objectives' own parts."""
        own = {}
        for i, objective in enumerate(self.objectives):
            features, more = objective.before(features, self.parts.get(str(i)), training)
            own |= more
        found = self.model(self.model.only(features), training=training)
        return {**(found if isinstance(found, dict) else {"mlm_logits": found}), **own}

    def train_step(self, data):
        """Keras' step, done together with the other workers where there are any."""
        with together():
            return super().train_step(data)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses = self.weighted(y_pred, x)
        tokens, = total([ops.sum(ops.cast(x["padding_mask"], "float32"))])
        for name, value in {**losses, "tokens": tokens}.items():
            self.latest[name].assign(value)
        return losses["loss"]

    def weighted(self, outputs, features):
        """Return each objective's loss by name, and "loss", their weighted sum."""
        losses = {name: value for objective in self.objectives
                  for name, value in objective.losses(outputs, features).items()}
        return losses | {"loss": sum(self.factors[name] * value for name, value in losses.items())}

    def scores(self, batch):
        """Return the losses and accuracies of a batch of arrays without dropout, {name: number}."""
        found = self._scored({name: ops.convert_to_tensor(value) for name, value in batch.items()})
        return {name: float(value) for name, value in found.items()}

    @cached_property
    def _scored(self):
        """The function behind `scores`, compiled once for batches of every shape."""
        def scored(features):
            outputs = self(features, training=False)
            accuracies = [objective.accuracies(outputs, features) for objective in self.objectives]
            return self.weighted(outputs, features) | {name: value for found in accuracies
                                                       for name, value in found.items()}

        return tf.function(scored, reduce_retracing=True)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return {name: ops.convert_to_tensor(variable) for name, variable in self.latest.items()}


def _factors(objectives):
    """Return the factor of each loss; raises `Error` where two objectives hide the same words for one of a name."""
    found = {}
    for objective in objectives:
        if twice := sorted(found.keys() & objective.weights.keys()):
            raise Error(f"Two objectives have a loss {twice[0]!r}; give one of them.")
        found |= objective.weights
    return found


def arrangement(objectives):
    """Return the one way in which objectives want their rows made, None where any will do; raises `Error` for two."""
    found = list(dict.fromkeys(objective.arrange for objective in objectives if objective.arrange))
    if len(found) > 1:
        raise Error(f"{found[0].__name__} and {found[1].__name__} want other rows; give one of them.")
    return found[0] if found else None


def _with_heads(encoder, objectives):
    """Return the model that is shipped: the family's own kind of each head where its page has one."""
    kinds = {name: kind for objective in objectives for name, kind in objective.heads.items()}
    published = family.page(encoder.config.family).HEADS
    kinds = {name: None if name in published else kind for name, kind in kinds.items()}
    if list(kinds) == ["mlm"]:
        return LanguageModel(encoder, kinds["mlm"])
    return PretrainingModel(encoder, list(kinds), kinds)
