"""Texts from texts: an encoder that reads, a decoder that writes, and the search for the likeliest text."""

import keras
from keras import ops

from bertkit import family
from bertkit.decoder import Decoder
from bertkit.encoder import checked
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

    call({"token_ids" [B,T] ..., "target_ids" [B,U]}) -> logits of the token after each of the target's, [B,U,V]
    float32; without "target_ids" -> what it writes, int32 [B,longest], filled up with the end. `ends` are the ids that
    a text begins and ends with. The search keeps `beams` (1: greedy), see `heads.beam_search.beam_search`; texts of
    different lengths are compared by Σ log p / length^penalty.
    Raises `Error` for an encoder that is no BERT, and for numbers that search nothing.
    """

    own_entries = ("target_ids",)

    def __init__(self, encoder, ends, longest=64, beams=1, penalty=1.0, head_config=None, name="writer", **options):
        _check(encoder.config, ends, longest, beams)
        self.ends, self.longest, self.beams, self.penalty = tuple(ends), longest, beams, float(penalty)
        published = family.page(encoder.config.family).HEADS.get("mlm")
        self.head_config = from_json(head_config) if head_config is not None else published or Language()
        super().__init__(encoder, {}, name=name, **options)

    def build(self, _=None):
        if not self.built:
            policy = {"dtype": self.dtype_policy}
            self.decoder = Decoder(self.encoder.config, **policy)
            self.decoder.build()
            self.language = LanguageHead(self.decoder.config, self.head_config, token=self.decoder.embeddings.token,
                                         name="mlm", **policy)
            self.language.build((None, None, self.encoder.config.hidden_dim))

    @classmethod
    def warm(cls, model, ends, **settings):
        """Return an `EncoderDecoder`, both sides begun as an `Encoder`, or as that of a model, with its "mlm" head.

        An `EncoderDecoder` goes on as it is.
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

    def settings(self):
        return {"ends": list(self.ends), "longest": self.longest, "beams": self.beams, "penalty": self.penalty,
                "head_config": to_json(self.head_config)}

    def loss_function(self):
        """Return −log softmax(logits)[next token], the mean over the tokens of a batch whose label is not −1."""
        return TokenCrossEntropy()

    def checked(self, inputs):
        if isinstance(inputs, dict) and inputs.get("target_ids") is not None:
            target = checked({"token_ids": inputs["target_ids"]}, self.encoder.config)["token_ids"]
            inputs = {**inputs, "target_ids": target}
        return super().checked(inputs)

    def call(self, inputs, training=None):
        if inputs.get("target_ids") is None:
            return self.write(inputs)
        x = self.decoder(inputs["target_ids"], self.read(inputs, training), training=training)
        return self.vocabulary(x, training)

    def read(self, inputs, training=None, copies=1):
        """Return what the decoder attends to of a batch, each row of it `copies` times over."""
        sequence, mask = self.encoder(self.rows(inputs), training=training)["sequence"], inputs.get("padding_mask")
        return self.decoder.remember(ops.repeat(sequence, copies, axis=0),
                                     None if mask is None else ops.repeat(mask, copies, axis=0))

    def vocabulary(self, x, training=None):
        """Return the logits of what follows, [B,U,D] -> [B,U,V] float32."""
        return ops.cast(self.language({"sequence": x}, inputs={}, training=training), "float32")

    def write(self, inputs):
        """Return the likeliest text found for each row, int32 [B,longest]; earlier keys and values are kept."""
        memory = self.read(inputs, copies=self.beams)
        rows = ops.shape(inputs["token_ids"])[0]
        past = self.decoder.nothing(rows * self.beams, self.longest, self.compute_dtype)

        def step(tokens, place, past):
            x, past = self.decoder.step(tokens[:, None], place, past, memory)
            return ops.log_softmax(self.vocabulary(x)[:, 0], axis=-1), past

        return beam_search(step, past, rows, self.ends, self.longest, self.beams, self.penalty)


def _own(head):
    """Return the weights of a head without the token table, which is its encoder's."""
    return [weight for weight in head.weights if weight is not head.token.embeddings]


def _check(config, ends, longest, beams):
    room = config.longest or longest            # an encoder without positions is no BERT, as the decoder says
    if len(ends) != 2 or not all(0 <= end < config.vocabulary_size for end in ends):
        raise Error(f"ends={list(ends)!r}; give the ids that a text begins and ends with, such as [CLS]'s and [SEP]'s.")
    if not 1 <= longest <= room or beams < 1:
        raise Error(f"longest={longest} tokens with beams={beams} write nothing; give 1 to {room} tokens and 1 or more "
                    "beams.")
