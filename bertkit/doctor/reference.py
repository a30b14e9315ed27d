"""An encoder in numpy, one method an organ: what `reference` compares with, and what mutants change in one place.

BERT, RoBERTa, XLM-R, CamemBERT, DistilBERT, ELECTRA and ALBERT, from their papers and config.json alone. It shares no
line with bertkit's own encoder. B batch, T tokens, D hidden, N heads, H a head, V vocabulary.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bertkit.doctor.curves import curve, gelu
from bertkit.doctor.parts import arranged
from bertkit.doctor.settings import Settings

Floats = np.ndarray


class Encoder:
    """`encoder(batch)` -> every output that there are weights for.

    Args:
        settings: The `Settings` of a config.json.
        weights: {name in a bare encoder of Hugging Face: array of any shape and dtype}.
        dtype: What it computes in, float64 or float32.
        tied: Whether the masked-language head uses the word table.
    """

    def __init__(self, settings: Settings, weights: Mapping[str, np.ndarray], dtype: Any = np.float64,
                 tied: bool = True) -> None:
        self.settings, self.tied, self.dtype = settings, tied, dtype
        self.weights = arranged(weights, settings, dtype)
        self.heads, self.scale = settings.heads, 1 / math.sqrt(settings.head)

    def changed(self, **methods: Any) -> "Encoder":
        """Return the same encoder with one fault.

        Args:
            **methods: Functions `method(self, ...)` in place of the encoder's own; other values become attributes.

        Returns:
            The mutant; it shares the weights.
        """
        new = object.__new__(type("Mutant", (type(self),), {k: v for k, v in methods.items() if callable(v)}))
        new.__dict__ |= self.__dict__ | {name: value for name, value in methods.items() if not callable(value)}
        return new

    def __call__(self, batch: Mapping[str, np.ndarray], wanted: tuple[str, ...] = ("sequence", "pooled"),
                 token_logits: bool = False) -> dict[str, Any]:
        ids, mask, segments = (np.asarray(batch[name]) for name in ("token_ids", "padding_mask", "segment_ids"))
        x = self.embed(ids, mask, segments)
        hidden, self.attentions = [x], []
        seen = self.seen(ids, mask)
        for i in self.order():
            x = self.block(x, seen, i)
            hidden.append(x)
        found = {"sequence": x, "hidden": hidden, "attentions": self.attentions}
        if "pooler.weight" in self.weights:
            found["pooled"] = self.pool(x, mask, hidden)
        if "mlm_logits" in wanted and "transform.weight" in self.weights:
            found["mlm_logits"] = self.decode(self.transform(x))
        pooled: Any = found.get("pooled")
        if "logits" in wanted and (logits := self.logits(x, pooled, token_logits)) is not None:
            found["logits"] = logits
        return found

    # ---- small organs

    def linear(self, x: Floats, name: str) -> Floats:
        """Return x Wᵀ + b.

        Args:
            x: Floats [B,T,D].
            name: The place of the weights, such as "layer.0.query".

        Returns:
            Floats [B,T,D'] of the outputs.
        """
        return self.product(x, name) + self.weights.get(f"{name}.bias", 0)

    def product(self, x: Floats, name: str) -> Floats:
        """Return x Wᵀ.

        Args:
            x: Floats [B,T,D].
            name: The place of the weights, such as "layer.0.query".

        Returns:
            Floats [B,T,D'] of the outputs.
        """
        return x @ self.weights[f"{name}.weight"].T

    def epsilon(self, name: str) -> float:
        """Return ε of a norm.

        Args:
            name: The place of the weights, such as "layer.0.query".

        Returns:
            A small number.
        """
        return self.settings.epsilon

    def normal(self, x: Floats, name: str) -> Floats:
        """Return (x - mean) / √(variance + ε) (arXiv 1607.06450).

        Args:
            x: Floats [B,T,D].
            name: The place of the weights, such as "layer.0.query".

        Returns:
            Floats [B,T,D].
        """
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + self.dtype(self.epsilon(name)))

    def norm(self, x: Floats, name: str) -> Floats:
        """Return γ · normal(x) + β.

        Args:
            x: Floats [B,T,D].
            name: The place of the weights, such as "layer.0.query".

        Returns:
            Floats [B,T,D].
        """
        return self.normal(x, name) * self.weights[f"{name}.weight"] + self.weights.get(f"{name}.bias", 0)

    def activation(self, x: Floats) -> Floats:
        """Return the activation of the feed-forward network.

        Args:
            x: Floats [B,T,D].

        Returns:
            Floats of the same shape.
        """
        return curve(self.settings.activation)(x)

    # ---- embeddings

    def word(self, ids: np.ndarray) -> Floats:
        """Return the rows of the word table.

        Args:
            ids: Numbers, int [B,T].

        Returns:
            Floats [B,T,E].
        """
        return self.weights["word.weight"][ids]

    def places(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the positions: from 0, or of real tokens from the pad id + 1 (fairseq, make_positions).

        Args:
            ids: Numbers, int [B,T].
            mask: Numbers, int [B,T], 1 for real tokens.

        Returns:
            Numbers, int [B,T].
        """
        if not self.settings.counted:
            return np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
        real = (ids != self.settings.pad).astype(int)
        return np.cumsum(real, 1) * real + self.settings.pad

    def position(self, ids: np.ndarray, mask: np.ndarray) -> Floats:
        """Return the rows of the position table.

        Args:
            ids: Numbers, int [B,T].
            mask: Numbers, int [B,T], 1 for real tokens.

        Returns:
            Floats [B,T,E].
        """
        return self.weights["position.weight"][self.places(ids, mask)]

    def segment(self, segments: np.ndarray) -> Any:
        """Return the rows of the segment table; 0 where there is none.

        Args:
            segments: Numbers, int [B,T].

        Returns:
            Floats [B,T,E], or 0.
        """
        return self.weights["segment.weight"][segments] if "segment.weight" in self.weights else 0

    def embed(self, ids: np.ndarray, mask: np.ndarray, segments: np.ndarray) -> Floats:
        """Return project(norm(word + position + segment)).

        Args:
            ids: Numbers, int [B,T].
            mask: Numbers, int [B,T], 1 for real tokens.
            segments: Numbers, int [B,T].

        Returns:
            Floats [B,T,D].
        """
        x = self.word(ids) + self.position(ids, mask) + self.segment(segments)
        return self.project(self.norm(x, "norm"))

    def project(self, x: Floats) -> Floats:
        """Return the embeddings in the width of the blocks.

        Args:
            x: Floats [B,T,D].

        Returns:
            Floats [B,T,D].
        """
        return self.linear(x, "projection") if "projection.weight" in self.weights else x

    # ---- attention

    def seen(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return which keys a query sees.

        Args:
            ids: Numbers, int [B,T].
            mask: Numbers, int [B,T], 1 for real tokens.

        Returns:
            Truth values, bool [B,1,1 or T,T].
        """
        seen = (mask > 0)[:, None, None, :]
        return seen & np.tri(ids.shape[1], dtype=bool) if self.settings.causal else seen

    def split(self, x: Floats) -> Floats:
        """Return the heads of each token: feature n·H + h is feature h of head n.

        Args:
            x: Floats [B,T,D].

        Returns:
            Floats [B,N,T,H].
        """
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(0, 2, 1, 3)

    def merge(self, x: Floats) -> Floats:
        """Return the heads side by side again.

        Args:
            x: Floats [B,T,D].

        Returns:
            Floats [B,T,D].
        """
        return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)

    def scores(self, query: Floats, key: Floats) -> Floats:
        """Return q kᵀ / √H.

        Args:
            query: Floats [B,N,T,H].
            key: Floats [B,N,T,H].

        Returns:
            Floats [B,N,T,T].
        """
        return query @ key.swapaxes(-1, -2) * self.dtype(self.scale)

    def masked(self, scores: Floats, seen: np.ndarray) -> Floats:
        """Return the scores, very low where a key is not seen.

        Args:
            scores: Floats [B,N,T,T].
            seen: Truth values, bool [B,1,1 or T,T], which keys a query sees.

        Returns:
            Floats [B,N,T,T].
        """
        return np.where(seen, scores, self.dtype(-1e30))

    def softmax(self, scores: Floats, seen: np.ndarray) -> Floats:
        """Return exp(s) / Σ exp(s), the sum over the keys.

        Args:
            scores: Floats [B,N,T,T].
            seen: Truth values, bool [B,1,1 or T,T], which keys a query sees.

        Returns:
            Floats [B,N,T,T].
        """
        grown = np.exp(scores - scores.max(-1, keepdims=True))
        return grown / grown.sum(-1, keepdims=True)

    def queries(self, x: Floats, i: int) -> tuple[Floats, ...]:
        """Return query, key and value of a layer.

        Args:
            x: Floats [B,T,D].
            i: The number of the layer.

        Returns:
            Three of floats [B,T,D].
        """
        return tuple(self.linear(x, f"layer.{i}.{part}") for part in ("query", "key", "value"))

    def mix(self, query: Floats, key: Floats, value: Floats, seen: np.ndarray) -> Floats:
        """Return softmax(q kᵀ / √H) v (arXiv 1706.03762, equation 1).

        Args:
            query: Floats [B,N,T,H].
            key: Floats [B,N,T,H].
            value: Floats [B,N,T,H].
            seen: Truth values, bool [B,1,1 or T,T], which keys a query sees.

        Returns:
            Floats [B,N,T,H].
        """
        probabilities = self.softmax(self.masked(self.scores(query, key), seen), seen)
        self.attentions.append(probabilities)
        return probabilities @ value

    def attend(self, x: Floats, seen: np.ndarray, i: int) -> Floats:
        """Return what attention adds.

        Args:
            x: Floats [B,T,D].
            seen: Truth values, bool [B,1,1 or T,T], which keys a query sees.
            i: The number of the layer.

        Returns:
            Floats [B,T,D].
        """
        query, key, value = map(self.split, self.queries(x, i))
        return self.linear(self.merge(self.mix(query, key, value, seen)), f"layer.{i}.output")

    # ---- blocks and heads

    def order(self) -> Sequence[int]:
        """Return the layers in the order in which they act.

        Returns:
            Their numbers.
        """
        return range(self.settings.layers * self.settings.repeated)

    def feed(self, x: Floats, i: int) -> Floats:
        """Return what the feed-forward network adds: W₂ f(W₁ x + b₁) + b₂.

        Args:
            x: Floats [B,T,D].
            i: The number of the layer.

        Returns:
            Floats [B,T,D].
        """
        return self.linear(self.activation(self.linear(x, f"layer.{i}.inner")), f"layer.{i}.outer")

    def block(self, x: Floats, seen: np.ndarray, i: int) -> Floats:
        """Return x = norm(x + attention(x)), then norm(x + feed_forward(x)).

        Args:
            x: Floats [B,T,D].
            seen: Truth values, bool [B,1,1 or T,T], which keys a query sees.
            i: The number of the layer.

        Returns:
            Floats [B,T,D].
        """
        x = self.norm(x + self.attend(x, seen, i), f"layer.{i}.attention_norm")
        return self.norm(x + self.feed(x, i), f"layer.{i}.output_norm")

    def pool(self, x: Floats, mask: np.ndarray, hidden: list[Floats]) -> Floats:
        """Return tanh(W x₀ + b).

        Args:
            x: Floats [B,T,D].
            mask: Numbers, int [B,T], 1 for real tokens.
            hidden: The vectors after the embeddings and after each layer, floats [B,T,D].

        Returns:
            Floats [B,D].
        """
        return np.tanh(self.linear(x[:, 0], "pooler"))

    def transform(self, x: Floats) -> Floats:
        """Return norm(activation(W x + b)) of the masked-language head.

        Args:
            x: Floats [B,T,D].

        Returns:
            Floats [B,T,E].
        """
        return self.norm(self.head_activation(self.linear(x, "transform")), "transform_norm")

    def head_activation(self, x: Floats) -> Floats:
        """Return the activation of the masked-language head.

        Args:
            x: Floats [B,T,D].

        Returns:
            Floats of the same shape.
        """
        return curve(self.settings.head_activation)(x)

    def decode(self, x: Floats) -> Floats:
        """Return x Eᵀ + bias, E the word table, or a matrix of its own where it is not tied.

        Args:
            x: Floats [B,T,D].

        Returns:
            Logits, floats [B,T,V].
        """
        own = not self.tied and "decoder.weight" in self.weights
        name = "decoder" if own else "word"
        return x @ self.weights[f"{name}.weight"].T + self.weights.get("decoder.bias" if own else "bias.bias", 0)

    def logits(self, x: Floats, pooled: Floats | None, each: bool) -> Floats | None:
        """Return the logits of a classifier.

        Args:
            x: Floats [B,T,D].
            pooled: Floats [B,D], or None.
            each: Whether each token has its own numbers.

        Returns:
            Floats [B,T,C] or [B,C]; None where there is no such head.
        """
        if each:
            name = next((name for name in ("classifier", "qa_outputs") if f"{name}.weight" in self.weights), None)
            return None if name is None else self.linear(x, name)
        if "classifier.dense.weight" in self.weights:
            inner = np.tanh if self.settings.counted else gelu
            return self.linear(inner(self.linear(x[:, 0], "classifier.dense")), "classifier.out_proj")
        if "classifier.weight" not in self.weights:
            return None
        if "pre_classifier.weight" in self.weights:
            return self.linear(np.maximum(self.linear(x[:, 0], "pre_classifier"), 0), "classifier")
        return None if pooled is None else self.linear(pooled, "classifier")
