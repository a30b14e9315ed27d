"""Run an exported folder on texts, with numpy, LiteRT and bertkit's own tokenizer alone."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.files import manifest, schema
from bertkit.files.atomic import read_json, write_json, write_text
from bertkit.files.bounded import as_path
from bertkit.tasks.columns import to_list
from bertkit.tasks.registry import metadata as task_metadata
from bertkit.tasks.registry import task
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer
from bertkit.text import tokenizer as tokenizers
from bertkit.text.formats.vocabulary import vocabulary_file

FORMAT = 1
MODEL, METADATA = "model.tflite", "ondevice.json"
SHAPE = {"format": schema.Choice(FORMAT), "task": {"name": str}, "length": schema.Whole(1, 2**31),
         "lengths": schema.Maybe(schema.Several(schema.Whole(1, 2**31), least=2, different=True)),
         "files": manifest.FILES, "tokenizer": {"kind": schema.Choice(*tokenizers.MODELS)}}


def load(folder: str | Path, model: str = MODEL, threads: int = 1) -> "DeviceModel":
    """Load the model of a folder that `bertkit export --to tflite` wrote.

    Args:
        folder: The folder.
        model: The name of the model's file in it.
        threads: How many threads LiteRT computes with.

    Returns:
        The `DeviceModel`.

    Raises:
        Error: when a file is missing, damaged, or does not fit the others.
    """
    return DeviceModel(folder, model, threads)


def signature(length: int) -> str:
    """Return the name of the signature that takes rows of a length, in a file of several.

    Args:
        length: Tokens of a row.

    Returns:
        The name.

    >>> signature(32)
    'length_32'
    """
    return f"length_{length}"


def write_facts(folder: str | Path, tokenizer: Tokenizer, task: Task, lengths: Sequence[int]) -> None:
    """Write the vocabulary, labels.txt where the task has labels, and ondevice.json beside a folder's model.tflite.

    Where there is no model.tflite yet, ondevice.json does not vouch for it; write the facts again when it is there.

    Args:
        folder: The folder.
        tokenizer: The `Tokenizer` of the model.
        task: The `Task` of the model.
        lengths: Tokens of a row, of each signature of the file.

    Raises:
        Error: when a label holds a line end.
    """
    folder = Path(folder)
    names = [*([MODEL] if (folder / MODEL).exists() else []), tokenizer.file]
    if labels := getattr(task, "labels", ()):
        if broken := [label for label in labels if "\n" in label or label.endswith("\r")]:
            raise Error(f"The label {broken[0]!r} holds a line end, which labels.txt cannot hold; rename it.")
        write_text(folder / "labels.txt", "".join(label + "\n" for label in labels))
        names.append("labels.txt")
    metadata = {"format": FORMAT, "task": task_metadata(task), "length": max(lengths),
                "tokenizer": tokenizer.save(folder), "files": manifest.describe(folder, names)}
    metadata |= {"lengths": sorted(lengths)} if len(lengths) > 1 else {}
    write_json(folder / METADATA, metadata, signed=True)


class DeviceModel:
    """A .tflite file with the tokenizer and the task that it was exported with.

    `task` says what the answers mean (see `bertkit.tasks`), `length` to how many tokens rows are cut, and `lengths` to
    how many they are padded: to the smallest that fits. One row is computed at a time; several threads may share one
    object, and take turns.

    Args:
        folder: A folder that `bertkit export --to tflite` wrote.
        model: The name of the model's file in it.
        threads: How many threads LiteRT computes with.

    Raises:
        Error: when a file is missing, damaged, or does not fit the others.

    Example:
        >>> model = load("films")                        # doctest: +SKIP
        >>> model.predict(["a warm, funny film"])        # doctest: +SKIP
        [{'label': '1', 'probabilities': {'0': 0.02, '1': 0.98}}]
    """

    def __init__(self, folder: str | Path, model: str = MODEL, threads: int = 1) -> None:
        folder = as_path(folder, "a folder that `bertkit export --to tflite` wrote")
        metadata = _metadata(folder)
        files = {name: file for name, file in metadata["files"].items() if name != MODEL or model == MODEL}
        used = [vocabulary_file(metadata["tokenizer"]["kind"]), *([MODEL] if model == MODEL else [])]
        manifest.check(folder, files, used)
        self.tokenizer = Tokenizer.restore(folder, metadata["tokenizer"])
        self.length, self.task = metadata["length"], task(metadata["task"], folder / METADATA)
        self.lengths = tuple(metadata.get("lengths", [self.length]))
        self.path, self._turn = folder / model, threading.Lock()
        self._signatures = _signatures(_interpreter(self.path, threads), self.path, self.lengths, self.task)

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Answer inputs.

        Args:
            inputs: Texts, or tuples of texts, as the task reads them.

        Returns:
            One dict for each input, see the `answers` of the task.
        """
        inputs = self.task.check_inputs(inputs)
        return self.task.answers(inputs, self.predictions(inputs)) if inputs else []

    def predictions(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the task's prediction of each input.

        Args:
            inputs: Texts, or tuples of texts, as the task reads them.

        Returns:
            The predictions, see the `predictions` of the task.

        Raises:
            Error: when one string came in place of a list.
        """
        packed = self.task.pack(self.tokenizer, to_list(inputs, "inputs"), self.length)
        return self.task.predictions(self.outputs(packed.rows), packed)

    def outputs(self, rows: Sequence[tuple[list[int], list[int]]]) -> list[np.ndarray]:
        """Compute the file's output for rows, without padding.

        Args:
            rows: (token ids, segment ids) of each.

        Returns:
            An array for each row, float32 [width], or [tokens, width] where the task has an output for each token.
        """
        outputs: list[Any] = [None] * len(rows)
        # Each signature has weights in an order of its own, so that rows of one length after the other find them near.
        for number in sorted(range(len(rows)), key=lambda number: len(rows[number][0])):
            row = rows[number]
            fitting = next((length for length in self.lengths if length >= len(row[0])), self.length)
            batch = self.tokenizer.batch([row], fitting)
            output = self.run(batch)
            outputs[number] = output[batch["padding_mask"][0] == 1] if self.task.each_token else output
        return outputs

    def run(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Compute the file's output for one padded row.

        Args:
            batch: {name: int32 [1, length]}, where the length is one of `lengths`.

        Returns:
            float32 [width], or [length, width] where the task has an output for each token.

        Raises:
            Error: when the output holds NaN or infinity.
        """
        runner, names = self._signatures[batch["token_ids"].shape[1]]
        with self._turn:                # an interpreter holds the tensors of one row
            values = runner(**{name: batch[name] for name in names})[self.task.output][0]
        if not np.isfinite(values).all():
            raise Error(f"{self.path} gives NaN or infinity; export it again.")
        return values


def _metadata(folder):
    """Return ondevice.json, its entries of the right kinds; raises `Error`."""
    path = folder / METADATA
    if not path.exists():
        raise Error(f"{path} is missing; give the whole folder that `bertkit export --to tflite` wrote.")
    found = read_json(path, SHAPE, signed=True, advice="export again, or copy the folder again")
    lengths = found.get("lengths", [found["length"]])
    if lengths != sorted(lengths) or lengths[-1] != found["length"]:
        raise Error(f"{path} has the lengths {lengths}, wanted them in order up to {found['length']}; export again.")
    return found


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


def _signatures(interpreter, path, lengths, task):
    """Return {length: (what runs it, names of its inputs)} if names, types and shapes are as wanted, else `Error`."""
    present, found = interpreter.get_signature_list(), {}
    for length in lengths:
        name = signature(length) if len(lengths) > 1 else next(iter(present), None)
        runner = interpreter.get_signature_runner(name) if name in present else None
        found[length] = runner, _checked_inputs(runner, path, length, task)
    return found


def _checked_inputs(runner, path, length, task):
    """Return the names of a signature's inputs if it takes and gives what a task wants at a length, else `Error`."""
    inputs = runner.get_input_details() if runner else {}
    outputs = runner.get_output_details() if runner else {}
    actual = {name: (tensor["dtype"], tuple(tensor["shape"])) for name, tensor in (inputs | outputs).items()}
    wanted: dict[str, tuple[type, tuple[int, ...]]] = dict.fromkeys(
        ("token_ids", "padding_mask", "segment_ids"), (np.int32, (1, length)))
    wanted[task.output] = (np.float32, (1, length, task.width) if task.each_token else (1, task.width))
    if "segment_ids" not in actual:          # families without segments leave it out
        del wanted["segment_ids"]
    if actual != wanted:
        raise Error(f"{path} takes and gives {', '.join(actual) or 'nothing by name'}, not what ondevice.json "
                    "says; it belongs to another folder.")
    return tuple(inputs)
