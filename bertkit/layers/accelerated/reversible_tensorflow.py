"""Reversible blocks in training under TensorFlow: what lies inside a block is computed again, not kept.

Gomez et al. 2017 (arXiv 1707.04585), section 3.2; Kitaev et al. 2020, section 3.
"""

from functools import partial

import keras
import tensorflow as tf


def together(steps, state, masked_score):
    """Return the state after all steps (block, context), as one after another gives it, with its gradients.

    Kept for the backward pass: this state, and for each block the seeds of its dropout and, where it hashes, its
    buckets. The inputs of a block are x₂ = y₂ − feed(y₁), x₁ = y₁ − attend(x₂).
    """
    @tf.custom_gradient
    def passed(first, hidden):
        passes = []
        for block, context in steps:
            attend = partial(block.attend, context=block.settle(hidden, context), training=True,
                             masked_score=masked_score)
            feed = partial(block.feed, training=True)
            seeds = generators(block)
            attend, attended = repeatable(attend, seeds, hidden)
            first = first + attended
            feed, fed = repeatable(feed, seeds, first)
            hidden = hidden + fed
            passes.append((attend, feed))

        def gradient(to_first, to_hidden, variables=()):
            to_inputs, found = backward(passes, first, hidden, to_first, to_hidden)
            return to_inputs, [found.get(variable.ref()) for variable in variables]

        return (first, hidden), gradient

    first, hidden = passed(state["first"], state["hidden"])
    return {"first": first, "hidden": hidden}


def generators(block):
    """Return the states of a block's random generators: its variables that are no weights."""
    weights = {id(weight) for weight in block.weights}
    return [variable for variable in block.variables if id(variable) not in weights]


def repeatable(function, seeds, x):
    """Return (a function that computes the same again with the same draws, function(x))."""
    before = [(seed, tf.identity(seed.value)) for seed in seeds]

    def again(x):
        with keras.StatelessScope(state_mapping=before):
            return function(x)

    return again, function(x)


def backward(passes, first, hidden, to_first, to_hidden):
    """Return (the gradients of the first state's parts, {reference of a variable: its gradient}), last block first."""
    found = {}
    for attend, feed in reversed(passes):
        with tf.control_dependencies([to_first, to_hidden]):       # one block at a time, or memory holds them all
            first, hidden = tf.identity(first), tf.identity(hidden)
        fed, more = pulled_back(feed, first, to_hidden, found)
        hidden, to_first = hidden - fed, to_first + more
        attended, more = pulled_back(attend, hidden, to_first, found)
        first, to_hidden = first - attended, to_hidden + more
    return (to_first, to_hidden), found


def pulled_back(function, x, slope, found):
    """Return (function(x), slope · ∂function/∂x), and add the gradients of its variables to `found`."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    variables = tape.watched_variables()
    to_x, *slopes = tape.gradient(y, [x, *variables], output_gradients=slope)
    for variable, more in zip(variables, slopes, strict=True):
        if more is not None:
            key = variable.ref()
            found[key] = found[key] + more if key in found else more
    return y, to_x
