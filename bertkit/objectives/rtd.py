"""Replaced-token detection: tell which tokens a small model has replaced (Clark et al. 2020, ELECTRA, section 2)."""

from typing import Any

import keras
from keras import ops

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import LanguageModel
from bertkit.kinds import HeadConfig
from bertkit.layers.embeddings import Embeddings
from bertkit.objectives.mlm import MLM
from bertkit.objectives.objective import Objective, mean, weighted_accuracy, weighted_cross_entropy

SHARES = 0.85, 0.0      # of the hidden tokens: [MASK], a random entry (google-research/electra, pretrain_helpers.py)


class RTD(Objective):
    """L = L_MLM(generator) + 50 · mean over real tokens i of BCE(logit_i, 1[x̂_i ≠ x_i]).

    Tokens are chosen as in `MLM`; 85 % of them become [MASK], the rest stay. A generator draws x̂_i ~ softmax(logits_i)
    for each chosen token, through which no gradient passes; for the other tokens x̂_i = x_i. The model that is saved,
    the discriminator, reads x̂ and predicts for each token whether it was replaced; a token that the generator
    predicted correctly was not. The generator has `size` of the discriminator's width (features, inner features, heads
    as wide as its), as many blocks, and the same embeddings, which learn from both (section 3.2). Unlike in the
    authors' code no token is drawn twice.

    Args:
        tokenizer: The `Tokenizer` of the texts.
        rate: The share of the tokens to choose, between 0 and 1.
        seed: The seed of the draws.
        size: The width of the generator as a share of the discriminator's, above 0 and up to 1.
        choice: What is chosen, "tokens", "words", "ngrams" or "spans", as in `MLM`.
        segmenter: What finds the words of Chinese, as in `MLM`.

    Raises:
        Error: when `size` is not above 0 and up to 1; `make_layer` raises it for an encoder whose embeddings cannot be
            shared.

    Example:
        >>> objective = RTD(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"], size=0.5)
        >>> objective.size, objective.weights
        (0.5, {'mlm': 1.0, 'rtd': 50.0})
    """

    heads: dict[str, Any] = {"rtd": HeadConfig("each", "encoder", dropout=0.0)}
    weights = {"mlm": 1.0, "rtd": 50.0}

    def __init__(self, tokenizer: Any, rate: float = 0.15, seed: int = 0, size: float = 1 / 4,
                 choice: str = "tokens", segmenter: Any = None) -> None:
        if not 0 < size <= 1:
            raise Error(f"size={size} is no share of the discriminator's width; give one above 0 and up to 1, "
                        "such as 0.25.")
        self.hide = MLM(tokenizer, rate=rate, seed=seed, shares=SHARES, choice=choice, segmenter=segmenter)
        self.seed, self.size = seed, size

    def corrupt(self, features: dict[str, Any]) -> dict[str, Any]:
        """Hide tokens of a batch; see `MLM.corrupt`.

        Args:
            features: A batch, at least "token_ids" and "padding_mask" int [B,T].

        Returns:
            The batch with hidden tokens, and their positions and labels.
        """
        return self.hide.corrupt(features)

    def make_layer(self, encoder: Any) -> "Generator":
        """Make the generator, which is narrower than the encoder and shares its embeddings.

        Args:
            encoder: The `Encoder` that is trained.

        Returns:
            The `Generator`.
        """
        return Generator(encoder, self.size, self.seed)

    def prepare_features(self, features: dict[str, Any], part: Any,
                         training: bool | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Replace the hidden tokens by what the generator draws.

        Args:
            features: The batch that `corrupt` returned, as tensors of the same shapes.
            part: The `Generator`.
            training: Whether dropout is on.

        Returns:
            (The batch with replaced "token_ids", {"generator_logits" [B,K,V], "rtd_labels" int32 [B,T], 1 where a token
            was replaced}).
        """
        ids, places, hidden = (features[name] for name in ("token_ids", "masked_positions", "masked_labels"))
        logits, guesses = part(features, training=training)
        slots = ops.cast(features["masked_weights"], ids.dtype)
        change = (guesses - ops.take_along_axis(ids, places, axis=1)) * slots
        labels = _spread(ops.cast(guesses != hidden, ids.dtype) * slots, places, ids)
        seen = {**features, "token_ids": ids + _spread(change, places, ids)}
        return seen, {"generator_logits": logits, "rtd_labels": labels}

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the generator's mean loss over the hidden tokens, and the discriminator's over the real tokens.

        Args:
            outputs: "rtd_logits" [B,T] and what `prepare_features` returned.
            features: The batch that `corrupt` returned.

        Returns:
            {"mlm", "rtd"}, float32 scalars.
        """
        labels, logits = (ops.cast(outputs[name], "float32") for name in ("rtd_labels", "rtd_logits"))
        each = ops.binary_crossentropy(labels, logits, from_logits=True)
        real = ops.cast(features["padding_mask"], "float32")
        hidden = weighted_cross_entropy(
            outputs["generator_logits"], features["masked_labels"], features["masked_weights"])
        return {"mlm": hidden, "rtd": mean(each, real)}

    def accuracies(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the generator's accuracy over the hidden tokens, and the discriminator's over the real tokens.

        Args:
            outputs: "rtd_logits" [B,T] and what `prepare_features` returned.
            features: The batch that `corrupt` returned.

        Returns:
            {"masked_accuracy", "rtd_accuracy"}, float32 scalars.
        """
        hits = ops.equal(outputs["rtd_logits"] > 0, ops.cast(outputs["rtd_labels"], "bool"))
        return {"masked_accuracy": weighted_accuracy(outputs["generator_logits"], features["masked_labels"],
                                                     features["masked_weights"]),
                "rtd_accuracy": mean(ops.cast(hits, "float32"), features["padding_mask"])}


class Generator(keras.layers.Layer):
    """A narrow masked language model over the embeddings of `encoder`, which also draws tokens.

    Args:
        encoder: The `Encoder` whose embeddings are shared.
        size: The generator's width as a share of the encoder's.
        seed: The seed of the draws.
        name: The name of the layer.
    """

    def __init__(self, encoder: Any, size: float, seed: int, name: str = "generator") -> None:
        config, policy = generator_config(encoder.config, size), {"dtype": encoder.dtype_policy}
        super().__init__(name=name, **policy)
        embeddings = Embeddings(config, tables=encoder.embeddings.tables, name="embeddings", **policy)
        self.model = LanguageModel(Encoder(config, embeddings, name=name, **policy), name=name, **policy)
        self.draws, self.seed = keras.random.SeedGenerator(seed), seed

    def call(self, features: dict[str, Any], training: bool | None = None) -> tuple[Any, Any]:
        """Compute logits at the hidden positions, and draw an entry from each.

        Args:
            features: A batch with "masked_positions" int32 [B,K]; entries that the generator cannot read are left out.
            training: Whether dropout is on, and whether each call draws anew.

        Returns:
            (Logits [B,K,V], drawn entries int32 [B,K]).
        """
        logits = self.model(self.model.select_entries(features), training=training)
        rows = ops.reshape(ops.cast(logits, "float32"), (-1, logits.shape[-1]))
        # Outside of training every call draws the same: to inspect a model does not change its later draws.
        entries = keras.random.categorical(rows, 1, dtype="int32", seed=self.draws if training else self.seed)
        return logits, ops.reshape(entries, ops.shape(logits)[:2])


def generator_config(config: EncoderConfig, size: float) -> EncoderConfig:
    """Return the config of a generator: `size` of the width, one head or more, token vectors as wide as before.

    Args:
        config: The config of the encoder.
        size: The share of the width, above 0 and up to 1.

    Returns:
        The generator's config.

    Raises:
        Error: when the inputs of the encoder are not sums of embeddings, which the generator could not project.
    """
    if not isinstance(config.inputs, kinds.Summed):
        raise Error(f"The generator shares the encoder's embeddings, which inputs={config.inputs} cannot project; give "
                    "an encoder whose inputs are Summed(), such as ELECTRA's or BERT's.")
    width, hidden = config.embedding_dim or config.hidden_dim, max(1, round(size * config.hidden_dim))
    return config.but(hidden_dim=hidden, intermediate_dim=max(1, round(size * config.intermediate_dim)),
                      num_heads=max(1, round(size * config.num_heads)), head_size=config.head_dim,
                      embedding_dim=None if width == hidden else width, pooler=None)


def _spread(values, places, ids):
    """Return values [B,K] at their places [B,K] in an array like ids [B,T], 0 elsewhere; those of one place add up."""
    rows = ops.broadcast_to(ops.arange(ops.shape(places)[0], dtype=places.dtype)[:, None], ops.shape(places))
    return ops.scatter(ops.stack([rows, places], axis=-1), values, ops.shape(ids))
