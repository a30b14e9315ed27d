"""What each layer of an encoder knows of labelled rows, and how far it is from the layers of another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bertkit.checkpoints import load
from bertkit.data.columns import Columns
from bertkit.data.features import features_of
from bertkit.data.labelled import learn_task
from bertkit.data.pipeline import batches_by_length
from bertkit.errors import Error
from bertkit.inspection.probing import Probe, probe
from bertkit.inspection.similarity import cka_of_grams, gram
from bertkit.report.layers import render_layers
from bertkit.report.shown import Shown
from bertkit.terminal import with_progress
from bertkit.text import Tokenizer

LEAST = 30              # rows that a probe is worth its name with
WORDS = 4_000           # words that are probed: more change no digit that is shown, and take long
BATCH = 32


@dataclass(frozen=True)
class Layers(Shown):
    """What a linear probe finds after each layer, 0 being the embeddings, and how alike two encoders' layers are.

    Args:
        names: The encoder, and the other one where there are two.
        task: classify or tag.
        rows: How many rows were read.
        commonest: Share of the commonest class.
        probes: The `Probe` after each layer, for each encoder.
        alike: float [layers+1,layers+1], the `cka` of each layer of the first with each of the last encoder.
    """

    names: tuple[str, ...]
    task: str
    rows: int
    commonest: float
    probes: tuple[tuple[Probe, ...], ...]
    alike: np.ndarray

    def page(self) -> str:
        """Return it as a page.

        Returns:
            The HTML (see `report.layers`).
        """
        return render_layers(self)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON.

        Returns:
            {"models": [{"name", "layers": [{"score", "low", "high", "control", "selectivity"}]}], "task", "rows",
            "commonest", "cka"}.
        """
        return {"models": [{"name": name, "layers": [one.to_json() for one in probes]}
                           for name, probes in zip(self.names, self.probes, strict=True)],
                "task": self.task, "rows": self.rows, "commonest": self.commonest, "cka": self.alike.tolist()}

    def text(self) -> str:
        """Return a table for a person to read.

        Returns:
            Lines, without a line end after the last.
        """
        lines = [f"{self.rows:,} rows; the commonest class alone gives {100 * self.commonest:.1f} %."]
        for name, probes in zip(self.names, self.probes, strict=True):
            lines += [name, "layer  found by a linear probe     control  selectivity"]
            lines += [f"{layer:5}  {100 * one.score:5.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f})"
                      f"{100 * one.control:11.1f} %  {100 * one.selectivity:+6.1f}" for layer, one in enumerate(probes)]
        if len(self.names) > 1:
            lines.append("CKA of the same layers: " + ", ".join(f"{value:.3f}" for value in np.diagonal(self.alike)))
        return "\n".join(lines)


def examine_layers(model: str | Path, data: str | Path, against: str | Path | None = None,
                   task: Literal["classify", "tag"] = "classify", limit: int = 1000, length: int = 128, seed: int = 0,
                   columns: Columns = Columns()) -> Layers:
    """Probe every layer of an encoder for the labels of rows, and compare its layers with another's or with themselves.

    Texts are the mean of their tokens' vectors; words are their first pieces' vectors.

    Args:
        model: A checkpoint with its tokenizer.
        data: Labelled rows, texts or pairs with one class each, or tagged sentences.
        against: Another checkpoint, such as the one that fine-tuning began with.
        task: Whether rows have a class (classify) or tags (tag).
        limit: The first rows of `data` that are read.
        length: Tokens that a text is cut to.
        seed: Of the split in learnt and asked rows, of the words that are probed, and of the control task.
        columns: Names of columns.

    Returns:
        The `Layers`.

    Raises:
        Error: When the rows are too few or have several labels, or a file cannot be read.
    """
    named, labelled = learn_task(task, data, columns, limit=limit)
    if getattr(named, "multi_label", False):
        raise Error("A probe finds one class a row, and these rows have several; give rows with one label each.")
    if len(labelled) < LEAST:
        raise Error(f"{data} has {len(labelled)} rows, and a probe needs {LEAST} to say anything; give more.")
    both = [model] if against is None else [model, against]
    seen = [_seen(one, named, labelled, length, seed) for one in both]
    probes = tuple(tuple(probe(layer, labels, rows, kinds, seed) for layer in vectors)
                   for vectors, (labels, rows, kinds), _ in seen)
    labels = seen[0][1][0]
    grams = [[gram(layer) for layer in texts] for *_, texts in (seen[0], seen[-1])]
    alike = np.array([[cka_of_grams(one, other) for other in grams[1]] for one in grams[0]])
    return Layers(tuple(str(one).rstrip("/").rpartition("/")[2] for one in both), task, len(labelled),
                  float(np.unique(labels, return_counts=True)[1].max() / len(labels)), probes, alike)


def _seen(source, task, labelled, length, seed):
    """Return (vectors of the examples after each layer, (their labels, rows, kinds), mean vectors of the rows)."""
    tokenizer, encoder = Tokenizer.load(source), load(source, part="encoder")
    length = min(length, encoder.config.max_length or length)
    rows = features_of(task.pack(tokenizer, labelled.inputs, length, labelled.targets), tokenizer)
    texts, words = _vectors(encoder, rows)
    if words is None:
        examples, vectors = (np.asarray(rows.labels), np.arange(len(rows)), None), texts
    else:
        vectors, labels, numbers, kinds = words
        some = np.sort(np.random.default_rng(seed).permutation(len(labels))[:WORDS])
        examples, vectors = (labels[some], numbers[some], kinds[some]), [layer[some] for layer in vectors]
    return vectors, examples, texts


def _vectors(encoder, rows):
    """Return mean vectors [layers+1][n,D], and of tagged words (vectors [layers+1][w,D], labels, rows, ids) or None."""
    means: list[Any] = [None] * len(rows)
    words: list[Any] = []
    batches: list[Any] = [numbers for numbers, _ in batches_by_length(rows, BATCH)]
    for numbers in with_progress(batches, len(rows), "computed"):
        batch = rows.batch(numbers)
        given = {name: batch[name] for name in ("token_ids", "padding_mask", "segment_ids") if name in batch}
        trace = encoder(given, trace=True, training=False)["trace"]
        states = np.stack([np.asarray(trace[f"hidden/{layer}"], "float32") for layer in range(len(encoder.order) + 1)])
        mask = batch["padding_mask"][None, :, :, None]
        for number, mean in zip(numbers, ((states * mask).sum(2) / mask.sum(2)).swapaxes(0, 1), strict=True):
            means[number] = mean
        if rows.token_labels is not None:
            labels = rows.padded(rows.token_labels, numbers, fill=-1)
            row, place = np.nonzero(labels >= 0)
            words.append((states[:, row, place], labels[row, place], numbers[row], batch["token_ids"][row, place]))
    texts = list(np.stack(means, axis=1))
    if not words:
        return texts, None
    vectors, *others = zip(*words, strict=True)
    return texts, (list(np.concatenate(vectors, axis=1)), *(np.concatenate(part) for part in others))
