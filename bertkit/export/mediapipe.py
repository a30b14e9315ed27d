"""A bundle as one .tflite for MediaPipe's TextClassifier and TextEmbedder, checked as MediaPipe will read texts."""

import dataclasses
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.card import Card
from bertkit.checkpoints import bundle as bundles
from bertkit.data.columns import Columns
from bertkit.data.features import check_fit
from bertkit.data.frames import Data, optional_path
from bertkit.data.inputs import Labelled
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.export import ladder, mask, parity, source
from bertkit.export import mediapipe_metadata as metadata
from bertkit.export.any_length import AnyLength
from bertkit.export.convert import convert
from bertkit.export.mediapipe_tokenizer import CLS, LONGEST, PREFIX, SEP, UNKNOWN, MediaPipeTokenizer
from bertkit.export.proof import Proof
from bertkit.files.atomic import write_bytes
from bertkit.files.bounded import as_path
from bertkit.files.schema import Number, Whole, check_argument
from bertkit.ondevice.latency import load_average, row_time
from bertkit.tasks.classification import THRESHOLD
from bertkit.terminal import say
from bertkit.text import Tokenizer
from bertkit.text.template import FIRST

# Precisions whose rules do not need the length; the others scale what they saw at one.
PRECISIONS = ("float32", "float16", "dynamic", "int8")
TASKS = {"classify": "TextClassifier", "embed": "TextEmbedder"}
# Settings of WordPiece that MediaPipe has built in, and what a model that has others does.
BUILT_IN = {"lowercase": (True, "keeps capital letters, and MediaPipe lower-cases every text"),
            "clean": (True, "keeps control characters in words"),
            "split_ideographs": (True, "reads several Chinese characters as a word, and MediaPipe each alone"),
            "prefix": (PREFIX, f"marks the later pieces of a word otherwise than by {PREFIX}"),
            "normalization": ([], "normalises texts in other steps than BERT's")}


def export_mediapipe(folder: str | Path, out: str | Path, precision: str = "int8", length: int | None = None,
                     dev: Data | None = None, max_drop: float = 1.0, columns: Columns = Columns(),
                     separator: str = "|", skip_bad_rows: bool = False) -> Card:
    """Write a fine-tuned bundle as one .tflite that MediaPipe opens by itself.

    The file has one graph, which takes a row of any length and computes the tokens that are there; a text of more than
    `length` tokens is cut as bertkit cuts it. Metadata, vocab.txt, labels.txt and card.json lie in the file. MediaPipe
    does not find the ids that BERT's tokenizer finds: the card says on how many rows of `dev` they differ, what that
    costs, and how a program makes texts ready, by `normalize`.

    Args:
        folder: The folder of the bundle.
        out: The file to write, such as messages.tflite; nothing is left there after an error.
        precision: float32, float16, dynamic or int8 (see `export_tflite`).
        length: The most tokens of a row; by default what the bundle was trained with.
        dev: A file of labelled rows, or rows in memory, on which the file is scored.
        max_drop: Points of the main metric that it may lose there.
        columns: Names of the columns of `dev`.
        separator: What stands between the labels in a cell of `dev` where a text has several.
        skip_bad_rows: Whether to go on without rows of `dev` that cannot be used.

    Returns:
        The `Card` of what was written; its `parity` has "mediapipe", what MediaPipe's own tokenizer changes.

    Raises:
        Error: When MediaPipe cannot serve the bundle, an option does not fit it, the conversion fails, the file does
            not compute the model, or it surely loses more than `max_drop`.
    """
    file = _checked(as_path(out, "the file to write"), precision, max_drop, length)
    refuse(folder)
    bundle = source.open_predictor(folder)
    path = optional_path(dev)
    labelled = None if path is None else read_labelled(bundle.task, path, columns, separator,
                                                       skip_bad_rows=skip_bad_rows)
    most = length or bundle.length
    check_fit(bundle.tokenizer, bundle.model.encoder.config, most)
    with tempfile.TemporaryDirectory(prefix="bertkit-mediapipe-") as work:
        converted = Path(work) / f"{precision}.tflite"
        card = _made(folder, converted, bundle, labelled, most, precision, max_drop)
        card = _write(file, converted.read_bytes(), dataclasses.replace(card, name=file.stem), bundle)
    say(card.parity["verdict"])
    return card


def _checked(out, precision, max_drop, length):
    """Check the options that do not ask for the bundle; return the file to write."""
    if precision not in PRECISIONS:
        known = f"is made for one length, and MediaPipe's file takes any; give {', '.join(PRECISIONS)}"
        raise Error(f"precision={precision!r:.40} {known if precision in (*parity.LADDER, 'auto') else 'is unknown'}.")
    if Number(0).fault(max_drop):
        raise Error(f"max_drop={max_drop!r:.40} is no number of points; give 0 or more.")
    if length is not None:
        check_argument("length", length, Whole(2))
    if out.is_dir():
        raise Error(f"{out} is a folder, and MediaPipe reads one file; give another --out, such as {out.name}.tflite.")
    if out.exists() and not is_ours(out):
        raise Error(f"{out} is already there and no file that bertkit wrote for MediaPipe; give another --out.")
    if not out.absolute().parent.is_dir() or not os.access(out.absolute().parent, os.W_OK):
        raise Error(f"{out} cannot be written, because {out.absolute().parent} is no folder one can write to; choose "
                    "another --out.")
    return out


def is_ours(path: Path) -> bool:
    """Return whether a file is one that `export_mediapipe` wrote.

    Args:
        path: The file.

    Returns:
        True if vocabulary and card lie in it.
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {metadata.VOCABULARY_FILE, metadata.CARD_FILE} <= set(archive.namelist())


def refuse(folder: str | Path) -> None:
    """Check that MediaPipe can serve a bundle, before anything is loaded but its task and its tokenizer.

    Args:
        folder: The folder of the bundle.

    Raises:
        Error: When MediaPipe has no such task, or finds other tokens than the model knows whatever is done to a text.
    """
    task = bundles.task(bundles.read_metadata(folder))
    if task.name not in TASKS:
        raise Error(f"MediaPipe has no task for a bundle of `{task.name}`: it classifies a text (TextClassifier) or "
                    "embeds it (TextEmbedder); export this one --to tflite or --to web.")
    if getattr(task, "pairs", False):
        raise Error("MediaPipe reads one text, and this bundle reads pairs of texts; export it --to tflite or --to "
                    "web.")
    if odd := [label for label in getattr(task, "labels", ()) if not label or label.splitlines() != [label]]:
        raise Error(f"The label {odd[0]!r} is empty or holds a line end, which labels.txt cannot hold; rename it.")
    if reason := obstacle(Tokenizer.load(folder)):
        raise Error(f"MediaPipe's tokenizer is that of uncased BERT, and this model {reason}; export it --to tflite or "
                    "--to web, whose clients have its own tokenizer.")


def obstacle(tokenizer: Tokenizer) -> str | None:
    """Return what a model's tokenizer does that MediaPipe's cannot do, whatever is done to a text before.

    Args:
        tokenizer: The `Tokenizer`.

    Returns:
        The end of a sentence about the model, or None.
    """
    if tokenizer.model.kind != "wordpiece":
        return f"has a {tokenizer.model.kind} tokenizer"
    settings = tokenizer.model.settings()
    for name, (wanted, does) in BUILT_IN.items():
        if settings[name] != wanted:
            return does
    if settings["longest_word"] < LONGEST:
        return f"does not know words of more than {settings['longest_word']} letters"
    if tokenizer.template.single != ((CLS, 0), (FIRST, 0), (SEP, 0)) or tokenizer.special.get("unk") != UNKNOWN:
        return f"does not put {CLS} and {SEP} around a text, with {UNKNOWN} for what it does not know"
    if tokenizer.recognised:
        return f"finds the added token {tokenizer.recognised[0].content} in texts"
    if missing := {CLS, SEP, UNKNOWN} - set(tokenizer.model_vocabulary):
        return f"has no {min(missing)} in its vocabulary"
    if odd := [entry for entry in tokenizer.model_vocabulary if not entry or entry.splitlines() != [entry]]:
        return f"has the entry {odd[0]!r}, which is no line of a vocabulary"
    return None


def _made(folder, file, bundle, labelled, most, precision, max_drop):
    """Convert, prove and measure; return the card."""
    rows = source.calibration_rows(folder, bundle.tokenizer, most)
    masking = mask.measure_masking(bundle.model, rows, mask.FLOAT) if rows else {"masked_score": mask.FLOAT, "rows": 0}
    rows = rows or source.random_rows(bundle.tokenizer, most)
    say(f"Converting to {precision} for rows of any length, of which {most} tokens count, in a process of its own.")
    drift = convert(folder, {precision: file}, masking["masked_score"], rows, most=most)
    device = AnyLength(file, bundle.tokenizer, bundle.task, most)
    on = f" on the {len(labelled)} rows of {Path(labelled.path).name}" if labelled else ""
    say(f"Comparing the {precision} file with the model as trained{on}.")
    whole = source.calibration_rows(folder, bundle.tokenizer, bundle.length) or rows
    found = Proof(bundle, rows, whole, labelled).of(device, precision, max_drop)
    if "refusal" in found:
        raise Error(found["refusal"])
    entry = ladder.entry(precision, file.stat().st_size, found, {
        "cpu_ms": row_time(device), "load_average": load_average(), "layers": drift.get(precision, {})})
    entry["chosen"] = True
    say(parity.cut_rows(found["cut"]))
    say(ladder.table([entry]))
    read = None if labelled is None else read_by_mediapipe(device, labelled)
    found = {"precision": precision, "length": most, "mask": masking, **found, **({"mediapipe": read} if read else {})}
    card, notes = Card.read(Path(folder) / "card.json"), _notes(bundle.task, bundle.tokenizer, read)
    say("\n".join(notes))
    return dataclasses.replace(
        card, parity=found, ladder=(entry,), bytes={"model": file.stat().st_size},
        inputs={"reads": list(bundle.task.reads), **dict.fromkeys(metadata.INPUTS, "int32 [1, any]")},
        notes=(*card.notes, *notes))


def read_by_mediapipe(device: AnyLength, labelled: Labelled) -> dict[str, Any]:
    """Return what MediaPipe's own tokenizer changes on labelled inputs, as they are and after `Tokenizer.normalize`.

    Args:
        device: The file.
        labelled: Labelled inputs.

    Returns:
        JSON values: "texts", how many; "differ" and "differ_normalized", of how many of them MediaPipe finds other ids
        than the model's tokenizer; and as `parity.score` has them "metric", "points", "model_score" of the file with
        its own tokenizer, "score" of the file with MediaPipe's, and "drop_points".
    """
    task, tokenizer = device.task, device.tokenizer
    own = task.pack(tokenizer, labelled.inputs, device.length)
    plain, ready = (task.pack(MediaPipeTokenizer(tokenizer.model_vocabulary, before), labelled.inputs, device.length)
                    for before in (str, tokenizer.normalize))
    differ, still = (sum(one[0] != other[0] for one, other in zip(own.rows, packed.rows, strict=True))
                     for packed in (plain, ready))
    scored = parity.score(task, labelled.targets, parity.Side(device.outputs(own.rows), own),
                          parity.Side(device.outputs(plain.rows), plain))
    kept = ("metric", "points", "model_score", "score", "drop_points")
    return {"texts": len(own.rows), "differ": differ, "differ_normalized": still,
            **{name: scored[name] for name in kept}}


def _notes(task, tokenizer, read):
    """Return what a program must know that gives texts to MediaPipe."""
    settings, notes = tokenizer.model.settings(), []
    odd = {name: settings[name] for name, usual in (("rules", "huggingface"), ("strip_accents", True))
           if settings[name] != usual}
    java = "" if "rules" in odd else "Model.normalize of tflite/android, "      # whose rules are Hugging Face's
    notes.append("Give each text to MediaPipe as `normalize` leaves it (normalize(text"
                 f"{', ' + json.dumps(odd) if odd else ''}) of tflite/web, {java}bertkit.Tokenizer.normalize): "
                 "MediaPipe's own tokenizer keeps accents, capital letters outside ASCII and control characters.")
    if read:
        notes.append(_difference(read))
    if getattr(task, "prompt", ""):
        notes.append(f"Put the prompt {task.prompt!r} in front of each text, which the file does not.")
    if getattr(task, "threshold", None) not in (None, THRESHOLD) and not task.multi_label:
        notes.append(f"bertkit gives {task.positive_class} where its probability is above {task.threshold:.4f}; "
                     "MediaPipe's first category is the most probable one.")
    if getattr(task, "multi_label", False):
        notes.append(f"MediaPipe gives the labels that are at least {task.threshold:.4f} probable, unless a program "
                     "sets score_threshold.")
    return notes


def _difference(read):
    """Return in one sentence what MediaPipe's tokenizer changes on labelled inputs."""
    score = " to ".join(f"{read['points'] * read[name]:.2f}" for name in ("model_score", "score"))
    return (f"Without normalize MediaPipe finds other ids than the model's tokenizer in {read['differ']:,} of "
            f"{read['texts']:,} texts of dev ({100 * read['differ'] / read['texts']:.1f} %), and {read['metric']} of "
            f"the file goes from {score}; with it in {read['differ_normalized']:,}.")


def _write(out, content, card, bundle):
    """Write the file with all that belongs into it."""
    task, tokenizer = bundle.task, bundle.tokenizer
    labels = getattr(task, "labels", ())
    files = {metadata.VOCABULARY_FILE: tokenizer.model_vocabulary, metadata.LABELS_FILE: labels}
    inside = {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in files.items() if lines}
    sizes = {name: len(one) for name, one in inside.items()}
    card = dataclasses.replace(card, bytes={**card.bytes, **sizes})
    threshold = float(np.nextafter(np.float32(task.threshold), np.float32(2))) if getattr(
        task, "multi_label", False) else None           # bertkit gives what is above
    about = metadata.describe(card.name, " ".join(card.notes), metadata.input_names(content), task.output, bool(labels),
                              threshold)
    inside[metadata.CARD_FILE] = json.dumps(card.to_json(), indent=2, ensure_ascii=False, allow_nan=False).encode()
    write_bytes(out, metadata.with_metadata(content, about, inside))
    return card
