"""A model that learns to answer in integers what it answered in float."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.compress.fake_quantization import LEVELS, fake_quantize, round_channels
from bertkit.compress.simulation import MASKED, STATES, Integers, SmallWeights, put_in
from bertkit.compress.soft_targets import SoftTargets
from bertkit.heads.unread import FreezesUnreadLayers
from bertkit.layers.attention import EXACT

STATE_SHARE = 1.0           # of the distance between states, beside that of the answers
RANGE_RATE = 10.0           # times the rate of weights, in widths of the range


class IntegerTraining(FreezesUnreadLayers):
    """A model that computes in simulated integers and learns from the float model that it was.

    L = D(float answers, integer answers) + mean over states l of Σ_t ‖h_l − ĥ_l‖² / Σ_t ‖h_l‖², over real tokens t; D
    as in `SoftTargets` at T = 1. The states h_l are what enters and leaves the blocks (Jiao et al. 2020, TinyBERT,
    arXiv 1909.10351, equations 8 and 9, there without the denominator). There is no dropout.

    Args:
        model: A head of bertkit's on an encoder, which learns.
        teacher: The same model again, which stays as it is.
        ranges: {name of a place: (low, high)}, as `measured_ranges` returns them: where the learnt ranges begin; empty
            for `int4-small`, whose weights alone are integers.

    Raises:
        Error: When there is no distance between two answers of such a model.
    """

    def __init__(self, model: Any, teacher: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
        super().__init__(name=model.name)
        self.model, self.soft = model, SoftTargets(model, teacher, alpha=0.0, temperature=1.0)
        self.places = {name: at for at, name in enumerate(ranges)}
        ends = np.array(list(ranges.values()), "float32").reshape(-1, 2)
        self.widths = ends[:, 1] - ends[:, 0]
        self.ends: Any = None
        if self.places:
            self.ends = self.add_weight(name="ends", shape=ends.shape, dtype="float32", initializer=lambda shape,
                                        dtype=None: ops.cast(ends / self.widths[:, None], dtype))
        self.integers = Integers(model.encoder, self.rounded, fake_quantize, round_channels, self.hidden_score) \
            if self.places else SmallWeights(model.encoder, self.rounded)
        self.states: dict[str, Any] = {}
        self.built = True

    @property
    def encoder(self) -> Any:
        """The encoder of the model."""
        return self.model.encoder

    @property
    def each_token(self) -> bool:
        """Whether a call returns something for each token of a row."""
        return self.model.each_token

    @property
    def grouped(self) -> bool:
        """Whether an example has several rows, [B,group,T]."""
        return self.model.grouped

    @property
    def together(self) -> bool:
        """Whether an example has any number of rows."""
        return self.model.together

    @property
    def unread_layers(self) -> tuple[Any, ...]:
        """Layers of the encoder that no head reads; they are not trained."""
        return self.model.unread_layers

    def rounded(self, name: str, x: Any) -> Any:
        """Round what is computed at a place to its range, and remember the states.

        Args:
            name: The name of the place.
            x: What is computed there, a tensor [...].

        Returns:
            A tensor [...].
        """
        y = fake_quantize(x, *self._ends(name, x)) if self.places else x
        if name.endswith(STATES):
            self.states[name] = y
        return y

    def _ends(self, name, x):
        """Return the ends of a range; their gradient is divided by √(numbers · levels) (Esser et al. 2020, eq. 2.2)."""
        ends = self.ends[self.places[name]] * self.widths[self.places[name]]
        share = ops.rsqrt(ops.cast(ops.size(x), "float32") * LEVELS)
        ends = share * ends + ops.stop_gradient((1 - share) * ends)
        return ends[0], ends[1]

    def hidden_score(self) -> Any:
        """Return what is added to the score of a hidden key: it sends the highest one below the lowest real one.

        Returns:
            A scalar below 0: the width of the widest range of scores.
        """
        masked = [at for name, at in self.places.items() if name.endswith(MASKED)]
        ends = ops.take(self.ends, masked, axis=0) * self.widths[masked][:, None]
        return ops.stop_gradient(-ops.max(ends[:, 1] - ends[:, 0]))

    def learnt(self) -> dict[str, tuple[float, float]]:
        """Return the ranges as they are now.

        Returns:
            {name of a place: (low, high)}, 0 inside.
        """
        ends = np.asarray(self.ends) * self.widths[:, None] if self.places else np.zeros((0, 2))
        return {name: (float(min(ends[at, 0], 0)), float(max(ends[at, 1], 0))) for name, at in self.places.items()}

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the answers of a batch in simulated integers.

        Args:
            inputs: The batch, {name: tensor}.
            training: Not used: there is no dropout.

        Returns:
            What the model gives.
        """
        self.states = {}
        with put_in(self.integers.calls()):
            return self.model(inputs, training=False)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Any:
        """Compute the distance from the answers and the states of the float model.

        Args:
            x: The batch.
            y: The labels; of them only which tokens have one is read.
            y_pred: The outputs of `call`, which was the last one.
            sample_weight: Not used: all rows are answered.
            training: Whether this is a training step.

        Returns:
            The loss, a scalar.
        """
        given, states = self._float(x)
        apart = self.soft.distance(y, given, y_pred, 1.0)
        mask = ops.cast(ops.reshape(x["padding_mask"], (-1, ops.shape(x["padding_mask"])[-1], 1)), "float32")
        far = [_far(states[name], state, mask) for name, state in self.states.items()]
        return ops.mean(apart) + STATE_SHARE * sum(far) / len(far)

    def _float(self, x):
        """Return what the float model answers, and its states."""
        states = {}

        def watch(name, x):
            if name.endswith(STATES):
                states[name] = ops.stop_gradient(x)
            return x
        teacher = self.soft.teacher
        with put_in(Integers(teacher.encoder, watch, lambda x, *_: x, None, lambda: EXACT).calls()):
            given = teacher(x, training=False)
        return keras.tree.map_structure(ops.stop_gradient, given), states


def _far(wanted, found, mask):
    """Return Σ ‖h − ĥ‖² / Σ ‖h‖² over real tokens; where a block answers for one token of a row, over these."""
    mask = mask if wanted.shape[1] is None or wanted.shape[1] != 1 else mask[:, :1]
    return ops.sum(mask * ops.square(wanted - found)) / ops.sum(mask * ops.square(wanted))
