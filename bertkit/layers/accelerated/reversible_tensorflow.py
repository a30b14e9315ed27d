"""Reversible blocks in training under TensorFlow: what lies inside a block is computed again, not kept.

Gomez et al. 2017 (arXiv 1707.04585), section 3.2; Kitaev et al. 2020, section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf


def together(steps, state, masked_score):
    """Return the state after all steps (block, context), as one after another gives it, with its gradients.

    Kept for the backward pass: this state, and for each block the seeds of its dropout and, where it hashes, its
    buckets. The inputs of a block are x₂ = y₂ − feed(y₁), x₁ = y₁ − attend(x₂).
    """
    @tf.custom_gradient
    def passed(first, hidden):
        first, hidden, halves = tf.stop_gradient(first), tf.stop_gradient(hidden), []
        for block, context in steps:
            def attend(x, context, block=block):
                return block.attend(x, context, training=True, masked_score=masked_score)

            def feed(y, _, block=block):
                return block.feed(y, training=True)

            context, _ = computed(block, block.settle, hidden, context)
            attended, half = computed(block, attend, hidden, context)
            first = first + attended
            fed, other_half = computed(block, feed, first, {})
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
    """Half of a block, y = function(x, context), and the seeds that it began with: [(variable, value) ...]."""

    function: Callable
    context: dict
    seeds: list

    def again(self, x, zero):
        """Return y once more; nothing of it can be computed before `zero` is known."""
        with keras.StatelessScope(state_mapping=[(seed, later(value, zero)) for seed, value in self.seeds]):
            return self.function(later(x, zero), {name: later(part, zero) for name, part in self.context.items()})


def computed(block, function, x, context):
    """Return (function(x, context), the `Half` that computes it again), seen by no tape."""
    weights = {id(weight) for weight in block.weights}
    generators = [variable for variable in block.variables if id(variable) not in weights]
    zero = zero_after(x)                # or every block's dropout is drawn before the first block needs its own
    seeds = [(generator, later(generator.value, zero)) for generator in generators]
    constants = [(weight, tf.stop_gradient(weight.value)) for weight in block.weights]
    with keras.StatelessScope(state_mapping=seeds + constants) as scope:
        y = function(x, context)
    for generator in generators:
        generator.assign(scope.get_current_value(generator))
    return y, Half(function, context, seeds)


def backward(halves, first, hidden, to_first, to_hidden):
    """Return (the gradients of the first state's parts, {reference of a variable: its gradient}), last block first."""
    found = {}
    for attend, feed in reversed(halves):
        zero = zero_after(to_first, to_hidden)
        fed, more = pulled_back(feed, first, zero, to_hidden, found)
        hidden, to_first = hidden - fed, to_first + more
        attended, more = pulled_back(attend, hidden, zero, to_first, found)
        first, to_hidden = first - attended, to_hidden + more
    return (to_first, to_hidden), found


def pulled_back(half, x, zero, slope, found):
    """Return (y, slope · ∂y/∂x) of a half at x, and add the gradients of its variables to `found`."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = half.again(x, zero)
    variables = tape.watched_variables()
    to_x, *slopes = tape.gradient(y, [x, *variables], output_gradients=slope)
    for variable, more in zip(variables, slopes, strict=True):
        if more is not None:
            key = variable.ref()
            found[key] = found[key] + more if key in found else more
    return y, to_x


def zero_after(*slopes):
    """Return 0, which no compiler knows before it knows the slopes: so the blocks are computed again one at a time."""
    one_of_each = [tf.cast(tf.reshape(slope, [-1])[0], "float32") for slope in slopes]
    return tf.reduce_sum([tf.where(number == number, 0.0, number) for number in one_of_each])


def later(x, zero):
    """Return x, not before `zero` is known; truths are left as they are."""
    return x if x.dtype.is_bool else x + tf.cast(zero, x.dtype)
