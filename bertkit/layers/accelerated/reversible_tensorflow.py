"""Reversible blocks in training under TensorFlow: what lies inside a block is computed again, not kept.

Gomez et al. 2017 (arXiv 1707.04585), section 3.2; Kitaev et al. 2020, section 3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf


def run_reversible(steps: Sequence[tuple[Any, dict[str, Any]]], state: dict[str, Any],
                   masked_score: float) -> dict[str, Any]:
    """Compute all blocks, one after another, and recompute in the backward pass what lies inside them.

    Kept for the backward pass are this state, and for each block the seeds of its dropout and, where it hashes, its
    buckets. The inputs of a block are x₂ = y₂ − feed(y₁), x₁ = y₁ − attend(x₂).

    Args:
        steps: The pairs (block, context), in their order.
        state: The state {"first" [B,T,D], "hidden" [B,T,D]} before the first block.
        masked_score: The number that is added to the score of a hidden key.

    Returns:
        The state after the last block.
    """
    @tf.custom_gradient
    def passed(first, hidden):
        first, hidden, halves = tf.stop_gradient(first), tf.stop_gradient(hidden), []
        for block, context in steps:
            def attend(x, context, block=block):
                return block.attend(x, context, training=True, masked_score=masked_score)

            def feed(y, _, block=block):
                return block.feed(y, training=True)

            context, _ = compute_untaped(block, block.with_repeatable_draws, hidden, context)
            attended, half = compute_untaped(block, attend, hidden, context)
            first = first + attended
            fed, other_half = compute_untaped(block, feed, first, {})
            hidden = hidden + fed
            halves.append((half, other_half))

        def gradient(to_first, to_hidden, variables=()):
            to_inputs, found = backward(halves, first, hidden, to_first, to_hidden)
            return to_inputs, [found.get(variable.ref()) for variable in variables]

        return (first, hidden), gradient

    first, hidden = passed(state["first"], state["hidden"])
    return {"first": first, "hidden": hidden}


@dataclass(frozen=True)
class Half:
    """Half of a block, y = function(x, context), with the seeds that it began with.

    Args:
        function: The function of the half.
        context: Its context, {name: tensor}.
        seeds: The pairs (variable of a seed, its value).
    """

    function: Callable
    context: dict
    seeds: list

    def recompute(self, x: Any, zero: Any) -> Any:
        """Compute y once more; nothing of it can be computed before `zero` is known.

        Args:
            x: The input of the half, [B,T,D].
            zero: 0, from `zero_after`.

        Returns:
            y [B,T,D].
        """
        with keras.StatelessScope(state_mapping=[(seed, delay(value, zero)) for seed, value in self.seeds]):
            return self.function(delay(x, zero), {name: delay(part, zero) for name, part in self.context.items()})


def compute_untaped(block: Any, function: Callable[..., Any], x: Any, context: dict[str, Any]) -> tuple[Any, Half]:
    """Compute function(x, context) unseen by any gradient tape.

    Args:
        block: The block whose function it is.
        function: The function of half a block.
        x: Its input [B,T,D].
        context: Its context, {name: tensor}.

    Returns:
        The result [B,T,D], and the `Half` that computes it again.
    """
    weights = {id(weight) for weight in block.weights}
    generators = [variable for variable in block.variables if id(variable) not in weights]
    zero = zero_after(x)                # or every block's dropout is drawn before the first block needs its own
    seeds = [(generator, delay(generator.value, zero)) for generator in generators]
    constants = [(weight, tf.stop_gradient(weight.value)) for weight in block.weights]
    with keras.StatelessScope(state_mapping=seeds + constants) as scope:
        y = function(x, context)
    for generator in generators:
        generator.assign(scope.get_current_value(generator))
    return y, Half(function, context, seeds)


def backward(halves: list[tuple[Half, Half]], first: Any, hidden: Any, to_first: Any,
             to_hidden: Any) -> tuple[tuple[Any, Any], dict[Any, Any]]:
    """Compute the gradients of all blocks, the last block first.

    Args:
        halves: The pairs of `Half` (attention, feed-forward) of the blocks, in their order.
        first: The last state's x₁, [B,T,D].
        hidden: The last state's x₂, [B,T,D].
        to_first: The gradient of x₁, [B,T,D].
        to_hidden: The gradient of x₂, [B,T,D].

    Returns:
        The gradients [B,T,D] of the first state's two parts, and {reference of a variable: its gradient}.
    """
    gradients: dict[Any, Any] = {}
    for attend, feed in reversed(halves):
        zero = zero_after(to_first, to_hidden)
        fed, more = recompute_gradient(feed, first, zero, to_hidden, gradients)
        hidden, to_first = hidden - fed, to_first + more
        attended, more = recompute_gradient(attend, hidden, zero, to_first, gradients)
        first, to_hidden = first - attended, to_hidden + more
    return (to_first, to_hidden), gradients


def recompute_gradient(half: Half, x: Any, zero: Any, slope: Any, gradients: dict[Any, Any]) -> tuple[Any, Any]:
    """Compute a half again with its gradient, and add the gradients of its variables to `gradients`.

    Args:
        half: The `Half`.
        x: Its input [B,T,D].
        zero: 0, from `zero_after`.
        slope: The gradient of y, [B,T,D].
        gradients: {reference of a variable: its gradient}, to which is added.

    Returns:
        y [B,T,D], and slope · ∂y/∂x [B,T,D].
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = half.recompute(x, zero)
    variables = tape.watched_variables()
    to_x, *slopes = tape.gradient(y, [x, *variables], output_gradients=slope)
    for variable, more in zip(variables, slopes, strict=True):
        if more is not None:
            key = variable.ref()
            gradients[key] = gradients[key] + more if key in gradients else more
    return y, to_x


def zero_after(*slopes: Any) -> Any:
    """Return 0, which no compiler knows before it knows the slopes.

    So the blocks are computed again one at a time.

    Args:
        *slopes: Gradients, tensors of any shape.

    Returns:
        0, a float32 scalar.
    """
    one_of_each = [tf.cast(tf.reshape(slope, [-1])[0], "float32") for slope in slopes]
    return tf.reduce_sum([tf.where(number == number, 0.0, number) for number in one_of_each])


def delay(x: Any, zero: Any) -> Any:
    """Return x, but not before `zero` is known; truths are returned as they are.

    Args:
        x: A tensor of any shape.
        zero: 0, from `zero_after`.

    Returns:
        A tensor equal to x, of the same shape.
    """
    return x if x.dtype.is_bool else x + tf.cast(zero, x.dtype)
