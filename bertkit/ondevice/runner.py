"""An exported folder that answers texts, with numpy, LiteRT and bertkit's own tokenizer alone."""

from pathlib import Path

import numpy as np

from bertkit.errors import Error
from bertkit.ondevice import manifest
from bertkit.ondevice.tasks import task
from bertkit.text import Tokenizer
from bertkit.text.files import read_object, read_text, write_json, write_text

FORMAT = 1
MODEL, FACTS = "model.tflite", "ondevice.json"
KINDS = {"format": int, "task": str, "multi_label": bool, "length": int, "pairs": bool, "tokenizer": dict,
         "files": dict}


def load(folder, model=MODEL, threads=1):
    """Return the `DeviceModel` of a folder that `bertkit export --to tflite` wrote.

    `model` is the name of the file in it; `threads` how many LiteRT computes with.
    Raises `Error` if a file is missing, damaged, or does not fit the others.
    """
    return DeviceModel(folder, model, threads)


def write_facts(folder, tokenizer, task_facts, length, pairs):
    """Write the vocabulary, labels.txt and ondevice.json beside the model.tflite that is in `folder`."""
    folder, labels = Path(folder), task_facts["labels"]
    if broken := [label for label in labels if "\n" in label or label.endswith("\r")]:
        raise Error(f"The label {broken[0]!r} holds a line end, which labels.txt cannot hold; rename it.")
    write_text(folder / "labels.txt", "".join(label + "\n" for label in labels))
    facts = {"format": FORMAT, "task": task_facts["task"], "multi_label": task_facts["multi_label"],
             "length": length, "pairs": pairs, "tokenizer": tokenizer.save(folder),
             "files": manifest.describe(folder, (MODEL, tokenizer.file, "labels.txt"))}
    write_json(folder / FACTS, facts)


class DeviceModel:
    """A .tflite file with the tokenizer and the task it was exported with.

    `task` says what answers mean (see `tasks`), `pairs` whether a row is two texts, `length` to how many
    tokens rows are cut and padded. One row is computed at a time; an object is for one thread at a time.

    >>> model = load("films")                        # doctest: +SKIP
    >>> model.predict(["a warm, funny film"])        # doctest: +SKIP
    [{'label': '1', 'probabilities': {'0': 0.02, '1': 0.98}}]
    """

    def __init__(self, folder, model=MODEL, threads=1):
        folder = Path(folder)
        facts = _facts(folder)
        files = {name: file for name, file in facts["files"].items() if name != MODEL or model == MODEL}
        manifest.check(folder, files)
        self.tokenizer = Tokenizer.restore(folder, facts["tokenizer"])
        self.length, self.pairs = facts["length"], facts["pairs"]
        labels = read_text(folder / "labels.txt").removesuffix("\n").split("\n")
        self.task = task({**facts, "labels": labels})
        self.path = folder / model
        self._interpreter = _interpreter(self.path, threads)
        self._places = _places(self._interpreter, self.path, self.length, len(labels))

    def predict(self, texts):
        """Return the answers to texts, or to (first, second) pairs: one dict a row (see `tasks`)."""
        rows = [self._row(number, text) for number, text in enumerate(texts, start=1)]
        first, second = ([row[side] for row in rows] for side in (0, 1))
        return self.task.answers(self.probabilities(first, second if self.pairs else None))

    def probabilities(self, first, second=None):
        """Return the probabilities of texts, or of pairs, [rows, C] float32."""
        if (second is not None) != self.pairs:
            raise Error("This file reads pairs; give a second text to each." if self.pairs else
                        "This file reads single texts; a second one came with each.")
        seconds = [[text] for text in second] if self.pairs else [None] * len(first)
        found = np.zeros((len(first), len(self.task.labels)), "float32")
        for row, one, two in zip(found, first, seconds, strict=True):
            row[:] = self.run(self.tokenizer.pack([one], two, self.length))
        return found

    def run(self, batch):
        """Return the probabilities [C] float32 of one packed row, {name: int32 [1, length]}."""
        inputs, output = self._places
        for name, place in inputs.items():
            self._interpreter.set_tensor(place, batch[name])
        self._interpreter.invoke()
        found = self._interpreter.get_tensor(output)[0]
        if not np.isfinite(found).all():
            raise Error(f"{self.path} answers with numbers that are none; export it again.")
        return found

    def _row(self, number, text):
        """Return (first, second) of one row, second None for a single text."""
        if self.pairs and isinstance(text, (tuple, list)) and len(text) == 2:
            return tuple(text)
        if not self.pairs and isinstance(text, (str, bytes)):
            return text, None
        raise Error(f"Row {number} is {text!r:.60}; this file answers "
                    f"{'pairs: give (first, second)' if self.pairs else 'single texts: give a str'}.")


def _facts(folder):
    """Return ondevice.json, its entries of the right kinds; raises `Error`."""
    path = folder / FACTS
    if not path.exists():
        raise Error(f"{path} is missing; give the whole folder that `bertkit export --to tflite` wrote.")
    facts = read_object(path)
    if facts.get("format") != FORMAT:
        raise Error(f"{path} is of format {facts.get('format')!r}; this version of bertkit reads {FORMAT}.")
    for name, kind in KINDS.items():
        if type(facts.get(name)) is not kind:
            raise Error(f"{path} has {name}={facts.get(name)!r:.40}, wanted a {kind.__name__}; export again.")
    return facts


def _interpreter(path, threads):
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise Error("Running a .tflite file needs LiteRT; install the package ai-edge-litert.") from None
    if not path.is_file():
        raise Error(f"{path} is missing; give the whole folder that `bertkit export --to tflite` wrote.")
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise Error(f"{path} is no model that LiteRT can run ({str(error).splitlines()[0]}); export it "
                    "again.") from None
    return interpreter


def _places(interpreter, path, length, classes):
    """Return ({input name: tensor}, output tensor) if names, types and shapes are as wanted, else `Error`."""
    signature = next(iter(interpreter.get_signature_list()), None)
    runner = signature and interpreter.get_signature_runner(signature)
    inputs = runner.get_input_details() if runner else {}
    outputs = runner.get_output_details() if runner else {}
    found = {name: (tensor["dtype"], tuple(tensor["shape"])) for name, tensor in (inputs | outputs).items()}
    wanted = dict.fromkeys(("token_ids", "padding_mask", "segment_ids"), (np.int32, (1, length)))
    wanted["probabilities"] = (np.float32, (1, classes))
    if "segment_ids" not in found:          # families without segments leave it out
        del wanted["segment_ids"]
    if found != wanted:
        raise Error(f"{path} takes and gives {', '.join(found) or 'nothing by name'}, not what ondevice.json "
                    "says; it belongs to another folder.")
    return {name: tensor["index"] for name, tensor in inputs.items()}, outputs["probabilities"]["index"]
