"""A bundle as a TensorFlow SavedModel that takes strings: what a server loads, without bertkit."""

import dataclasses
import errno
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bertkit.card import Card
from bertkit.errors import Error
from bertkit.export import reload, source
from bertkit.export.model_server import operations, write_server_files
from bertkit.files.atomic import write_json
from bertkit.files.folders import new_folder
from bertkit.tasks.registry import entry_of
from bertkit.terminal import say

# The same numbers came back from the file within 1.5e-6 on a 6-layer model; more means another computation.
LARGEST_DIFFERENCE = 1e-3
IDS = ("token_ids", "padding_mask", "segment_ids")


def export_saved_model(folder: str | Path, out: str | Path) -> Card:
    """Write a fine-tuned bundle as a SavedModel that takes strings, and check it.

    Signature serving_default takes strings [B] and gives what `export.served` says of the task: for classes text (for
    pairs also second) -> probabilities [B,C] and label, the most probable one. Signature tokens: token_ids,
    padding_mask, segment_ids, int32 [B,T] -> logits float32. Rows are cut to the bundle's length; there are no windows.
    A process with nothing but tensorflow and tensorflow_text loads it and must find the model's own numbers. For a
    TensorFlow ModelServer there are requests to warm up with, batching.config and compose.yaml beside it.

    Args:
        folder: The folder of the bundle.
        out: The folder to write; nothing is left there after an error.

    Returns:
        The `Card` of what was written; its `parity` says how near the SavedModel is to the model.

    Raises:
        Error: When Keras does not run on TensorFlow, the task does not fit the signature, or the SavedModel does not
            load or gives other numbers.
    """
    if keras.backend.backend() != "tensorflow":
        raise Error(f"A SavedModel needs Keras on TensorFlow, and it runs on {keras.backend.backend()}; set "
                    "KERAS_BACKEND=tensorflow.")
    with new_folder(out, "saved_model") as place:
        bundle = source.open_predictor(folder)
        served = entry_of(bundle.task).part("served")
        if served is None:
            raise Error(f"The task {bundle.task.name} takes texts apart before the model sees them, which the "
                        "strings-in signature does not; export it to tflite.")
        say("Writing the SavedModel.")
        served = served(bundle)
        _write(bundle, served, place)
        say("Loading it again in a process of its own.")
        parity = _checked(bundle, served, folder, place)
        write_server_files(place, _server_name(out), served.inputs, _requests(served))
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        card = Card.read(Path(folder) / "card.json")
        card = dataclasses.replace(
            card, name=Path(out).name, parity=parity, bytes={"saved_model": size},
            inputs={"serving_default": list(served.inputs), "tokens": list(IDS)}, operations=operations(place))
        write_json(place / "card.json", card.to_json())
    return card


def _server_name(out):
    """Return the name of a folder with nothing in it that an address or a file of a server takes for its own."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(out).name).strip("_-") or "model"


def _requests(served):
    """Return requests to warm up with: each probe alone, and all of them together."""
    together = served.probes()
    alone = [{name: [values[row]] for name, values in together.items()} for row in range(len(source.PROBES))]
    return [*alone, together]


def _write(bundle, served, place):
    import tensorflow as tf

    from bertkit.export.graph import raw_outputs

    def tokens(token_ids, padding_mask, segment_ids):
        batch = {"token_ids": token_ids, "padding_mask": padding_mask, "segment_ids": segment_ids}
        return {"logits": raw_outputs(bundle.model, batch)}

    # The archive finds the weights that its endpoints use (told of the model too, it would keep two copies), but not
    # the tables of a tokenizer.
    archive = keras.export.ExportArchive()
    archive.track(served.tokenize)
    archive.add_endpoint("serving_default", served.serve, input_signature=[
        tf.TensorSpec([None] * rank, tf.string, name=name) for name, rank in served.inputs.items()])
    archive.add_endpoint("tokens", tokens, input_signature=[
        tf.TensorSpec([None, None], tf.int32, name=name) for name in IDS])
    try:
        archive.write_out(str(place), verbose=False)
    except tf.errors.OpError as error:                  # a full disk, among others
        raise OSError(errno.EIO, error.message.rsplit("; ", 1)[-1].partition(" [Op:")[0]) from error


def _checked(bundle, served, folder, place):
    """Return the parity part of the card: what another process found against what the model gives here."""
    rows = source.calibration_rows(folder, bundle.tokenizer, bundle.length)
    if rows is None:
        rows = source.random_rows(bundle.tokenizer, bundle.length)
    rows = {name: values[:source.RANDOM_ROWS] for name, values in rows.items()}
    texts = served.probes()
    found = _reloaded(place, rows, texts)
    logits = _difference(found["tokens/logits"], _own(bundle, rows), rows["padding_mask"], bundle.model.each_token)
    wanted, mask = served.expected_outputs(texts)
    texts_differ = _difference(found[f"serving_default/{served.output}"], wanted, mask, bundle.model.each_token)
    if not max(logits, texts_differ) <= LARGEST_DIFFERENCE:
        raise Error(f"The SavedModel answers otherwise than the model (logits by {logits:.2g}, answers to texts by "
                    f"{texts_differ:.2g}); report it.")
    return {"ids": {"rows": len(rows["token_ids"]), "largest_logit_difference": logits},
            "texts": {"rows": len(source.PROBES), f"largest_{served.output}_difference": texts_differ}}


def _own(bundle, rows):
    from bertkit.export.graph import raw_outputs
    return np.asarray(raw_outputs(bundle.model, rows))


def _difference(found, wanted, mask, each_token):
    """Return the largest difference, on real tokens where there is a number for each."""
    difference = np.abs(found - wanted)
    return float((difference[mask == 1] if each_token else difference).max())


def _reloaded(place, rows, texts):
    """Return what the signatures give in a fresh process, {output: array}; raises `Error` if they fail."""
    with tempfile.TemporaryDirectory() as work:
        asked, answered = Path(work) / "asked.npz", Path(work) / "answered.npz"
        arrays: dict[str, Any] = {f"tokens/{name}": values for name, values in rows.items()}
        arrays |= {f"serving_default/{name}": np.array(values) for name, values in texts.items()}
        np.savez(asked, **arrays)
        # -P keeps the folder of the script off the import path: nothing of bertkit is found by accident.
        done = subprocess.run([sys.executable, "-P", reload.__file__, str(place), str(asked), str(answered)],
                              capture_output=True, text=True)
        if done.returncode or not answered.exists():
            reason = (done.stderr.strip().splitlines() or ["without a word"])[-1]
            raise Error(f"The SavedModel does not load in a fresh process ({reason:.300}); do tensorflow and "
                        "tensorflow-text have one version?")
        return dict(np.load(answered))
