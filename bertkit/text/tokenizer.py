"""Texts to token ids with character offsets, and token ids to batches."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.text.added import Added, Splitter
from bertkit.text.formats import loading
from bertkit.text.formats.vocabulary import read_vocabulary, vocabulary_file, write_vocabulary
from bertkit.text.models.bytelevel import ByteLevel
from bertkit.text.models.sentencepiece import BPE, Unigram
from bertkit.text.models.wordpiece import WordPiece
from bertkit.text.template import FIRST, SECOND, Template, bare, bert, kept

MODELS = {model.kind: model for model in (WordPiece, ByteLevel, Unigram, BPE)}
SPECIAL = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}


class Encoding(NamedTuple):
    """The tokens of one text; `offsets` are (start, end) in characters of the text as given."""

    ids: list
    tokens: list
    offsets: list


class Tokenizer:
    """What turns texts into the ids that a checkpoint was trained with.

    `vocabulary` are the entries in the order of their ids; `special` names the special tokens (unk,
    cls, sep, pad, mask) where they differ from BERT's, None for one that does not exist; `template`
    holds the fields of a Template, or None for BERT's, which without cls or sep is the text alone;
    `added` are more tokens that are found in a text as they stand (see Added), with ids after the
    vocabulary for those not in it; the other settings are those of the model: see WordPiece,
    ByteLevel, Unigram and BPE.

    Texts are str, or bytes in UTF-8, whose invalid parts read as U+FFFD. Special tokens written in
    a text are plain text, unless `special_tokens=True` asks to recognise them.
    Raises Error if a special token is not in the vocabulary or a setting is unknown.

    >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])
    >>> tokenizer.encode(["Rivers"])[0]
    Encoding(ids=[5, 6], tokens=['river', '##s'], offsets=[(0, 5), (5, 6)])
    >>> tokenizer.pack(["Rivers"], length=6)["token_ids"]
    array([[2, 5, 6, 3, 0, 0]], dtype=int32)
    """

    def __init__(self, vocabulary, kind="wordpiece", special=None, template=None, added=(),
                 **settings):
        if kind not in MODELS:
            raise Error(f"The tokenizer kind {kind!r} is unknown; bertkit has {', '.join(MODELS)}.")
        roles = SPECIAL | (special or {})
        self.special = {role: token for role, token in roles.items() if token is not None}
        ends = [self.special[role] for role in ("cls", "sep") if role in self.special]
        self.template = Template(**template) if template else bert(*ends) if len(ends) == 2 else bare()
        self.added = tuple(map(Added.of, added))
        self.model_vocabulary = tuple(vocabulary)
        known, new = set(self.model_vocabulary), dict.fromkeys(token.content for token in self.added)
        self.vocabulary = (*self.model_vocabulary, *(token for token in new if token not in known))
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self.pad_id, self.unk_id, self.cls_id, self.sep_id = (
            self.id(self.special[role]) if role in self.special else absent
            for role, absent in (("pad", 0), ("unk", None), ("cls", None), ("sep", None)))
        self.model = MODELS[kind](self.model_vocabulary, unknown=self.special.get("unk"), **settings)
        self._layouts = {paired: self.layout(paired) for paired in (False, True)}
        special = [Added(token) for token in self.special.values() if token in self._ids]
        tokens = {token.content: token for token in (*special, *self.added)}.values()
        self._special = Splitter([token for token in tokens if token.special])
        self._plain = Splitter([token for token in tokens if not token.special])

    @classmethod
    def load(cls, address: str | Path) -> "Tokenizer":
        """Read the tokenizer of a checkpoint, from whatever `bertkit.load` takes, or from a vocabulary file.

        Folders are those of Hugging Face (a tokenizer.json decides where there is one; truncation
        and padding in it are not taken over), Google, keras-nlp presets and bertkit bundles. A
        vocabulary without settings is uncased unless an entry outside brackets holds an upper-case
        letter.

        Args:
            address: A checkpoint folder, `bertkit://english`, `hf://owner/name`, the name of a keras-nlp preset,
                or a file: a vocab.txt, or a sentencepiece .model.

        Returns:
            The tokenizer.

        Raises:
            Error: If there is no such address, or a file is missing, damaged or of a kind that bertkit does not read.

        >>> Tokenizer.load("bertkit://english").encode(["An unhappy reader"])[0].tokens
        ['an', 'unhappy', 'reader']
        """
        return cls._made(address, *loading.read(address))

    @classmethod
    def restore(cls, folder, settings):
        """Read the vocabulary that `save` wrote, under the settings that it returned."""
        kind = settings.get("kind", "wordpiece")
        if kind not in MODELS:
            raise Error(f"{folder}: the tokenizer kind {kind!r} is unknown; bertkit has {', '.join(MODELS)}.")
        words, tables = read_vocabulary(folder, kind)
        return cls._made(folder, words, settings | tables)

    @classmethod
    def _made(cls, source, vocabulary, settings):
        try:
            return cls(vocabulary, **settings)
        except (TypeError, AttributeError, ValueError, Error) as error:
            raise Error(f"The tokenizer of {source} cannot be used: {error}") from None

    @property
    def file(self):
        """The name of the file that `save` writes."""
        return vocabulary_file(self.model.kind)

    def save(self, folder):
        """Write the vocabulary into a folder; return the settings, which the caller keeps as JSON."""
        write_vocabulary(folder, self.model.kind, self.model_vocabulary, self.model.tables())
        return self.settings()

    def settings(self):
        """Return everything but the vocabulary and the tables of the model, as JSON.

        `Tokenizer(vocabulary, **tokenizer.model.tables(), **settings)` is the tokenizer again.
        """
        return {"kind": self.model.kind, "special": {role: self.special.get(role) for role in SPECIAL},
                "added": [token.settings() for token in self.added],
                "template": self.template.settings(), **self.model.settings()}

    def __len__(self):
        return len(self.vocabulary)

    @property
    def mask_id(self):
        """The id of the mask token; raises Error in the rare vocabulary without one."""
        if "mask" not in self.special:
            raise Error("The tokenizer has no mask token; masked words need the vocabulary of a model trained on them.")
        return self.id(self.special["mask"])

    def id(self, token):
        """Return the id of a vocabulary entry; raises Error if there is none."""
        if token not in self._ids:
            raise Error(f"The vocabulary has no {token}; give the vocabulary of the checkpoint, or "
                        "say in tokenizer_config.json how the special tokens are called.")
        return self._ids[token]

    def layout(self, paired):
        """Return the template with ids in the place of special tokens: (part, segment) pairs."""
        return [(part if part in (FIRST, SECOND) else self.id(part), segment)
                for part, segment in self.template.parts(paired)]

    def ids(self, texts, special_tokens=False):
        """Return the ids of each text, list of lists of int, without special tokens around them."""
        return [self._ids_of(text, special_tokens) for text in _texts(texts)]

    def encode(self, texts, special_tokens=False):
        """Return an Encoding of each text, without special tokens around it."""
        return [self._encoding(text, special_tokens) for text in _texts(texts)]

    def pack(self, first, second=None, length=128, special_tokens=False):
        """Return a batch of texts or pairs, cut and padded: three int32 arrays [B, length].

        `token_ids`, `segment_ids` and `padding_mask` (1 = real token). Pairs are cut longest first
        (see template.kept). Raises Error if `length` cannot hold the special tokens or `first` and
        `second` differ in number.
        """
        first = self.ids(first, special_tokens)
        second = [None] * len(first) if second is None else self.ids(second, special_tokens)
        if len(first) != len(second):
            raise Error(f"{len(first)} first texts came with {len(second)} second texts; "
                        "give as many of both.")
        rows = [self.pack_ids(*pair, length) for pair in zip(first, second, strict=True)]
        return self.batch(rows, length)

    def pack_ids(self, first, second=None, length=128):
        """Return (token ids, segment ids) of one row, cut to `length`, with special tokens."""
        paired = second is not None
        places = self.template.places(length, paired)
        sizes = kept(len(first), len(second), places) if paired else (min(len(first), places), 0)
        texts = {FIRST: first[:sizes[0]], SECOND: second[:sizes[1]] if paired else []}
        ids, segments = [], []
        for part, segment in self._layouts[paired]:
            new = texts[part] if part in texts else [part]
            ids += new
            segments += [segment] * len(new)
        return ids, segments

    def batch(self, rows, length):
        """Return rows of `pack_ids` as one batch, padded to `length`."""
        shape = (len(rows), length)
        token_ids = np.full(shape, self.pad_id, np.int32)
        segment_ids = np.full(shape, self.template.padding_segment, np.int32)
        padding_mask = np.zeros(shape, np.int32)
        for i, (ids, segments) in enumerate(rows):
            real = slice(0, len(ids)) if self.template.padding_side == "right" else (
                slice(length - len(ids), length))
            token_ids[i, real], segment_ids[i, real], padding_mask[i, real] = ids, segments, 1
        return {"token_ids": token_ids, "segment_ids": segment_ids, "padding_mask": padding_mask}

    def _ids_of(self, text, special_tokens):
        if not special_tokens and not self._plain.tokens:
            return self.model.ids(text)
        return [i for begin, end, token in self._stretches(text, special_tokens)
                for i in ([self._ids[token]] if token else self.model.ids(text[begin:end]))]

    def _encoding(self, text, special_tokens):
        ids, offsets = [], []
        for begin, end, token in self._stretches(text, special_tokens):
            if token:                                     # without the blanks before it
                ids.append(self._ids[token])
                offsets.append((end - len(token), end))
                continue
            found = self.model.encode(text[begin:end])
            ids += found.ids
            offsets += [(begin + a, begin + b) for a, b in found.offsets]
        return Encoding(ids, [self.vocabulary[i] for i in ids], offsets)

    def _stretches(self, text, special_tokens):
        """Yield (begin, end, token) of the added tokens in a text, and None for the stretches between."""
        for begin, end, token in self._special(text) if special_tokens else [(0, len(text), None)]:
            if token:
                yield begin, end, token
            else:
                yield from ((begin + a, begin + b, word) for a, b, word in self._plain(text[begin:end]))


def _texts(texts):
    """Return a list of str; raises Error for anything that is not a sequence of texts."""
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise Error(f"{texts!r:.60} came where a list of texts was wanted; put it in [].")
    return [_text(text) for text in texts]


def _text(text):
    if isinstance(text, str):
        return text
    if isinstance(text, bytes):
        return text.decode("utf-8", errors="replace")
    raise Error(f"{text!r:.60} came where a text was wanted; give str or UTF-8 bytes.")
