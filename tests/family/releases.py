"""Directories as the original TensorFlow 1 releases have them, written by TensorFlow itself."""

import json

import numpy as np
import tensorflow as tf


def write(folder, name, values, arrays):
    """Write a checkpoint of {variable: array} and its config; a slot of Adam and the step lie there too."""
    first = next(iter(arrays))
    arrays = arrays | {first + "/adam_m": np.zeros_like(arrays[first]), "global_step": np.int64(7)}
    folder.mkdir(exist_ok=True)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for variable, array in arrays.items():
            tf.compat.v1.get_variable(variable, initializer=tf.constant(array), use_resource=False)
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(folder / "model.ckpt-7"), write_meta_graph=False, write_state=False)
    (folder / name).write_text(json.dumps(values))
    return folder


def layer(scope, width, inner, parts, rng):
    """Return {name: array} of one block; `parts` are (attention, after it, first matrix, second matrix, after them)."""
    attention, first_norm, first, second, second_norm = (f"{scope}/{part}" for part in parts)
    found = {}
    for part in ("self/query", "self/key", "self/value", "output/dense"):
        found |= dense(f"{attention}/{part}", width, width, rng)
    found |= dense(first, width, inner, rng) | dense(second, inner, width, rng)
    return found | norm(first_norm, width, rng) | norm(second_norm, width, rng)


def dense(name, inputs, outputs, rng):
    """Return a matrix and its bias, as their variables are called."""
    return {f"{name}/kernel": _draw((inputs, outputs), rng), f"{name}/bias": _draw((outputs,), rng)}


def norm(name, width, rng):
    """Return the scale and the shift of a LayerNorm."""
    return {f"{name}/gamma": _draw((width,), rng), f"{name}/beta": _draw((width,), rng)}


def embeddings(scope, vocabulary, positions, segments, width, rng):
    """Return the three tables and their norm."""
    tables = {"word_embeddings": vocabulary, "position_embeddings": positions, "token_type_embeddings": segments}
    return norm(f"{scope}/LayerNorm", width, rng) | {
        f"{scope}/{name}": _draw((rows, width), rng) for name, rows in tables.items()}


def _draw(shape, rng):
    return rng.normal(0, 0.3, shape).astype("float32")
