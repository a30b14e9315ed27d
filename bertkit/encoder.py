"""The encoder: embeddings, blocks and a pooler. Every family is this class with another config."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import BatchError
from bertkit.layers import trunk
from bertkit.layers.attention import EXACT
from bertkit.layers.batch_model import LAYERED, BatchModel
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal

# The entries of a batch: whole numbers [B,T] and tables [B,M,T], which all blocks read, and entries by layer.
NUMBERS = ("token_ids", "segment_ids", "padding_mask", "position_ids", "global_mask", "packed_ids")
PAIRS = ("permutation_mask", "target_mapping")
TABLES = (*NUMBERS, "answer_mask")                  # whole numbers [B,T], those for heads too
# Every encoder accepts these, so that a tokenizer's batch fits all. Each of the others is read by one kind alone.
ALWAYS = ("token_ids", "segment_ids", "padding_mask", "position_ids")
READERS = {"global_mask": kinds.Window, "permutation_mask": kinds.Relative, "target_mapping": kinds.TwoStream,
           "mems": kinds.Relative, "buckets": kinds.Hash, "random_blocks": kinds.Sparse}
# What other libraries call an entry, and where labels belong.
ELSEWHERE = {"input_ids": "call it token_ids", "attention_mask": "call it padding_mask",
             "token_type_ids": "call it segment_ids",
             "labels": "give labels beside the batch: fit(batch, labels), or a dataset of (batch, labels)"}


@keras.saving.register_keras_serializable("bertkit")
class Encoder(BatchModel):
    """A Transformer encoder (Devlin et al. 2018, section 3).

    call({"token_ids" [B,T], "segment_ids", "padding_mask", "position_ids" (each optional) [B,T]}) -> {"sequence"
    [B,T,D], "pooled" [B,D] where the config has a pooler}. Some families read more entries of a batch; the docstrings
    of their kinds name them.

    Args:
        config: The `EncoderConfig`, or the dict that its `to_json` gives.
        embeddings: A layer to use instead of new embeddings.
        frozen: The names of `layers` that begin with `trainable` False, such as "embeddings" and "block_0".
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when a call gets a batch with an entry that this encoder does not read, with shapes that do not fit, or
            with more tokens than positions; or when an array holds ids that have no row. Ids in tensors are not
            checked: under TensorFlow an id out of range reads the table's last row or raises an error of TensorFlow's,
            as the device does.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> tuple(encoder({"token_ids": [[5, 6, 7]]})["sequence"].shape)
        (1, 3, 8)
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], embeddings: Any = None, frozen: Sequence[str] = (),
                 name: str = "encoder", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.config = config = EncoderConfig.of(config)
        self.masked_score, self.borrows, self.all_blocks = EXACT, embeddings is not None, None
        policy = {"dtype": self.dtype_policy}
        self.embeddings = embeddings or trunk.embeddings(config, **policy)
        self.distances = trunk.distances(config, **policy)
        self.beginning, self.ending = trunk.beginning(config, **policy), trunk.ending(config, **policy)
        self.blocks, self.order = trunk.blocks(config, **policy), trunk.block_order(config)
        self.pooler = None
        if isinstance(config.pooler, kinds.Tanh):
            self.pooler = keras.layers.Dense(config.hidden_dim, activation="tanh", name="pooler",
                                             kernel_initializer=truncated_normal(config), **policy)
        self.build()
        for layer in self.layers:               # a Keras layer made with trainable=False tells its own layers nothing
            if layer.name in frozen or not self.trainable:
                layer.trainable = False

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        embeddings = keras.saving.serialize_keras_object(self.embeddings) if self.borrows else None
        return {**super().get_config(), "config": self.config.to_json(), "embeddings": embeddings,
                "frozen": [layer.name for layer in self.layers if not layer.trainable]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Encoder":
        """Make an encoder from the values of `get_config`.

        Args:
            config: The dict that `get_config` gives.
            custom_objects: {registered name: class} of objects that Keras does not know.

        Returns:
            A new `Encoder`, without the weights.
        """
        embeddings = keras.saving.deserialize_keras_object(config.get("embeddings"), custom_objects)
        return cls(**{**config, "embeddings": embeddings})

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        if self.built:
            return
        for layer in (self.embeddings, self.distances):
            if layer is not None:
                layer.build((None, None))
        for layer in (self.beginning, *self.blocks):
            if layer is not None:
                layer.build((None, None, self.config.hidden_dim))
        for layer in (self.ending, self.pooler):
            if layer is not None:
                layer.build((None, None, self.config.output_dim))

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make int32 arrays of its lists and arrays.

        Args:
            inputs: A batch, {name: list, array or tensor}.

        Returns:
            The batch as this encoder computes with it.

        Raises:
            BatchError: when the encoder cannot read it (see `check_batch` of this module).
        """
        return check_batch(inputs, self.config)

    def call(self, inputs: dict[str, Any], trace: bool = False, training: bool | None = None,
             positions: Any = None) -> dict[str, Any]:
        """Compute the vectors of the tokens of a batch.

        Args:
            inputs: The batch: "token_ids" int [B,T] and optionally "segment_ids", "padding_mask" (1 for real tokens)
                and "position_ids" int [B,T].
            trace: Whether the output also holds "trace": {"hidden/0" (the embeddings) ... "hidden/L" [B,T,D],
                "attention/1" ... "attention/L" [B,N,T,T]}.
            training: Whether dropout is applied; None leaves it to Keras.
            positions: Positions int [B,K] whose vectors are wanted, or `FIRST` of `bertkit.layers.gather` for the first
                token's; None wants all. The last block computes no others where it can.

        Returns:
            {"sequence" [B,T,D], "pooled" [B,D] where the config has a pooler}; with `positions` "sequence" is [B,K,D],
            or [B,1,D] for `FIRST`.
        """
        queried = self.queried_positions(positions)
        x = self.embeddings(inputs, training=training)
        state, traced = x if self.beginning is None else self.beginning(x, inputs=inputs), {"hidden/0": x}
        shared = {} if self.distances is None else {"distances": self.distances(inputs["token_ids"])}
        steps: Any = [(self.blocks[number], self.context(inputs, i) | shared) for i, number in enumerate(self.order)]
        narrow = queried is not None and not trace and trunk.can_query_subset(self.config)
        if narrow:
            steps[-1][1]["query_positions"] = queried
        together = trunk.TOGETHER.get(type(self.config.block)) if training else self.all_blocks
        if together is not None and not trace:
            state, steps = together(steps, state, self.masked_score), ()
        for i, (block, context) in enumerate(steps, start=1):
            state = block(state, context=context, trace=trace, training=training, masked_score=self.masked_score)
            if trace:
                state, traced[f"attention/{i}"] = state
                traced[f"hidden/{i}"] = trunk.hidden_states(state)
        found = state if self.ending is None else self.ending(state)
        outputs = found if isinstance(found, dict) else {"sequence": found}
        x = gather_positions(outputs["sequence"], None if narrow else queried)
        if self.config.pooler is not None:
            outputs["pooled"] = x[:, 0] if self.pooler is None else self.pooler(x[:, 0])
            x = x if queried is None or len(queried.shape) == 0 else x[:, 1:]
        outputs["sequence"] = x
        return {**outputs, "trace": traced} if trace else outputs

    @contextmanager
    def computing_blocks_by(self, function: Any) -> Iterator[None]:
        """Let calls inside the `with` block, when they do not train, compute all blocks by another function.

        Args:
            function: ([(block, context) ...], state, masked_score) -> state; None computes one block after the other.

        Yields:
            Nothing.
        """
        self.all_blocks = function
        try:
            yield
        finally:
            self.all_blocks = None

    def queried_positions(self, positions: Any) -> Any:
        """Return the positions whose last vectors are needed, with the first token's in front where a pooler reads it.

        Args:
            positions: Positions [B,K], `FIRST`, or None for all.

        Returns:
            int32 [B,K], [B,K+1] or a scalar; None for all.
        """
        if positions is None:
            return None
        positions = ops.convert_to_tensor(positions, "int32")
        if self.config.pooler is None or len(positions.shape) == 0:
            return positions
        return ops.pad(positions, [(0, 0), (1, 0)])

    def context(self, inputs: dict[str, Any], layer: int) -> dict[str, Any]:
        """Return what a block reads besides its state.

        Args:
            inputs: The batch, {name: tensor}.
            layer: The number of the layer, from 0.

        Returns:
            The entries that all blocks read, and this layer's part of the entries that are given by layer.
        """
        context = {name: inputs[name] for name in (*NUMBERS, *PAIRS) if inputs.get(name) is not None}
        for name in LAYERED:
            parts = inputs.get(name)
            if parts is not None and (layer in parts if isinstance(parts, dict) else layer < len(parts)):
                context[name] = parts[layer]
        return context


def entries(config: EncoderConfig) -> set[str]:
    """Return the names of all entries of a batch that an encoder of this config can read.

    Args:
        config: The encoder's `EncoderConfig`.

    Returns:
        A set of names, such as "token_ids".

    Example:
        >>> small = EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16)
        >>> sorted(entries(small))
        ['packed_ids', 'padding_mask', 'position_ids', 'segment_ids', 'token_ids']
    """
    attentions = config.attention if isinstance(config.attention, tuple) else (config.attention,)
    return {*ALWAYS, "packed_ids", *(name for name, kind in READERS.items()
                                     if any(isinstance(part, kind) for part in (*attentions, config.block)))}


def check_batch(inputs: dict[str, Any], config: EncoderConfig, own: Iterable[str] = ()) -> dict[str, Any]:
    """Check a batch, and make int32 arrays of its lists and arrays (float32 for masks of pairs of tokens).

    Symbolic and accelerator tensors pass as they are, because the data pipeline has checked them.

    Args:
        inputs: A batch, {name: list, array or tensor}.
        config: The encoder's `EncoderConfig`.
        own: The names of entries that a head reads besides.

    Returns:
        The batch without the entries that are None.

    Raises:
        BatchError: when the batch holds entries that neither the encoder nor the head reads, numbers that int32 cannot
            hold exactly, ids without a row in the table, or shapes that do not fit.
    """
    if not isinstance(inputs, dict) or inputs.get("token_ids") is None:
        came = f"a dict without token_ids ({', '.join(map(str, inputs)) or 'empty'})" if isinstance(inputs, dict) else (
            type(inputs).__name__)
        raise BatchError("An encoder takes a dict with token_ids [B,T] and optionally segment_ids, "
                         f"padding_mask and position_ids; {came:.60} came.")
    _check_names(inputs, config, own)
    inputs = {name: _whole(name, value) if name in TABLES and isinstance(value, list | tuple | np.ndarray)
              or name in own and isinstance(value, list | tuple) else value
              for name, value in inputs.items() if value is not None}
    limits = {"token_ids": config.vocabulary_size, "packed_ids": 2**31,
              "segment_ids": config.num_segments if config.num_segments > 1 else 2**31,
              "padding_mask": 2, "global_mask": 2, "answer_mask": 2,
              "position_ids": 2**31 if config.max_length is None else config.max_sequence_length}
    if not len(getattr(inputs["token_ids"], "shape", ())):
        raise BatchError(f"token_ids is {inputs['token_ids']!r:.40}; give whole numbers [B,T].")
    shape = tuple(inputs["token_ids"].shape)
    for name in TABLES:
        if isinstance(inputs.get(name), np.ndarray):
            _check_array(name, inputs[name], shape, limits[name])
    if "packed_ids" in inputs and not supports_packing(config):
        raise BatchError(f"This {config.family} cannot read packed rows: only attention over all tokens, at places "
                         "counted from 0, keeps texts of a row apart; leave packed_ids out.")
    for name in PAIRS:
        if isinstance(inputs.get(name), list | tuple | np.ndarray):
            inputs[name] = _pairs(name, inputs[name], shape)
    if isinstance(inputs.get("mems"), list | tuple):
        _check_mems(inputs["mems"], shape, config)
    if len(shape) == 2 and None not in (shape[1], config.max_length) and shape[1] > config.max_length:
        raise BatchError(f"The batch has {shape[1]} tokens a row and the encoder "
                         f"{config.max_length} positions; cut the rows.")
    return inputs


def _check_names(inputs, config, own):
    known = entries(config) | set(own)
    for name, value in inputs.items():
        if name not in known and value is not None:
            rest = ", ".join(sorted(known - {"packed_ids"}))
            raise BatchError(f"The batch holds {name}, which this model does not read; "
                             f"{ELSEWHERE.get(name, 'leave it out')}. It reads {rest}.")


def supports_packing(config: EncoderConfig) -> bool:
    """Return whether an encoder can read several texts in a row.

    It can where every attention is over all tokens and positions count from 0.

    Args:
        config: The encoder's `EncoderConfig`.

    Returns:
        True or False.

    Example:
        >>> from bertkit.family import bert, roberta
        >>> supports_packing(bert.CONFIG), supports_packing(roberta.CONFIG)
        (True, False)
    """
    attentions = config.attention if isinstance(config.attention, tuple) else (config.attention,)
    counted = isinstance(config.positions, kinds.Absolute) and config.positions.pad_id is None
    return counted and all(isinstance(kind, kinds.Full) for kind in attentions)


def _whole(name, value):
    """Return numbers as an int32 array; rounds and wraps none."""
    try:
        numbers = np.asarray(value)
        with np.errstate(invalid="ignore"):
            array = numbers.astype("int32")
    except (TypeError, ValueError, OverflowError):
        raise BatchError(f"{name} is no table of numbers: its rows differ in length or hold other things; pad the "
                         "rows to one length.") from None
    if numbers.dtype.kind not in "biuf" or not np.array_equal(array, numbers):
        raise BatchError(f"{name} holds {numbers.dtype} values that are no whole numbers of 32 bits; give ids.")
    return array


def _check_array(name, array, shape, limit):
    if array.ndim != 2 or array.shape != shape:
        raise BatchError(f"{name} has shape {array.shape}; wanted [B,T] as token_ids, {shape}.")
    if array.size and (array.min() < 0 or array.max() >= limit):
        wrong = int(array.max() if array.max() >= limit else array.min())
        raise BatchError(f"{name} holds {wrong}; the encoder has rows 0 to {limit - 1}. Does the "
                         "vocabulary belong to this checkpoint?")


def _pairs(name, value, shape):
    """Return a table over pairs of places as a float32 array."""
    try:
        array = np.asarray(value).astype("float32")
    except (TypeError, ValueError):
        raise BatchError(f"{name} is no table of numbers; give one number for each pair of places.") from None
    wanted, named = ((shape[1],), "[B,T,T]") if name == "permutation_mask" else (array.shape[1:2], "[B,M,T]")
    if array.shape != (shape[0], *wanted, shape[1]):
        raise BatchError(f"{name} has shape {array.shape}; wanted {named} beside token_ids of shape {shape}.")
    return array


def _check_mems(mems, shape, config):
    shapes = {part.shape for part in mems if isinstance(part, np.ndarray)}
    fit = all(len(each) == 3 and (each[0], each[2]) == (shape[0], config.hidden_dim) for each in shapes)
    if len(mems) != config.num_layers or len(shapes) > 1 or not fit:
        raise BatchError(f"mems holds {len(mems)} arrays, of shapes {sorted(shapes)}; wanted one [{shape[0]},S,"
                         f"{config.hidden_dim}] for each of {config.num_layers} layers, as the last call gave them.")
