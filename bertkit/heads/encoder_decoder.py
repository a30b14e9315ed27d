"""Texts from texts: an encoder that reads, a decoder that writes, and the search for the likeliest text."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from bertkit import family
from bertkit.decoder import Decoder
from bertkit.encoder import Encoder, check_batch
from bertkit.errors import Error
from bertkit.heads.beam_search import beam_search
from bertkit.heads.head_layers import LanguageHead
from bertkit.heads.losses import TokenCrossEntropy
from bertkit.heads.task_model import TaskModel
from bertkit.kinds import Language
from bertkit.kinds.values import from_json, to_json


@keras.saving.register_keras_serializable("bertkit")
class EncoderDecoder(TaskModel):
    """An encoder-decoder whose two sides begin as one checkpoint (Rothe, Narayan and Severyn 2020, BERT2BERT).

    With "target_ids" [B,U] in the batch a call returns the logits of the token after each of the target's, [B,U,V]
    float32; without them it writes a text, int32 [B,longest], filled up with the end. Texts of different lengths are
    compared by Σ log p / length^penalty (see `heads.beam_search.beam_search`).

    Args:
        encoder: The `Encoder` to read texts with.
        ends: The id that a text begins with, and the id that it ends with.
        longest: The largest number of tokens of a text.
        beams: The number of continuations that the search keeps; 1 is greedy.
        penalty: The exponent of the length.
        head_config: The kind of the language head, or its JSON; None takes that of the paper of the encoder's family.
        name: The name of the model.
        **options: Further arguments of `keras.Model`, such as `dtype` and `trainable`.

    Raises:
        Error: when the encoder is no BERT, or when `ends`, `longest` or `beams` allow no search.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> model = EncoderDecoder(encoder, ends=(2, 3), longest=4)
        >>> tuple(model({"token_ids": [[5, 6, 7]], "target_ids": [[2, 8]]}).shape)
        (1, 2, 100)
    """

    own_entries = ("target_ids",)

    def __init__(self, encoder: Encoder, ends: Sequence[int], longest: int = 64, beams: int = 1, penalty: float = 1.0,
                 head_config: Any = None, name: str = "writer", **options: Any) -> None:
        _check(encoder.config, ends, longest, beams)
        self.ends, self.longest, self.beams, self.penalty = tuple(ends), longest, beams, float(penalty)
        published = family.page(encoder.config.family).HEADS.get("mlm")
        self.head_config = from_json(head_config) if head_config is not None else published or Language()
        super().__init__(encoder, {}, name=name, **options)

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        if not self.built:
            policy = {"dtype": self.dtype_policy}
            self.decoder = Decoder(self.encoder.config, **policy)
            self.decoder.build()
            self.language = LanguageHead(self.decoder.config, self.head_config, token=self.decoder.embeddings.token,
                                         name="mlm", **policy)
            self.language.build((None, None, self.encoder.config.hidden_dim))

    @classmethod
    def from_encoder(cls, model: Any, ends: Sequence[int], **settings: Any) -> "EncoderDecoder":
        """Make an `EncoderDecoder` whose two sides begin with the weights of one encoder.

        Its head begins with the weights of the model's "mlm" head, where there is one.

        Args:
            model: An `Encoder`, a model with one, or an `EncoderDecoder`, whose weights are copied as they are.
            ends: The id that a text begins with, and the id that it ends with.
            **settings: Further arguments of the constructor.

        Returns:
            A new `EncoderDecoder`.

        Raises:
            Error: when the encoder is no BERT, or when the settings allow no search.
        """
        encoder = getattr(model, "encoder", model)
        writer = cls(encoder, ends, **settings)
        if isinstance(model, cls):
            writer.set_weights(model.get_weights())
            return writer
        writer.decoder.start_from(encoder)
        head = getattr(model, "heads", {}).get("mlm")
        if head is not None:
            for weight, value in zip(_own(writer.language), _own(head), strict=True):
                weight.assign(value)
        return writer

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments besides the encoder and those of Keras.

        Returns:
            A dict of JSON values.
        """
        return {"ends": list(self.ends), "longest": self.longest, "beams": self.beams, "penalty": self.penalty,
                "head_config": to_json(self.head_config)}

    def loss_function(self) -> keras.losses.Loss:
        """Make the loss −log softmax(logits)[next token], the mean over the tokens of a batch whose label is not −1.

        Returns:
            A Keras loss.
        """
        return TokenCrossEntropy()

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make int32 arrays of its lists and arrays.

        Args:
            inputs: A batch, entries [B,T] and optionally "target_ids" [B,U].

        Returns:
            The batch as this model computes with it.

        Raises:
            BatchError: when the encoder cannot read it.
        """
        if isinstance(inputs, dict) and inputs.get("target_ids") is not None:
            target = check_batch({"token_ids": inputs["target_ids"]}, self.encoder.config)["token_ids"]
            inputs = {**inputs, "target_ids": target}
        return super().check_batch(inputs)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits after each token of the target, or write a text where there is no target.

        Args:
            inputs: The batch: "token_ids" int [B,T] and optionally "target_ids" int [B,U].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,U,V] float32, or the ids of the texts int32 [B,longest].
        """
        if inputs.get("target_ids") is None:
            return self.generate(inputs)
        x = self.decoder(inputs["target_ids"], self.encode(inputs, training), training=training)
        return self.token_logits(x, training)

    def encode(self, inputs: dict[str, Any], training: bool | None = None, copies: int = 1) -> list[dict[str, Any]]:
        """Compute what the decoder attends to.

        Args:
            inputs: A batch, {name: tensor}.
            training: Whether dropout is applied; None leaves it to Keras.
            copies: How many times each row is repeated.

        Returns:
            For each block {"memory": its keys and values [B·copies,N,T,H], "padding_mask" [B·copies,T]}.
        """
        sequence = self.encoder(self.encoder_inputs(inputs), training=training)["sequence"]
        mask = inputs.get("padding_mask")
        return self.decoder.source_keys_values(ops.repeat(sequence, copies, axis=0),
                                               None if mask is None else ops.repeat(mask, copies, axis=0))

    def token_logits(self, x: Any, training: bool | None = None) -> Any:
        """Compute the logits of the next token.

        Args:
            x: The decoder's vectors [B,U,D].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,U,V] float32.
        """
        return ops.cast(self.language({"sequence": x}, inputs={}, training=training), "float32")

    def generate(self, inputs: dict[str, Any]) -> Any:
        """Search the likeliest text for each row; the keys and values of earlier tokens are kept.

        Args:
            inputs: A batch, {name: tensor}.

        Returns:
            The ids of the texts, int32 [B,longest].
        """
        memory = self.encode(inputs, copies=self.beams)
        rows = ops.shape(inputs["token_ids"])[0]
        past = self.decoder.empty_cache(rows * self.beams, self.longest, self.compute_dtype)

        def step(tokens, place, past):
            x, past = self.decoder.step(tokens[:, None], place, past, memory)
            return ops.log_softmax(self.token_logits(x)[:, 0], axis=-1), past

        return beam_search(step, past, rows, self.ends, self.longest, self.beams, self.penalty)


def _own(head):
    """Return the weights of a head without the token table, which is its encoder's."""
    return [weight for weight in head.weights if weight is not head.token.embeddings]


def _check(config, ends, longest, beams):
    room = config.max_length or longest            # an encoder without positions is no BERT, as the decoder says
    if len(ends) != 2 or not all(0 <= end < config.vocabulary_size for end in ends):
        raise Error(f"ends={list(ends)!r}; give the ids that a text begins and ends with, such as [CLS]'s and [SEP]'s.")
    if not 1 <= longest <= room or beams < 1:
        raise Error(f"longest={longest} tokens with beams={beams} write nothing; give 1 to {room} tokens and 1 or more "
                    "beams.")
