"""An encoder with heads on it: what every model of a task or of pre-training is."""

import keras

from bertkit import family
from bertkit.encoder import checked, entries
from bertkit.errors import Error
from bertkit.heads.defaults import completed
from bertkit.heads.head_layer import WordHead
from bertkit.heads.head_layers import HEAD_LAYERS
from bertkit.heads.unread import TrainsWhatItReads
from bertkit.kinds import HeadConfig, Language
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.batch_model import BatchModel
from bertkit.layers.gather import FIRST


class TaskModel(TrainsWhatItReads, BatchModel):
    """`encoder` with a head for each name of `kinds`; a kind that is None is the one of the family's page.

    `outputs` counts the logits of each head that has some of its own; `dropout` is the heads' rate, by default that of
    their kind, or the encoder's. Subclasses say what a call gives. Raises `Error` where a head reads a pooler that the
    encoder lacks. The encoder is left as it is: what no head reads of it, such as its pooler, is not among this
    model's trainable weights, and stays. `own_entries` names what of a batch the model reads besides. `each_token` says
    that a call gives something for each token of a row, `grouped` that it takes several rows an example, [B,group,T],
    `together` that it reads as many rows an example as there are ("windows").
    """

    each_token = grouped = together = False
    own_entries = ()

    def __init__(self, encoder, kinds, outputs=(), dropout=None, **options):
        super().__init__(**options)
        self.encoder = encoder
        published = family.page(encoder.config.family).HEADS
        self.kinds = {name: from_json(kind) if isinstance(kind, dict) else kind or _of(published, name, encoder)
                      for name, kind in kinds.items()}
        self.reads = {"masked" if isinstance(kind, Language) else getattr(kind, "reduce", "each")
                      for kind in self.kinds.values()}
        self.reads_pooler = "pooled" in self.reads
        self.dropout = _rate(dropout, self.kinds.values(), encoder.config)
        self.heads = {name: self.head(name, kind, dict(outputs).get(name)) for name, kind in self.kinds.items()}
        self.build()

    def head(self, name, kind, outputs):
        """Return the layer of a kind of head."""
        layer = HEAD_LAYERS[type(kind)]
        token = {"token": self.encoder.embeddings.token} if issubclass(layer, WordHead) else {}
        return layer(self.encoder.config, kind, outputs, self.dropout, name=name, dtype=self.dtype_policy, **token)

    @property
    def unread(self):
        pooler = self.encoder.pooler
        return () if pooler is None or self.reads_pooler else (pooler,)

    @property
    def entries(self):
        """Names of all that this model can read of a batch."""
        own = {name for head in self.heads.values() for name in head.own_entries}
        return entries(self.encoder.config) | own | set(self.own_entries)

    def only(self, features):
        """Return of a batch what this model can read."""
        known = self.entries
        return {name: value for name, value in features.items() if name in known}

    def get_config(self) -> dict:
        return {**super().get_config(), "encoder": keras.saving.serialize_keras_object(self.encoder),
                **self.settings()}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "TaskModel":
        encoder = keras.saving.deserialize_keras_object(config["encoder"], custom_objects)
        return cls(**{**config, "encoder": encoder})

    def build(self, _=None):
        if not self.built:
            for head in self.heads.values():
                head.build((None, None, self.encoder.config.output_dim))

    def checked(self, inputs: dict) -> dict:
        return checked(inputs, self.encoder.config, self.entries)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Hand a dict of outputs to the loss as a whole; Keras would map the loss over its entries."""
        loss = getattr(self, "loss", None)
        if isinstance(y_pred, dict) and callable(loss):
            return sum(self.losses, loss(y, y_pred) if sample_weight is None else loss(y, y_pred, sample_weight))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def logits(self, inputs, training=None):
        """Return {head name: its logits}."""
        for kind in self.kinds.values():
            inputs = completed(inputs, kind, self.encoder.config)
        places = self.places(inputs)
        found = self.encoder(self.rows(inputs), training=training, places=places)
        if places is not None:
            inputs = {name: value for name, value in inputs.items() if name != "masked_positions"}
        return {name: head(found, inputs=inputs, training=training) for name, head in self.heads.items()}

    def rows(self, inputs):
        """Return what the encoder reads of a batch."""
        return {name: inputs[name] for name in entries(self.encoder.config) if inputs.get(name) is not None}

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
