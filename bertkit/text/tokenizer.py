"""Texts to token ids with character offsets, and token ids to batches."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.text.added import Added, Splitter
from bertkit.text.formats import loading
from bertkit.text.formats.vocabulary import read_vocabulary, vocabulary_file, write_vocabulary
from bertkit.text.models.byte_fallback import ByteFallback
from bertkit.text.models.bytelevel import ByteLevel
from bertkit.text.models.japanese import Japanese
from bertkit.text.models.pieces import Pieces
from bertkit.text.models.sentencepiece import BPE, Unigram
from bertkit.text.models.wordpiece import WordPiece
from bertkit.text.template import FIRST, SECOND, Template, bare, bert, truncated_lengths
from bertkit.text.unicode.normalize import span

MODELS: dict[str, Any] = {model.kind: model
                          for model in (WordPiece, ByteLevel, Unigram, BPE, ByteFallback, Japanese)}
# What `Tokenizer.settings` gives, as JSON; the settings of a model are compared by the model.
SETTINGS = {"kind": schema.Maybe(schema.Choice(*MODELS)), "special": schema.Maybe((schema.Each((str, None)), None)),
            "template": schema.Maybe((schema.arguments(Template), None)),
            "added": schema.Maybe([(str, schema.arguments(Added))])}
LONGEST_ROW = 2**24     # tokens; no encoder reads so many
SPECIAL = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
ENDS = ("bos", "eos")   # roles that have no token where none is given


class Encoding(NamedTuple):
    """The tokens of one text.

    Args:
        ids: list of int, the id of each token.
        tokens: list of str, the vocabulary entry of each token.
        offsets: list of (start, end), the half-open range of characters of the given text that each token covers.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])
        >>> encoding = tokenizer.encode(["the Rivers"])[0]
        >>> encoding.tokens, encoding.offsets
        (['[UNK]', 'river', '##s'], [(0, 3), (4, 9), (9, 10)])
    """

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]


class Tokenizer:
    """A tokenizer turns texts into the ids that a checkpoint was trained with.

    Texts are str, or bytes in UTF-8, whose invalid parts are read as U+FFFD. The tokens of the roles below are plain
    text where a text holds them, unless `special_tokens=True` asks to recognise them; every other token of `added` is
    recognised in every text.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        kind: name of the model: "wordpiece", "bytelevel", "unigram", "bpe", "bytefallback" or "japanese".
        special: dict from a role ("unk", "cls", "sep", "pad", "mask", "bos", "eos") to a token, for the roles whose
            token is not that of BERT, which has no "bos" and no "eos"; None says that the tokenizer has none.
        template: dict, the fields of a `Template`. None takes BERT's template, or the text alone where there is no cls
            or no sep token.
        added: more tokens that are found in a text as they stand, as `Added.of` reads them. Those that the vocabulary
            lacks get the ids after it.
        **settings: settings of the model; see `WordPiece`, `ByteLevel`, `Unigram`, `BPE`, `ByteFallback` and
            `Japanese`.

    Raises:
        Error: when the kind or a setting is unknown, or a special token is not in the vocabulary.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])
        >>> tokenizer.encode(["Rivers"])[0]
        Encoding(ids=[5, 6], tokens=['river', '##s'], offsets=[(0, 5), (5, 6)])
        >>> tokenizer.pack(["Rivers"], length=6)["token_ids"]
        array([[2, 5, 6, 3, 0, 0]], dtype=int32)
    """

    def __init__(self, vocabulary: Sequence[str], kind: str = "wordpiece", special: dict[str, str | None] | None = None,
                 template: dict[str, Any] | None = None, added: Iterable[str | dict[str, Any]] = (), **settings: Any):
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
        for role in ENDS:                     # nothing else needs these; files name some that no vocabulary has
            if self.special.get(role) not in self._ids:
                self.special.pop(role, None)
        self.pad_id = self.id(self.special["pad"]) if "pad" in self.special else 0
        self.unk_id, self.cls_id, self.sep_id = (
            self.id(self.special[role]) if role in self.special else None for role in ("unk", "cls", "sep"))
        make = functools.partial(MODELS[kind], self.model_vocabulary, unknown=self.special.get("unk"))
        self.model = make(**settings)
        self._layouts = {paired: self.layout(paired) for paired in (False, True)}
        normalized = any(token.normalized for token in self.added)
        # What stands between normalised tokens is normalised already.
        self.bare = make(**self.model.tables(), **self.model.settings() | self.model.BARE) if normalized else self.model
        named = [Added(token) for token in self.special.values() if token in self._ids]
        everything = {token.content: token for token in (*named, *self.added)}.values()
        self._splitters = {True: self._find(everything), False: self._find(self.recognised)}

    @classmethod
    def load(cls, address: str | Path) -> "Tokenizer":
        """Read the tokenizer of a checkpoint, from whatever `bertkit.load` takes, or from a vocabulary file.

        A folder is one of Hugging Face, of sentence-transformers, of Google, of a keras-nlp preset or a bertkit bundle.
        Where it has a tokenizer.json, that file decides; its truncation and its padding are not taken over. Where
        tokenizer_config.json says otherwise, what transformers 5 does is done, and the log says so. Added tokens are
        read from every file that names them. A vocabulary without settings is uncased, unless an entry outside
        brackets has an upper-case letter.

        Args:
            address: checkpoint folder, `bertkit://english`, `hf://owner/name`, the name of a keras-nlp preset, or a
                file: a vocab.txt or a sentencepiece .model.

        Returns:
            A `Tokenizer`.

        Raises:
            Error: when there is no such address, or a file is missing, damaged or of a kind that bertkit does not read.

        Example:
            >>> Tokenizer.load("bertkit://english").encode(["An unhappy reader"])[0].tokens
            ['an', 'unhappy', 'reader']
        """
        return cls._made(address, *loading.read(address))

    @classmethod
    def restore(cls, folder: str | Path, settings: dict[str, Any]) -> "Tokenizer":
        """Read a tokenizer that `save` wrote.

        Args:
            folder: folder that holds the vocabulary.
            settings: dict that `save` returned.

        Returns:
            A `Tokenizer`.

        Raises:
            Error: when the kind is unknown, or the vocabulary is missing or damaged.
        """
        schema.check(settings, SETTINGS, f"The tokenizer of {folder}")
        kind = settings.get("kind", "wordpiece")
        words, tables = read_vocabulary(folder, kind)
        return cls._made(folder, words, settings | tables)

    @classmethod
    def _made(cls, source, vocabulary, settings):
        try:
            return cls(vocabulary, **settings)
        except (TypeError, AttributeError, ValueError, Error) as error:
            raise Error(f"The tokenizer of {source} cannot be used: {error}") from None

    @property
    def recognised(self) -> tuple[Added, ...]:
        """The added tokens that are recognised in every text: those that have no role."""
        roles = set(self.special.values())
        return tuple(token for token in self.added if token.content not in roles)

    def splitters(self, special_tokens: bool = False) -> tuple[Splitter, Splitter]:
        """Return what finds added tokens in a text.

        Args:
            special_tokens: True finds the tokens of all roles too.

        Returns:
            The `Splitter` of a text as it stands, and the one of normalised text.
        """
        return self._splitters[special_tokens]

    @property
    def file(self) -> str:
        """The name of the file that `save` writes."""
        return vocabulary_file(self.model.kind)

    def save(self, folder: str | Path) -> dict[str, Any]:
        """Write the vocabulary into a folder.

        Args:
            folder: folder that exists.

        Returns:
            The settings, a dict of JSON values, which the caller stores; `restore` takes them.

        Raises:
            Error: when the file cannot be written.
        """
        write_vocabulary(folder, self.model.kind, self.model_vocabulary, self.model.tables())
        return self.settings()

    def settings(self) -> dict[str, Any]:
        """Return everything as JSON values, except the vocabulary and the tables of the model.

        `Tokenizer(vocabulary, **tokenizer.model.tables(), **settings)` makes the same tokenizer again.

        Returns:
            The dict {"kind", "special", "added", "template", and the settings of the model}.
        """
        ends = {role: self.special[role] for role in ENDS if role in self.special}
        return {"kind": self.model.kind, "special": {role: self.special.get(role) for role in SPECIAL} | ends,
                "added": [token.settings() for token in self.added],
                "template": self.template.settings(), **self.model.settings()}

    def __len__(self) -> int:
        return len(self.vocabulary)

    @property
    def mask_id(self) -> int:
        """The id of the mask token.

        Raises:
            Error: when the vocabulary has no mask token.
        """
        if "mask" not in self.special:
            raise Error("The tokenizer has no mask token; masked words need the vocabulary of a model trained on them.")
        return self.id(self.special["mask"])

    def id(self, token: str) -> int:
        """Return the id of a vocabulary entry.

        Args:
            token: the entry.

        Returns:
            The id, an int.

        Raises:
            Error: when the vocabulary has no such entry.
        """
        if token not in self._ids:
            raise Error(f"The vocabulary has no {token}; give the vocabulary of the checkpoint, or "
                        "say in tokenizer_config.json how the special tokens are called.")
        return self._ids[token]

    def layout(self, paired: bool) -> list[tuple[Any, int]]:
        """Return the template with ids in the place of its special tokens.

        Args:
            paired: True for the template of a pair, False for that of one text.

        Returns:
            A list of (part, segment): a part is "$first", "$second" or the id of a special token.
        """
        return [(part if part in (FIRST, SECOND) else self.id(part), segment)
                for part, segment in self.template.parts(paired)]

    def ids(self, texts: Iterable[str | bytes], special_tokens: bool = False) -> list[list[int]]:
        """Return the ids of texts, without special tokens around them.

        Args:
            texts: sequence of B texts.
            special_tokens: True recognises the tokens of all roles where they are written in a text.

        Returns:
            A list of B lists of int.

        Raises:
            Error: when `texts` is a single text, or holds something else than texts.
        """
        return [self._ids_of(text, special_tokens) for text in _texts(texts)]

    def normalize(self, text: str) -> str:
        """Return a text as the model's words are found in it, for programs that find words otherwise, as MediaPipe.

        Args:
            text: the text.

        Returns:
            The normalised text.

        Example:
            >>> Tokenizer.load("bertkit://english").normalize("Un CAFÉ")
            'un cafe'
        """
        return self.model.normalized(text) if isinstance(self.model, WordPiece) else self.model.normalizer(text)

    def encode(self, texts: Iterable[str | bytes], special_tokens: bool = False) -> list[Encoding]:
        """Return the tokens of texts with their character offsets, without special tokens around them.

        Args:
            texts: sequence of B texts.
            special_tokens: True recognises the tokens of all roles where they are written in a text.

        Returns:
            A list of B values of `Encoding`.

        Raises:
            Error: when `texts` is a single text, or holds something else than texts.
        """
        return [self._encoding(text, special_tokens) for text in _texts(texts)]

    def pack(self, first: Iterable[str | bytes], second: Iterable[str | bytes] | None = None, length: int = 128,
             special_tokens: bool = False) -> dict[str, np.ndarray]:
        """Return texts or pairs of texts as one batch, cut and padded to a length.

        Of a pair the longer text is cut first; see `template.truncated_lengths`.

        Args:
            first: sequence of B texts.
            second: sequence of B texts, the second side of each pair; None where there are no pairs.
            length: number T of tokens of each row, special tokens included.
            special_tokens: True recognises the tokens of all roles where they are written in a text.

        Returns:
            A dict of int32 arrays [B, T]: "token_ids", "segment_ids" and "padding_mask" (1 for a real token, 0 for
            padding).

        Raises:
            Error: when `length` cannot hold the special tokens, or `first` and `second` differ in number.
        """
        firsts = self.ids(first, special_tokens)
        seconds = [None] * len(firsts) if second is None else self.ids(second, special_tokens)
        if len(firsts) != len(seconds):
            raise Error(f"{len(firsts)} first texts came with {len(seconds)} second texts; "
                        "give as many of both.")
        rows = [self.pack_ids(*pair, length) for pair in zip(firsts, seconds, strict=True)]
        return self.batch(rows, length)

    def pack_ids(self, first: Sequence[int], second: Sequence[int] | None = None,
                 length: int = 128) -> tuple[list[int], list[int]]:
        """Return one row with special tokens, cut to a length and not padded.

        Args:
            first: ids of the first text.
            second: ids of the second text, or None.
            length: largest number of tokens, special tokens included.

        Returns:
            Two lists of equal length: the token ids and the segment ids.

        Raises:
            Error: when `length` cannot hold the special tokens.
        """
        _check_length(length)
        paired = second is not None
        room = self.template.max_text_tokens(length, paired)
        sizes = (min(len(first), room), 0) if second is None else truncated_lengths(len(first), len(second), room)
        texts = {FIRST: first[:sizes[0]], SECOND: second[:sizes[1]] if second is not None else []}
        ids: list[int] = []
        segments: list[int] = []
        for part, segment in self._layouts[paired]:
            new = texts[part] if part in texts else [part]
            ids += new
            segments += [segment] * len(new)
        return ids, segments

    def batch(self, rows: Sequence[tuple[list[int], list[int]]], length: int) -> dict[str, np.ndarray]:
        """Return rows of `pack_ids` as one batch.

        Args:
            rows: B pairs of token ids and segment ids, each of at most `length` tokens.
            length: number T of tokens that each row is padded to.

        Returns:
            A dict of int32 arrays [B, T]: "token_ids", "segment_ids" and "padding_mask" (1 for a real token, 0 for
            padding).

        Raises:
            Error: when `length` is no number of tokens.
        """
        _check_length(length)
        shape = (len(rows), length)
        token_ids = np.full(shape, self.pad_id, np.int32)
        segment_ids = np.full(shape, self.template.padding_segment, np.int32)
        padding_mask = np.zeros(shape, np.int32)
        for i, (ids, segments) in enumerate(rows):
            real = slice(0, len(ids)) if self.template.padding_side == "right" else (
                slice(length - len(ids), length))
            token_ids[i, real], segment_ids[i, real], padding_mask[i, real] = ids, segments, 1
        return {"token_ids": token_ids, "segment_ids": segment_ids, "padding_mask": padding_mask}

    def _find(self, tokens):
        """Return what finds tokens as they stand, and what finds normalised ones in a normalised text."""
        return (Splitter(token for token in tokens if not token.normalized),
                Splitter((token for token in tokens if token.normalized), lambda text: self.model.normalizer(text)))

    def _ids_of(self, text, special_tokens):
        raw, normal = self._splitters[special_tokens]
        if normal.tokens:
            return self._encoding(text, special_tokens).ids
        if not raw.tokens:
            return self.model.ids(text)
        return [i for begin, end, token in raw(text)
                for i in ([self._ids[token]] if token else self.model.ids(text[begin:end]))]

    def _encoding(self, text, special_tokens):
        ids, offsets = [], []
        raw, normal = self._splitters[special_tokens]
        for begin, end, token in raw(text):
            if token:
                pieces = Pieces([self._ids[token]], [(0, end - begin)])
            elif normal.tokens:
                pieces = self._normalised(text[begin:end], normal)
            else:
                pieces = self.model.encode(text[begin:end])
            ids += pieces.ids
            offsets += [(begin + a, begin + b) for a, b in pieces.offsets]
        return Encoding(ids, [self.vocabulary[i] for i in ids], offsets)

    def _normalised(self, text, normal):
        """Return the pieces of a text, in whose normalised form tokens are found."""
        ids, offsets = [], []
        text, sources = self.model.normalizer.aligned(text)
        for begin, end, token in normal(text):
            pieces = Pieces([self._ids[token]], [(0, end - begin)]) if token else self.bare.encode(text[begin:end])
            ids += pieces.ids
            offsets += [span(sources, begin + a, begin + b) for a, b in pieces.offsets]
        return Pieces(ids, offsets)


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


def _check_length(length):
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or not 0 <= length <= LONGEST_ROW:
        raise Error(f"length={length!r:.40} is no number of tokens of a row; give a whole number of at most "
                    f"{LONGEST_ROW}.")
