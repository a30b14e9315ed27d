"""Replaced-token detection: tell which tokens a small model has put in (Clark et al. 2020, ELECTRA, section 2)."""

import keras
from keras import ops

from bertkit import kinds
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

    Tokens are hidden as in `MLM`, 85 % of them behind [MASK]; the rest stay. A generator draws x̂_i ~ softmax(logits_i)
    for all of them, through which no gradient passes; other tokens are their own x̂. The model that is shipped, the
    discriminator, sees x̂ and tells of each token whether it was replaced: a right guess was not. The generator has
    `size` of its width (features, inner features, heads as wide as its), as many blocks, and the same embeddings, which
    learn from both (section 3.2). Unlike in the authors' code no token is drawn twice. Raises `Error` where `size` is
    not above 0 and up to 1, or an encoder's embeddings cannot be shared.
    """

    heads = {"rtd": HeadConfig("each", "encoder", dropout=0.0)}
    weights = {"mlm": 1.0, "rtd": 50.0}

    def __init__(self, tokenizer, rate=0.15, seed=0, size=1 / 4, choice="tokens"):
        if not 0 < size <= 1:
            raise Error(f"size={size} is no share of the discriminator's width; give one above 0 and up to 1, "
                        "such as 0.25.")
        self.hide, self.seed, self.size = MLM(tokenizer, rate=rate, seed=seed, shares=SHARES, choice=choice), seed, size

    def corrupt(self, features):
        """Return the batch with hidden tokens, and which; see `MLM.corrupt`."""
        return self.hide.corrupt(features)

    def part(self, encoder):
        """Return the generator, narrower than the encoder and over its embeddings."""
        return Generator(encoder, self.size, self.seed)

    def before(self, features, part, training=None):
        """Return (the batch with guesses in place of what was hidden, the generator's logits and the labels).

        {"generator_logits" [B,K,V], "rtd_labels" int32 [B,T], 1 where a guess is wrong}.
        """
        ids, places, hidden = (features[name] for name in ("token_ids", "masked_positions", "masked_labels"))
        logits, guesses = part(features, training=training)
        slots = ops.cast(features["masked_weights"], ids.dtype)
        change = (guesses - ops.take_along_axis(ids, places, axis=1)) * slots
        labels = _spread(ops.cast(guesses != hidden, ids.dtype) * slots, places, ids)
        seen = {**features, "token_ids": ids + _spread(change, places, ids)}
        return seen, {"generator_logits": logits, "rtd_labels": labels}

    def losses(self, outputs, features):
        """Return the generator's mean loss over the slots that are real, and the mean over the real tokens."""
        labels, logits = (ops.cast(outputs[name], "float32") for name in ("rtd_labels", "rtd_logits"))
        each = ops.binary_crossentropy(labels, logits, from_logits=True)
        real = ops.cast(features["padding_mask"], "float32")
        hidden = weighted_cross_entropy(
            outputs["generator_logits"], features["masked_labels"], features["masked_weights"])
        return {"mlm": hidden, "rtd": mean(each, real)}

    def accuracies(self, outputs, features):
        """Return the share of the generator's slots, and of the real tokens, that are told right."""
        told = ops.equal(outputs["rtd_logits"] > 0, ops.cast(outputs["rtd_labels"], "bool"))
        return {"masked_accuracy": weighted_accuracy(outputs["generator_logits"], features["masked_labels"],
                                         features["masked_weights"]),
                "rtd_accuracy": mean(ops.cast(told, "float32"), features["padding_mask"])}


class Generator(keras.layers.Layer):
    """A narrower masked language model over the embeddings of `encoder`, and draws from it.

    call(batch) -> (logits [B,K,V], entries drawn by their probability int32 [B,K]).
    """

    def __init__(self, encoder, size, seed, name="generator"):
        config, policy = narrowed(encoder.config, size), {"dtype": encoder.dtype_policy}
        super().__init__(name=name, **policy)
        embeddings = Embeddings(config, tables=encoder.embeddings.tables, name="embeddings", **policy)
        self.model = LanguageModel(Encoder(config, embeddings, name=name, **policy), name=name, **policy)
        self.draws, self.seed = keras.random.SeedGenerator(seed), seed

    def call(self, features, training=None):
        logits = self.model(self.model.only(features), training=training)
        rows = ops.reshape(ops.cast(logits, "float32"), (-1, logits.shape[-1]))
        # To look at a model must not change what it draws afterwards: looks draw alike each time.
        entries = keras.random.categorical(rows, 1, dtype="int32", seed=self.draws if training else self.seed)
        return logits, ops.reshape(entries, ops.shape(logits)[:2])


def narrowed(config, size):
    """Return the config of a generator: `size` of the width, one head or more, token vectors as wide as they are."""
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
