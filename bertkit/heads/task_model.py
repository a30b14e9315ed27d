"""An encoder with heads on it: what every model of a task or of pre-training is."""

import keras

from bertkit import family
from bertkit.encoder import checked
from bertkit.errors import Error
from bertkit.heads.defaults import completed
from bertkit.heads.head_layers import HEAD_LAYERS
from bertkit.kinds import HeadConfig, Language
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.gather import FIRST


class TaskModel(keras.Model):
    """`encoder` with a head for each name of `kinds`; a kind that is None is the one of the family's page.

    `outputs` counts the logits of each head that has some of its own; `dropout` is the heads' rate, by default that of
    their kind, or the encoder's. Subclasses say what a call gives. Raises `Error` where a head reads a pooler that the
    encoder lacks. `each_token` says that a call gives something for each token of a row, `grouped` that it takes
    several rows an example, [B,group,T], `together` that it reads as many rows an example as there are ("windows").
    """

    each_token = grouped = together = False

    def __init__(self, encoder, kinds, outputs=(), dropout=None, **options):
        super().__init__(**options)
        self.encoder = encoder
        published = family.page(encoder.config.family).HEADS
        self.kinds = {name: from_json(kind) if isinstance(kind, dict) else kind or _of(published, name, encoder)
                      for name, kind in kinds.items()}
        self.reads = {"masked" if isinstance(kind, Language) else getattr(kind, "reduce", "each")
                      for kind in self.kinds.values()}
        self.reads_pooler = "pooled" in self.reads
        if encoder.pooler is not None:                 # what nothing reads gets no gradient
            encoder.pooler.trainable = self.reads_pooler
        self.dropout = _rate(dropout, self.kinds.values(), encoder.config)
        self.heads = {name: HEAD_LAYERS[type(kind)](encoder, kind, dict(outputs).get(name), self.dropout, name=name,
                                                 dtype=self.dtype_policy)
                      for name, kind in self.kinds.items()}
        self.build()

    def build(self, _=None):
        if not self.built:
            for head in self.heads.values():
                head.build((None, None, self.encoder.config.output_dim))

    def __call__(self, inputs, **options):
        return super().__call__(checked(inputs, self.encoder.config), **options)

    def compile(self, optimizer="rmsprop", loss=None, **options):
        self.objective = loss
        super().compile(optimizer, loss=loss, **options)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Hand a dict of outputs to the loss as a whole; Keras would map the loss over its entries."""
        if isinstance(y_pred, dict) and callable(self.objective):
            return sum(self.losses, self.objective(y, y_pred))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def logits(self, inputs, training=None):
        """Return {head name: its logits}."""
        for kind in self.kinds.values():
            inputs = completed(inputs, kind, self.encoder.config)
        places = self.places(inputs)
        found = self.encoder(inputs, training=training, places=places)
        if places is not None:
            inputs = {name: value for name, value in inputs.items() if name != "masked_positions"}
        return {name: head(found, inputs=inputs, training=training) for name, head in self.heads.items()}

    def places(self, inputs):
        """Return the places that the heads read (see `Encoder`), None where they read all."""
        if self.reads <= {"pooled", "first"}:
            return FIRST
        return inputs.get("masked_positions") if self.reads <= {"pooled", "masked"} else None

    def settings(self):
        """Return what, with the encoder, makes this model again, as JSON."""
        ((_, kind),) = self.kinds.items()
        return {"dropout": self.dropout, "head_config": to_json(kind)}


def _rate(given, kinds, config):
    rates = [given, *(getattr(kind, "dropout", None) for kind in kinds), config.dropout]
    return next(rate for rate in rates if rate is not None)


def _of(published, name, encoder):
    if name not in published:
        raise Error(f"{encoder.config.family} has no head for this task ({name}); its papers have "
                    f"{', '.join(published)}.")
    if isinstance(published[name], HeadConfig) and published[name].reduce == "pooled" and encoder.config.pooler is None:
        raise Error(f"This encoder has no pooler, which the head {name} reads.")
    return published[name]
