"""A bundle as a folder that ONNX Runtime, transformers.js and sentence-transformers read."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras

from bertkit import family
from bertkit.card import Card
from bertkit.checkpoints import architectures
from bertkit.data.columns import Columns
from bertkit.data.frames import Data, optional_path
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.export import source
from bertkit.export.graph import answer
from bertkit.export.onnx import precision, sentence_files
from bertkit.export.onnx.graph import Graph
from bertkit.export.onnx.model_file import content
from bertkit.export.onnx.runner import OnnxModel, is_installed
from bertkit.export.onnx.trace import traced
from bertkit.export.proof import Proof
from bertkit.files.atomic import read_json, write_bytes, write_json
from bertkit.files.folders import new_folder
from bertkit.files.schema import Number
from bertkit.heads import SentenceEmbedder
from bertkit.requirements import missing
from bertkit.terminal import say
from bertkit.text.formats import huggingface as tokenizer_files
from bertkit.text.formats import wordpiece

# The names of Hugging Face's libraries: of the inputs, and of the file of each precision.
INPUTS = {"token_ids": "input_ids", "padding_mask": "attention_mask", "segment_ids": "token_type_ids"}
FILES: dict[str, tuple[str, Callable[[Graph], Graph]]] = {
    "float32": ("onnx/model.onnx", lambda graph: graph), "int8": ("onnx/model_quantized.onnx", precision.int8),
    "float16": ("onnx/model_fp16.onnx", precision.float16)}
TASKS = ("classify", "score", "tag", "answer", "choose", "embed", "rank")
# What a graph of ONNX cannot hold of a family: (family, tasks, why).
UNFIT = (("reformer", TASKS, "it draws its hashes from random numbers that ONNX has no operator for"),
         ("longformer", ("choose",), "it has no global token there, and ONNX has no reshape of nothing"))


def export_onnx(folder: str | Path, out: str | Path, dev: Data | None = None, max_drop: float = 1.0,
                columns: Columns = Columns(), separator: str = "|", skip_bad_rows: bool = False) -> Card:
    """Write a fine-tuned bundle as a folder for ONNX Runtime, in the layout of Hugging Face's libraries.

    onnx/model.onnx computes in float32, onnx/model_quantized.onnx multiplies matrices in 8 bits, onnx/model_fp16.onnx
    is half as large and computes in float32. Inputs are input_ids, attention_mask and, where the family has segments,
    token_type_ids, int64 [rows, tokens] of any size (choose: [rows, choices, tokens]). Outputs are logits (classes,
    tags, choices, grades), of score one number in the units of the training file; start_logits and end_logits; or of
    embed sentence_embedding, pooled, and last_hidden_state. Beside them lie config.json, tokenizer.json and
    tokenizer_config.json, and for embed the modules of sentence-transformers. Where onnxruntime is installed the files
    are run and compared with the model.

    Args:
        folder: The folder of the bundle.
        out: The folder to write; nothing is left there after an error.
        dev: A file of labelled rows, or rows in memory: each file is scored on it, beside the bundle.
        max_drop: Points of the main metric that a file may lose there.
        columns: Names of the columns of `dev`.
        separator: What stands between the labels in a cell of `dev` where a text has several.
        skip_bad_rows: Whether to go on without rows of `dev` that cannot be used.

    Returns:
        The `Card` of what was written; its `parity` says of each file how near it is to the model.

    Raises:
        Error: When Keras does not run on TensorFlow, the task, the head, the tokenizer or an operation of the model
            has no place in such a folder, or a file does not compute the model or surely loses more than `max_drop`.
    """
    if keras.backend.backend() != "tensorflow":
        raise Error(f"An ONNX file is made from TensorFlow's graph, and Keras runs on {keras.backend.backend()}; set "
                    "KERAS_BACKEND=tensorflow.")
    if Number(0).fault(max_drop):
        raise Error(f"max_drop={max_drop!r:.40} is no number of points; give 0 or more.")
    with new_folder(out, "onnx") as place:
        bundle = source.open_predictor(folder)
        _check_fit(bundle)
        path = optional_path(dev)
        labelled = None if path is None else read_labelled(bundle.task, path, columns, separator,
                                                           skip_bad_rows=skip_bad_rows)
        notes = _describe(place, bundle)
        say("Writing the graph of the model.")
        names = _write_files(place, bundle)
        found = _proved(place, bundle, folder, labelled, max_drop)
        card = _card(place, bundle, folder, Path(out).name, names, found, notes)
        write_json(place / "card.json", card.to_json())
    for file, proof in found.items():
        say(f"{file}: {proof['verdict']}" if isinstance(proof, dict) else proof)
    return card


def _check_fit(bundle):
    """Raise `Error` where such a folder has no place for a bundle."""
    task, name = bundle.task.name, bundle.model.encoder.config.family
    if task not in TASKS:
        raise Error(f"The task {task} has no form in an ONNX folder, which holds models of {', '.join(TASKS)}; answer "
                    "with `bertkit predict`, or export it as a saved_model.")
    for unfit, tasks, reason in UNFIT:
        if name == unfit and task in tasks:
            raise Error(f"A {name} model of the task {task} does not go into an ONNX file, because {reason}; export it "
                        "as a saved_model.")


def _describe(place, bundle):
    """Write all but the model itself; return what a reader of the folder must know."""
    model, tokenizer = bundle.model, bundle.tokenizer
    config, page = model.encoder.config, family.page(model.encoder.config.family)
    described = model.encoder if isinstance(model, SentenceEmbedder) else model
    write_json(place / "config.json", architectures.config_json(described, config, tokenizer, page))
    _write_tokenizer(place, bundle)
    return sentence_files.write(place, bundle) if isinstance(model, SentenceEmbedder) else ()


def _write_tokenizer(place, bundle):
    """Write tokenizer.json and tokenizer_config.json, with the length that the model was trained at."""
    tokenizer, kind = bundle.tokenizer, bundle.tokenizer.model.kind
    (wordpiece.write_whole if kind == "wordpiece" else tokenizer_files.write)(place, tokenizer)
    if not (place / "tokenizer.json").exists():
        raise Error(f"The words of this tokenizer ({kind}) come from a dictionary that tokenizer.json cannot hold; "
                    "export it as a saved_model.")
    settings = {**read_json(place / "tokenizer_config.json"), "model_max_length": bundle.length}
    # transformers.js gives the second text of a pair its segment where it knows the class alone.
    config = bundle.model.encoder.config
    if config.reads_segments and kind == "wordpiece":
        settings |= {"tokenizer_class": "BertTokenizer", **wordpiece.flags(tokenizer)}
    elif config.family == "albert":
        settings["tokenizer_class"] = "AlbertTokenizer"
    write_json(place / "tokenizer_config.json", settings)


def _write_files(place, bundle):
    """Write the .onnx files; return the names of their inputs and outputs."""
    model, task = bundle.model, bundle.task
    inputs = {ours: theirs for ours, theirs in INPUTS.items()
              if ours != "segment_ids" or model.encoder.config.reads_segments}
    dimensions = ("rows", "choices", "tokens") if model.grouped else ("rows", "tokens")
    graph = traced(model, lambda batch: _outputs(model, task, batch), inputs, dimensions)
    (place / "onnx").mkdir()
    for file, made in FILES.values():
        write_bytes(place / file, content(made(graph), {"task": task.name, "length": str(bundle.length)}))
    return list(inputs.values()), [name for name, _, _ in graph.outputs]


def _outputs(model, task, batch):
    """Return what the file gives for rows, under Hugging Face's names."""
    if isinstance(model, SentenceEmbedder):
        return {"last_hidden_state": model.encoder(batch, training=False)["sequence"],
                "sentence_embedding": model(batch, training=False)}
    if task.name == "score":
        return {"logits": answer(model, task, batch)}
    given = model(batch, training=False)
    return given if isinstance(given, dict) else {"logits": given}


def _proved(place, bundle, folder, labelled, max_drop):
    """Return {file: what the proof found of it}; the sentence that it was not run where onnxruntime is missing."""
    if not is_installed():
        return {"verdict": f"The files were not run. {missing('onnxruntime', 'Comparing them with the model')}."}
    rows = source.calibration_rows(folder, bundle.tokenizer, bundle.length)
    rows = source.random_rows(bundle.tokenizer, bundle.length) if rows is None else rows
    rows = {name: values[:source.RANDOM_ROWS] if labelled else values for name, values in rows.items()}
    prove, found = Proof(bundle, rows, rows, labelled), {}
    for name, (file, _) in FILES.items():
        on = f"{len(labelled)} rows of {Path(labelled.path).name}" if labelled else "calibration rows"
        say(f"Comparing {file} with the model as trained, on {on}.")
        proof = prove.of(OnnxModel(place / file, bundle), name, max_drop)
        if "refusal" in proof:
            drop = proof["dev"]["drop_points"]
            raise Error(f"{file} loses {drop['drop']:.2f} points of {proof['dev']['metric']} on dev (95 % interval "
                        f"{drop['low']:.2f} to {drop['high']:.2f}), and {max_drop:g} are allowed; give a larger "
                        "--max-drop, or export to tflite, whose --precision chooses.")
        found[file] = {"precision": name, **proof}
    return found


def _card(place, bundle, folder, name, names, found, notes):
    """Return the bundle's card with what was measured on the files."""
    card = Card.read(Path(folder) / "card.json")
    inputs, outputs = names
    size = {path.relative_to(place).as_posix(): path.stat().st_size
            for path in sorted(place.rglob("*")) if path.is_file()}
    shape = "int64 [rows, choices, tokens]" if bundle.model.grouped else "int64 [rows, tokens]"
    return dataclasses.replace(
        card, name=name, parity=found, bytes=size, notes=card.notes + notes,
        inputs={"reads": list(bundle.task.reads), **dict.fromkeys(inputs, shape), "outputs": outputs})
