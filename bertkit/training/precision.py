"""The precision that a model computes in, and which one is faster on this machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Literal

import keras
import numpy as np

from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import read_json, write_json
from bertkit.files.cache import cache_folder
from bertkit.terminal import say

Precision = Literal["float32", "bfloat16"]
SECONDS = 1.0           # of processor time that both precisions are measured for, once per machine
FASTER = 0.9            # the share of float32's time that bfloat16 may take: its answers differ in the third digit
SMALL = EncoderConfig(1000, num_layers=2, num_heads=12, hidden_dim=384, intermediate_dim=1536)
SHAPE = (16, 32)        # rows and tokens of the batch that is measured
FILE = "precision.json"
_MEASURED = schema.Each({"float32": schema.Number(), "bfloat16": schema.Number()})


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Let models that are made inside the `with` block compute in one precision.

    Keras' own policy comes back afterwards: a model keeps the one it was made under.

    Args:
        name: "float32", or "bfloat16" for products in bfloat16, sums and weights in float32.

    Yields:
        Nothing.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if name == "bfloat16" else name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def fastest() -> Precision:
    """Return the precision that this machine computes an encoder faster in.

    It is measured once, in a second or two, and kept in the user's cache for this processor and this TensorFlow.

    Returns:
        "bfloat16" where that takes less than `FASTER` of the time, else "float32".
    """
    path, key = cache_folder() / FILE, _machine()
    known = _known(path)
    if key not in known:
        known[key] = measure()
        _keep(path, known)
    times = known[key]
    return "bfloat16" if times["bfloat16"] < FASTER * times["float32"] else "float32"


def measure(seconds: float = SECONDS) -> dict[str, float]:
    """Measure the processor time of a small encoder's batch in each precision, one after the other in turn.

    Args:
        seconds: How much processor time is spent, besides what building the encoders takes.

    Returns:
        {"float32", "bfloat16"}, seconds a batch (the median).
    """
    batch = {"token_ids": np.arange(np.prod(SHAPE), dtype="int32").reshape(SHAPE) % SMALL.vocabulary_size}
    models, times = {}, {}
    for name in ("float32", "bfloat16"):
        with precision(name):
            models[name], times[name] = Encoder(SMALL), []
        models[name].predict_on_batch(batch)            # compiles
    end = time.process_time() + seconds
    while time.process_time() < end or len(times["bfloat16"]) < 3:
        for name, model in models.items():
            begin = time.process_time()
            model.predict_on_batch(batch)
            times[name].append(time.process_time() - begin)
    return {name: median(taken) for name, taken in times.items()}


def _machine():
    """Return the name of the processor with what it can do, and of what computes on it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    said = {name.strip(): value.strip() for name, value in said.items()}
    features = [each for each in said.get("flags", said.get("Features", "")).split() if "bf16" in each]
    processor = " ".join([said.get("model name", "unknown processor"), said.get("model", ""), *sorted(features)])
    return f"{processor}; {keras.backend.backend()}, tensorflow {metadata.version('tensorflow')}"


def _known(path):
    """Return what was measured before; a file that cannot be read is measured anew."""
    if not path.exists():
        return {}
    try:
        return read_json(path, _MEASURED)
    except Error as error:
        say(f"{error} The precision is measured again.")
        return {}


def _keep(path, known):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, known)
    except (Error, OSError) as error:           # a home that cannot be written costs the seconds each time
        say(f"The measured precision could not be kept: {error}")
