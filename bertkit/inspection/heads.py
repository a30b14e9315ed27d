"""What the heads of a model look at in a text, and attention followed through all layers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.inspection.words import SPECIAL
from bertkit.predictor import Predictor
from bertkit.text import Tokenizer

STATISTICS = ("entropy", "distance", "special")


def traced_attention(model: Any, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Return the probabilities of attention of one row.

    Args:
        model: A head of bertkit's on an encoder, or an encoder.
        batch: The row, entries int [1,T].

    Returns:
        float32 [L,N,T,T]; each row of a head adds up to 1.

    Raises:
        Error: When a kind of attention gives no table over pairs of tokens.
    """
    encoder = getattr(model, "encoder", model)
    given = model.encoder_inputs(batch) if hasattr(model, "encoder_inputs") else batch
    trace = encoder(given, trace=True, training=False)["trace"]
    tables = [np.asarray(trace[f"attention/{layer}"], "float32")[0]
              for layer in range(1, 1 + sum(name.startswith("attention/") for name in trace))]
    size = batch["token_ids"].shape[1]
    if any(table.shape != (*tables[0].shape[:1], size, size) for table in tables):
        raise Error(f"The attention of {encoder.config.family} is not over all pairs of tokens, so it is no table "
                    "[N,T,T]; take another method.")
    return np.stack(tables)


def rollout(attention: np.ndarray) -> np.ndarray:
    """Follow attention through all layers: R = Ãᴸ … Ã¹, Ã = (A + I) / 2, A the mean over heads.

    Abnar and Zuidema 2020, section 3.

    Args:
        attention: float [L,N,T,T].

    Returns:
        float64 [T,T], how much of each token of the input (column) reaches each vector of the last layer (row).

    Example:
        >>> rollout(np.ones((2, 1, 2, 2)) / 2)[0].tolist()
        [0.625, 0.375]
    """
    mixed = np.eye(attention.shape[-1])
    for layer in np.asarray(attention, "float64").mean(axis=1):
        step = (layer + np.eye(len(layer))) / 2
        mixed = (step / step.sum(axis=-1, keepdims=True)) @ mixed
    return mixed


def read_by_head(model: Any, size: int) -> np.ndarray:
    """Return how much a model's head reads of each vector of the last layer.

    Args:
        model: A head of bertkit's on an encoder.
        size: T, the tokens of a row without padding.

    Returns:
        float64 [T], which adds up to 1.
    """
    if model.reads <= {"pooled", "first", "start"}:
        return np.eye(size)[0]
    return np.eye(size)[-1] if model.reads == {"last"} else np.full(size, 1 / size)


def attention(model: Any, tokenizer: Tokenizer, text: Any) -> dict[str, Any]:
    """Return what each head looks at in a text.

    A large probability is no proof that a token matters to the answer (Jain and Wallace 2019; Serrano and Smith 2019).

    Args:
        model: A head of bertkit's on an encoder.
        tokenizer: Its tokenizer.
        text: A text, or a pair of texts.

    Returns:
        {"tokens": T strings, special tokens included, "attention": float32 [L,N,T,T]}.

    Raises:
        Error: When the attention is not over all pairs of tokens.
    """
    predictor = Predictor(model, tokenizer)
    texts = (text,) if isinstance(text, str) else tuple(text)
    first, *second = tokenizer.ids(texts)
    ids, segments = tokenizer.pack_ids(first, second[0] if second else None, predictor.length)
    batch = tokenizer.batch([(ids, segments)], len(ids))
    return {"tokens": [tokenizer.vocabulary[number] for number in ids], "attention": traced_attention(model, batch)}


def head_statistics(attention: np.ndarray, special: np.ndarray) -> list[dict[str, float]]:
    """Describe each head by numbers (Clark et al. 2019, section 3).

    H = −Σ_j a_ij log a_ij in nats, d = Σ_j a_ij |i − j|, and the share that goes to special tokens, each a mean over i.

    Args:
        attention: float [L,N,T,T].
        special: bool [T], the special tokens.

    Returns:
        {"layer", "head", "entropy", "distance", "special"} of each, layers and heads counted from 1.
    """
    a = np.asarray(attention, "float64")
    places = np.arange(a.shape[-1])
    entropy = -(a * np.log(np.maximum(a, 1e-30))).sum(-1).mean(-1)
    distance = (a * np.abs(places[:, None] - places)).sum(-1).mean(-1)
    to_special = a[..., np.asarray(special, bool)].sum(-1).mean(-1)
    return [{"layer": layer + 1, "head": head + 1, "entropy": float(entropy[layer, head]),
             "distance": float(distance[layer, head]), "special": float(to_special[layer, head])}
            for layer in range(a.shape[0]) for head in range(a.shape[1])]


def mean_statistics(model: Any, rows: Sequence[tuple[dict[str, np.ndarray], np.ndarray]]) -> list[dict[str, float]]:
    """Describe each head by the means of `head_statistics` over rows.

    Args:
        model: A head of bertkit's on an encoder.
        rows: (the row as the model reads it, entries int [1,T]; its `WordRow.owners`, int [T]) of each.

    Returns:
        What `head_statistics` returns; an empty list for no rows.

    Raises:
        Error: When the attention is not over all pairs of tokens.
    """
    found = [head_statistics(traced_attention(model, batch), owners == SPECIAL) for batch, owners in rows]
    return [{**heads[0], **{name: float(np.mean([head[name] for head in heads])) for name in STATISTICS}}
            for heads in zip(*found, strict=True)]
