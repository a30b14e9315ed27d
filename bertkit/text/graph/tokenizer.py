"""The tokenizer as TensorFlow operations, for SavedModels that take strings; its ids equal those of Tokenizer."""

import importlib
from typing import Any

import tensorflow as tf

from bertkit.errors import Error
from bertkit.text.graph.added import Cut, Normalised
from bertkit.text.template import FIRST, SECOND

# Each module has a dict MODELS {kind: class}. A class takes a model and the vocabulary; its instances turn texts,
# string [B], into ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2].
MODULES = {"wordpiece": "wordpiece", "bytelevel": "bytelevel", "unigram": "sentencepiece", "bpe": "sentencepiece",
           "bytefallback": "byte_fallback"}


class GraphTokenizer(tf.Module):
    """A graph tokenizer turns batches of strings into batches of ids, entirely in the graph.

    Args:
        tokenizer: a `Tokenizer`.
        max_length: largest number of tokens of a row where a call gives no length.

    Raises:
        Error: when TensorFlow has no operations for the tokenizer's model or for one of its settings.

    Example:
        >>> from bertkit.text import Tokenizer
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])
        >>> GraphTokenizer(tokenizer)(tf.constant(["Rivers", ""]))["token_ids"].numpy()
        array([[2, 5, 6, 3],
               [2, 3, 0, 0]], dtype=int32)
    """

    def __init__(self, tokenizer: Any, max_length: int = 512):
        super().__init__(name="tokenizer")
        if tokenizer.model.kind not in MODULES:
            raise Error(f"A {tokenizer.model.kind} tokenizer has no form in TensorFlow; export token ids instead: a "
                        ".tflite takes them, and bertkit.ondevice makes them where the same packages are installed.")
        module = importlib.import_module(f"bertkit.text.graph.{MODULES[tokenizer.model.kind]}")
        make, (raw, normal) = module.MODELS[tokenizer.model.kind], tokenizer.splitters()
        self._model = make(tokenizer.bare if normal.tokens else tokenizer.model, tokenizer.model_vocabulary)
        if normal.tokens:
            model = tokenizer.model
            self._model = Normalised(Cut(self._model, normal, tokenizer.id), model.steps(), model.mapping)
        if raw.tokens:
            self._model = Cut(self._model, raw, tokenizer.id)
        self._template, self._max_length = tokenizer.template, max_length
        self._layout = tokenizer.layout
        self._padding = {"token_ids": tokenizer.pad_id, "offsets": 0, "padding_mask": 0,
                         "segment_ids": tokenizer.template.padding_segment}

    def __call__(self, first: Any, second: Any = None, length: int | None = None,
                 offsets: bool = False) -> dict[str, Any]:
        """Return texts or pairs of texts as one batch.

        Invalid UTF-8 is read as U+FFFD.

        Args:
            first: string tensor [B].
            second: string tensor [B], the second side of each pair; None where there are no pairs.
            length: number T of tokens that rows are cut and padded to. None pads to the longest row of the batch, which
                is cut to `max_length`.
            offsets: True adds "offsets", int32 [B, T, 2]: start and end of each token in characters of the text that it
                comes from, (0, 0) for special tokens and padding.

        Returns:
            A dict of int32 tensors [B, T]: "token_ids", "segment_ids" and "padding_mask" (1 for a real token, 0 for
            padding).

        Raises:
            Error: when the length cannot hold the special tokens.
        """
        paired = second is not None
        places = self._template.max_text_tokens(self._max_length if length is None else length, paired)
        texts = {FIRST: self._model(first)} | ({SECOND: self._model(second)} if paired else {})
        sizes = _kept([ids.row_lengths() for ids, _ in texts.values()], places)
        texts = {name: [_cut(part, size) for part in parts]
                 for (name, parts), size in zip(texts.items(), sizes, strict=True)}
        rows = [_row(part, segment, texts, tf.shape(first)[0])
                for part, segment in self._layout(paired)]
        names = ["token_ids", "segment_ids", "padding_mask", "offsets"][:4 if offsets else 3]
        return {name: self._dense(name, tf.concat(parts, 1), length)
                for name, parts in zip(names, zip(*rows, strict=True), strict=False)}

    def _dense(self, name, rows, length):
        """Pad ragged [B, (T)] or [B, (T), 2] on the side of the template."""
        shape = [None, length, 2][:rows.shape.rank]
        dense = rows.to_tensor(self._padding[name], shape=shape)
        if self._template.padding_side == "right":
            return dense
        width = tf.shape(dense, tf.int64)[1]
        real = rows.row_lengths()[:, None]
        return tf.gather(dense, (tf.range(width)[None] + real) % width, batch_dims=1)


def _kept(sizes, places):
    """Return how many tokens [B] of each text stay; see `template.truncated_lengths` for the rule of pairs."""
    if len(sizes) == 1:
        return [tf.minimum(sizes[0], places)]
    shorter = tf.minimum(tf.minimum(*sizes), places // 2)
    longer = tf.minimum(tf.maximum(*sizes), places - shorter)
    first_is_shorter = sizes[0] <= sizes[1]
    return [tf.where(first_is_shorter, *pair) for pair in ((shorter, longer), (longer, shorter))]


def _cut(ragged, sizes):
    """Return the first `sizes` [B] entries of each row."""
    starts = ragged.row_starts()
    return tf.gather(ragged.flat_values, tf.ragged.range(starts, starts + sizes))


def _row(part, segment, texts, batch_size):
    """Return ids, segments, mask and offsets, [B, (n)], that one part of the template gives."""
    if part in texts:
        ids, offsets = texts[part]
    else:
        ids, offsets = tf.fill([batch_size, 1], part), tf.zeros([batch_size, 1, 2], tf.int32)
    ones = tf.ones_like(ids)
    return ids, ones * segment, ones, offsets
