"""An encoder with heads on it: what every model of a task or of pre-training is."""

from typing import Any

import keras

from bertkit import family
from bertkit.encoder import Encoder, check_batch, entries
from bertkit.errors import Error
from bertkit.heads.defaults import add_default_entries
from bertkit.heads.head_layer import HeadLayer, WordHead
from bertkit.heads.head_layers import HEAD_LAYERS
from bertkit.heads.unread import FreezesUnreadLayers
from bertkit.kinds import HeadConfig, Language
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.batch_model import BatchModel
from bertkit.layers.gather import FIRST


def check_labels(labels: Any) -> None:
    """Check the names of a head's classes.

    Args:
        labels: The names.

    Raises:
        Error: when it is no list of one or more different names.
    """
    right = isinstance(labels, list | tuple) and all(isinstance(label, str | int) for label in labels)
    if not right or not labels or len(set(labels)) != len(labels):
        raise Error(f"labels={labels!r:.60}; wanted one or more different names, in a list.")


class TaskModel(FreezesUnreadLayers, BatchModel):
    """An encoder with heads on it; the models of the tasks are subclasses, which say what a call returns.

    The encoder is left as it is: what no head reads of it, such as its pooler, is not among this model's trainable
    weights, and keeps its values. Attributes of the class: `own_entries` names what the model reads of a batch besides
    the encoder and the heads; `each_token` says that a call returns something for each token of a row; `grouped`, that
    an example has several rows, [B,group,T]; `together`, that an example has any number of rows ("windows").

    Args:
        encoder: The `Encoder` to read texts with.
        kinds: {head name: kind of head, or its JSON}; None for a kind takes that of the page of the encoder's family.
        outputs: {head name: number of logits}, for heads whose kind does not determine it.
        dropout: The rate of dropout of the head, a probability; None takes that of the kind of head, or else of the
            encoder.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the family has no such head, or when a head reads a pooler that the encoder lacks.
    """

    each_token = grouped = together = False
    own_entries: tuple[str, ...] = ()

    def __init__(self, encoder: Encoder, kinds: dict[str, Any], outputs: Any = (), dropout: float | None = None,
                 **options: Any) -> None:
        if not isinstance(encoder, Encoder):
            raise Error(f"A {type(encoder).__name__} came where an encoder was wanted; give a bertkit.Encoder, such as "
                        'bertkit.load(PATH, part="encoder").')
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

    def head(self, name: str, kind: Any, outputs: int | None) -> HeadLayer:
        """Make the layer of a kind of head.

        Args:
            name: The name of the head.
            kind: The kind of head.
            outputs: The number of logits; None where the kind determines it.

        Returns:
            A `HeadLayer`.
        """
        layer = HEAD_LAYERS[type(kind)]
        token = {"token": self.encoder.embeddings.token} if issubclass(layer, WordHead) else {}
        return layer(self.encoder.config, kind, outputs, self.dropout, name=name, dtype=self.dtype_policy, **token)

    @property
    def unread_layers(self) -> tuple[Any, ...]:
        """Layers of the encoder that no head reads; they are not trained."""
        pooler = self.encoder.pooler
        return () if pooler is None or self.reads_pooler else (pooler,)

    @property
    def entries(self) -> set[str]:
        """Names of all entries of a batch that this model can read."""
        own = {name for head in self.heads.values() for name in head.own_entries}
        return entries(self.encoder.config) | own | set(self.own_entries)

    def select_entries(self, features: dict[str, Any]) -> dict[str, Any]:
        """Return the entries of a batch that this model can read.

        Args:
            features: A batch, {name: array or tensor}.

        Returns:
            A new dict with these entries.
        """
        known = self.entries
        return {name: value for name, value in features.items() if name in known}

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "encoder": keras.saving.serialize_keras_object(self.encoder),
                **self.settings()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "TaskModel":
        """Make a model from the values of `get_config`.

        Args:
            config: The dict that `get_config` gives.
            custom_objects: {registered name: class} of objects that Keras does not know.

        Returns:
            A new model, without the weights.
        """
        encoder = keras.saving.deserialize_keras_object(config["encoder"], custom_objects)
        return cls(**{**config, "encoder": encoder})

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        if not self.built:
            for head in self.heads.values():
                head.build((None, None, self.encoder.config.output_dim))

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make int32 arrays of its lists and arrays.

        Args:
            inputs: A batch, {name: list, array or tensor}.

        Returns:
            The batch as this model computes with it.

        Raises:
            BatchError: when the model cannot read it (see `bertkit.encoder.check_batch`).
        """
        return check_batch(inputs, self.encoder.config, self.entries)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Any:
        """Compute the loss.

        A dict of outputs goes to the loss as a whole, where Keras would map the loss over its entries.

        Args:
            x: The batch.
            y: The labels, of the shape that the loss reads.
            y_pred: The outputs of `call`.
            sample_weight: Weights [B] of the rows or [B,T] of the tokens; None weighs all alike.
            training: Whether this is a training step.

        Returns:
            The loss, a scalar.
        """
        loss = getattr(self, "loss", None)
        if isinstance(y_pred, dict) and callable(loss):
            return sum(self.losses, loss(y, y_pred) if sample_weight is None else loss(y, y_pred, sample_weight))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def logits(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Compute the logits of every head.

        Args:
            inputs: A batch, {name: tensor}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            {head name: its logits}, float32 [B,C], or [B,T,C] of a head that reads each token.
        """
        outputs, inputs = self.encoded(inputs, training)
        return {name: head(outputs, inputs=inputs, training=training) for name, head in self.heads.items()}

    def encoded(self, inputs: dict[str, Any], training: bool | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Compute what the heads read.

        Args:
            inputs: A batch, {name: tensor}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            (the encoder's outputs, "sequence" float [B,T,D] and "pooled" float [B,D]; the batch as heads read it).
        """
        for kind in self.kinds.values():
            inputs = add_default_entries(inputs, kind, self.encoder.config)
        positions = self.queried_positions(inputs)
        outputs = self.encoder(self.encoder_inputs(inputs), training=training, positions=positions)
        if positions is not None:
            inputs = {name: value for name, value in inputs.items() if name != "masked_positions"}
        return outputs, inputs

    def encoder_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the entries of a batch that the encoder reads.

        Args:
            inputs: A batch, {name: tensor}.

        Returns:
            A new dict with these entries.
        """
        return {name: inputs[name] for name in entries(self.encoder.config) if inputs.get(name) is not None}

    def queried_positions(self, inputs: dict[str, Any]) -> Any:
        """Return the positions that the heads read (see `Encoder.call`).

        Args:
            inputs: A batch, {name: tensor}.

        Returns:
            Positions int [B,K], `FIRST`, or None where the heads read all.
        """
        if self.reads <= {"pooled", "first"}:
            return FIRST
        return inputs.get("masked_positions") if self.reads <= {"pooled", "masked"} else None

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        ((_, kind),) = self.kinds.items()
        return {"dropout": self.dropout, "head_config": to_json(kind)}


def _rate(dropout, kinds, config):
    rates = [dropout, *(getattr(kind, "dropout", None) for kind in kinds), config.dropout]
    return next(rate for rate in rates if rate is not None)


def _of(published, name, encoder):
    if name not in published:
        raise Error(f"{encoder.config.family} has no head for this task ({name}); its papers have "
                    f"{', '.join(published)}.")
    if isinstance(published[name], HeadConfig) and published[name].reduce == "pooled" and encoder.config.pooler is None:
        raise Error(f"This encoder has no pooler, which the head {name} reads.")
    return published[name]
