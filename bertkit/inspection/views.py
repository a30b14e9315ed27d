"""What every head of a model looks at in one text, with the queries and keys behind it, ready for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from bertkit.checkpoints import load, local_folder
from bertkit.compress.tracing import projections
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads.task_model import TaskModel
from bertkit.inspection.heads import head_statistics, traced_attention
from bertkit.predictor import Predictor
from bertkit.report.attention import render_attention
from bertkit.report.shown import Shown
from bertkit.text import Tokenizer

LARGEST = 40_000_000        # numbers of attention on one page: 12 layers of 12 heads at 512 tokens have 38 million
CLOSE = 1e-3                # softmax(q kᵀ / √H) is a head's attention where they differ by no more


@dataclass(frozen=True)
class AttentionViews(Shown):
    """A text as a model's heads see it.

    Args:
        model: The name of the model.
        tokens: T tokens, the special ones included.
        segments: The segment of each token.
        special: Whether each token is a special one.
        attention: float32 [L,N,T,T]; each row of a head adds up to 1.
        queries: float32 [L,N,T,H], or None where attention is more than softmax(q kᵀ / √H).
        keys: float32 [L,N,T,H], or None.
    """

    model: str
    tokens: list[str]
    segments: list[int]
    special: list[bool]
    attention: np.ndarray
    queries: np.ndarray | None = None
    keys: np.ndarray | None = None

    @property
    def heads(self) -> list[dict[str, float]]:
        """What `head_statistics` says of each head."""
        return head_statistics(self.attention, np.array(self.special))

    def page(self) -> str:
        """Return it as a page.

        Returns:
            The HTML (see `report.attention`).
        """
        return render_attention(self)

    def to_json(self) -> dict[str, Any]:
        """Return the tokens and the numbers of the heads.

        Returns:
            {"tokens", "heads": [{"layer", "head", "entropy", "distance", "special"}]}.
        """
        return {"tokens": self.tokens, "heads": self.heads}

    def text(self) -> str:
        """Return the numbers of the heads for a person to read.

        Returns:
            Lines, without a line end after the last.
        """
        lines = [f"{len(self.tokens)} tokens: {' '.join(self.tokens)}",
                 "layer.head  entropy  distance  to special tokens"]
        for one in self.heads:
            name = f"{one['layer']}.{one['head']}"
            lines.append(f"{name:<10}  {one['entropy']:7.3f}  {one['distance']:8.2f}  {one['special']:8.3f}")
        return "\n".join([*lines, "What a head looks at is no proof of what decides the answer."])


def look(source: str | Path | Encoder | TaskModel, texts: Sequence[str],
         tokenizer: Tokenizer | None = None) -> AttentionViews:
    """Let a model read a text and keep what its heads look at.

    Args:
        source: A checkpoint of any form with its tokenizer, or a model in memory.
        texts: The text, or both texts of a pair.
        tokenizer: The tokenizer of a model in memory.

    Returns:
        The `AttentionViews`.

    Raises:
        Error: When the attention is not over all pairs of tokens, or the text is too long for one page.
    """
    predictor, name = _opened(source, tokenizer)
    tokenizer, encoder = predictor.tokenizer, getattr(predictor.model, "encoder", predictor.model)
    first, *second = tokenizer.ids(list(texts))
    ids, segments = tokenizer.pack_ids(first, second[0] if second else None, predictor.length)
    heads = encoder.config.num_layers * encoder.config.num_heads
    if heads * len(ids) ** 2 > LARGEST:
        raise Error(f"{heads} heads over {len(ids)} tokens are too much for one page; give a shorter text, of at most "
                    f"{int((LARGEST / heads) ** 0.5)} tokens.")
    batch = tokenizer.batch([(ids, segments)], len(ids))
    attention = traced_attention(predictor.model, batch)
    queries, keys = _queries_and_keys(predictor.model, batch, attention)
    around = {tokenizer.id(token) for role, token in tokenizer.special.items() if role not in ("unk", "mask")}
    return AttentionViews(name, [tokenizer.vocabulary[number] for number in ids], list(segments),
                          [number in around for number in ids], attention, queries, keys)


def _opened(source, tokenizer):
    """Return a `Predictor` of any checkpoint or model, and what to call it."""
    if not isinstance(source, str | Path):
        predictor = Predictor(source, tokenizer)
        return predictor, predictor.version
    folder = local_folder(source)
    return Predictor(load(folder), Tokenizer.load(folder)), str(source).rstrip("/").rpartition("/")[2]


def _queries_and_keys(model, batch, attention):
    """Return the queries and keys of all layers; (None, None) where they do not give the attention by themselves."""
    encoder = getattr(model, "encoder", model)
    given = model.encoder_inputs(batch) if hasattr(model, "encoder_inputs") else batch
    trace = encoder(given, trace=True, training=False)["trace"]
    found = []
    for layer in range(len(attention)):
        try:
            query, key, _ = projections(encoder, trace, layer + 1)
        except (AttributeError, KeyError, TypeError, ValueError):       # attention of another form
            return None, None
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / float(query.shape[-1]) ** 0.5
        if np.abs(np.asarray(ops.softmax(scores))[0] - attention[layer]).max() > CLOSE:
            return None, None
        found.append((np.asarray(query, "float32")[0], np.asarray(key, "float32")[0]))
    queries, keys = zip(*found, strict=True)
    return np.stack(queries), np.stack(keys)
