"""What an examination is given, in one value that every check reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Batch = Mapping[str, np.ndarray]
Outputs = dict[str, Any]
Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One examination.

    Args:
        subject: `subject(batch)` -> outputs by the names of the contract (`sequence` [B,T,D], `pooled` [B,D], `logits`,
            `mlm_logits`, `hidden`, `attentions`), float numpy arrays; raises what the subject raises.
            None: there is none.
        config: The entries of a Hugging Face config.json, the family's defaults filled in.
        weights: {name under Hugging Face names, without the family's prefix: array}, or None.
        build: `build(weights)` -> a subject like `subject` with other weights of the same shapes, or None.
        tokenizer: `tokenizer(first, second=None, length=N)` -> batch, or None.
        vocabulary: Its entries in order, or None.
        training: A function that gives a fresh training set-up, the same at each call, or None.
        against: A second subject, or None.
        precision: What the subject computes in: float32, float16, bfloat16 or int8.
        folder: Where the subject lies, or None: what checks of files read.
        kind: bundle, huggingface, google, preset, saved_model, tflite, keras, torch or callable.
        problem: What was raised when a folder that is recognised could not be loaded, or None.
        longest: The most tokens of a row that the subject takes, where that is less than the config says.
        rows: {"train": rows, "dev": rows} of data files that were given; empty otherwise.
        seed: All that is drawn follows from it.
        memory: What checks share, computed once: use `once`.
    """
    subject: Callable[[Batch], Outputs] | None
    config: Mapping[str, Any]
    weights: Weights | None = None
    build: Callable[[Weights], Callable[[Batch], Outputs]] | None = None
    tokenizer: Callable[..., Batch] | None = None
    vocabulary: list[str] | None = None
    training: Callable[[], Mapping[str, Any]] | None = None
    against: Callable[[Batch], Outputs] | None = None
    precision: str = "float32"
    folder: Path | None = None
    kind: str = "callable"
    problem: Exception | None = None
    longest: int | None = None
    rows: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several checks need, made when the first of them asks.

        Args:
            name: What it is, unique.
            make: Makes it.

        Returns:
            What `make` returned.

        Raises:
            Exception: Each time again, what `make` raised.
        """
        if name not in self.memory:
            self.memory[name] = make()
        return self.memory[name]
