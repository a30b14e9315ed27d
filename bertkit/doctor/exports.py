"""What SavedModels and .tflite files have in common: names of inputs and outputs, and what sizes their tables show."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bertkit.errors import Error

INPUTS = {"token_ids": ("token_ids", "input_ids", "input_word_ids", "ids"),
          "padding_mask": ("padding_mask", "attention_mask", "input_mask", "mask"),
          "segment_ids": ("segment_ids", "token_type_ids", "input_type_ids", "segments")}
SMALL = {"vocab_size": 40, "max_position_embeddings": 16}          # where nothing tells how large the tables are
SEGMENTS = 4                                                       # the most rows of a table of segments


@dataclass(frozen=True)
class Export:
    """An exported model that can be called.

    Args:
        call: `call(batch)` -> {name: array}, for int32 [B,T].
        takes: The names of a batch that it reads.
        longest: The most tokens of a row; None where any number goes.
        sizes: What its tables show, as entries of a config.json.
        precision: float32, float16 or int8.
        probabilities: Whether it returns probabilities, given as their logarithms under `logits`.
        details: What checks of integers read: a list of tensors.
    """
    call: Callable[[Mapping[str, np.ndarray]], Mapping[str, Any]]
    takes: frozenset[str]
    longest: int | None
    sizes: Mapping[str, Any]
    precision: str = "float32"
    probabilities: bool = False
    details: Any = field(default=None, repr=False)


def input_names(given: Iterable[str], where: Any) -> dict[str, str]:
    """Return {our name: their name} of the inputs of an export.

    Args:
        given: Their names.
        where: The file, for the error.

    Returns:
        The names.

    Raises:
        Error: When none of them takes token ids.
    """
    given = list(given)
    plain = {name.split(":")[0].removeprefix("serving_default_").removeprefix("tokens_"): name for name in given}
    found = {ours: plain[name] for ours, names in INPUTS.items() for name in names if name in plain}
    if "token_ids" not in found:
        raise Error(f"{where} takes {', '.join(given) or 'nothing'}; wanted token_ids, padding_mask and segment_ids.")
    return found


def output_names(outputs: Mapping[str, np.ndarray], positions: int) -> tuple[dict[str, Any], bool]:
    """Return outputs under the names of the contract, and whether they were probabilities.

    Args:
        outputs: {their name: float array of any shape}.
        positions: Tokens of a row.

    Returns:
        ({our name: float array of the same shape}, whether logits are logarithms of probabilities).
    """
    if "probabilities" in outputs:
        rest = {name: value for name, value in outputs.items() if name != "probabilities"}
        return {**rest, "logits": np.log(np.maximum(outputs["probabilities"], 1e-30))}, True
    if len(outputs) == 1 and not {"logits", "sequence", "mlm_logits", "pooled"} & outputs.keys():
        (value,) = outputs.values()
        return {"sequence" if np.ndim(value) == 3 and np.shape(value)[1] == positions else "logits": value}, False
    return dict(outputs), False


def table_sizes(tables: Iterable[tuple[str, tuple[int, ...]]]) -> dict[str, Any]:
    """Return the sizes that embedding tables show.

    Args:
        tables: (name, shape) of tables of two dimensions.

    Returns:
        Entries of a config.json.
    """
    rows = sorted((shape[0] for _, shape in tables), reverse=True)
    if not rows:
        return dict(SMALL)
    named = [shape[0] for name, shape in tables if "position" in name.lower()]
    middle = [count for count in rows[1:] if count > SEGMENTS]
    kinds = [count for count in rows if count <= SEGMENTS]
    return {"vocab_size": rows[0], "type_vocab_size": kinds[0] if kinds else 1,
            "max_position_embeddings": min([*named, *middle[:1]] or [SMALL["max_position_embeddings"]])}
