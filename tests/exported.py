"""Small bundles and what was exported from them, each made once for all tests that read it."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.export import convert, export_tflite, reload, source
from bertkit.tasks.classification import Classification
from tests import tiny

LENGTH = 16
LABELS = ("bad", "good", "so-so")
PAIRS = {"seed": 1, "pairs": True, "multi_label": True}     # another model, of another kind
ROOM = Path(tempfile.mkdtemp(prefix="bertkit-exported-"))
atexit.register(shutil.rmtree, ROOM, ignore_errors=True)


def spread(model, scale=25.0):
    """Make a random model's answers differ from text to text: as they start, all are the same."""
    for variable in model.trainable_variables:
        if len(variable.shape) == 2:
            variable.assign(variable * scale)
    return model


def bundled(seed=0, pairs=False, multi_label=False, calibrated=True):
    """Return the folder of a bundle of the tiny classifier."""
    folder = ROOM / f"bundle-{seed}-{pairs:d}{multi_label:d}{calibrated:d}"
    if folder.exists():
        return folder
    model = spread(tiny.classifier(seed, LABELS, multi_label=multi_label))
    rows = tiny.features(24, length=LENGTH)
    bundle.save(folder, model, tiny.tokenizer(), Card("tiny", "classify", bundle.describe(model)),
                rows.batch(range(24)) if calibrated else None, length=LENGTH,
                task=Classification(LABELS, multi_label, pairs))
    return folder


@functools.cache
def dev(rows=240):
    """Return a TSV whose labels are what the tiny model says, one in ten changed."""
    texts, _ = tiny.texts(rows, seed=3)
    answers = source.open_predictor(bundled()).predict(texts)
    labels = [answer["label"] for answer in answers]
    labels[::10] = [LABELS[(LABELS.index(label) + 1) % 3] for label in labels[::10]]
    path = ROOM / f"dev-{rows}.tsv"
    lines = [f"{text}\t{label}\n" for text, label in zip(texts, labels, strict=True)]
    path.write_text("sentence\tlabel\n" + "".join(lines))
    return path


def in_process(folder, files, masked_score, rows, lengths=(), most=None):
    """Do what `convert.convert` does without its child, which takes seconds to start."""
    with tempfile.TemporaryDirectory(dir=ROOM) as work:
        return convert.write_files({"folder": folder, "files": files, "masked_score": masked_score, "lengths": lengths,
                                    "most": most}, rows, Path(work))


def reloaded_here(place, rows, texts):
    """Do what `saved_model._reloaded` does without its child, which takes seconds to start."""
    with tempfile.TemporaryDirectory(dir=ROOM) as work:
        asked, answered = Path(work) / "asked.npz", Path(work) / "answered.npz"
        np.savez(asked, **{f"tokens/{name}": values for name, values in rows.items()},
                 **{f"serving_default/{name}": np.array(values) for name, values in texts.items()})
        reload.main(str(place), str(asked), str(answered))
        return dict(np.load(answered))


def phone(precision="float32", **kind):
    """Return the folder of a .tflite of `bundled(**kind)`, scored on `dev` if it is the plain one."""
    out = ROOM / f"phone-{precision}-{'-'.join(kind)}"
    if not out.exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bertkit.export.candidates.convert", in_process)
            export_tflite(bundled(**kind), out, precision, LENGTH, None if kind else dev(), max_drop=100)
    return out


def said(folder, texts, second=None):
    """Return what the .tflite in a folder says, [rows, C]."""
    inputs = texts if second is None else list(zip(texts, second, strict=True))
    return np.array(ondevice.load(folder).predictions(inputs))


def probabilities(texts, second=None, **kind):
    """Return what the float model of `bundled(**kind)` says, [rows, C]."""
    inputs = texts if second is None else list(zip(texts, second, strict=True))
    return np.array(source.open_predictor(bundled(**kind)).predictions(inputs))
