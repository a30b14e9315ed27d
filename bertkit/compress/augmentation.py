"""More texts for a student: copies of texts in which words are replaced by others that fit there.

Jiao et al. 2019 (TinyBERT), section 3.2 and algorithm 1: a word gives way with probability 0.4 to one of 15 candidates.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import checkpoints
from bertkit.data.features import Padding, pack
from bertkit.data.pipeline import batches_by_length
from bertkit.errors import Error
from bertkit.heads import LanguageModel, PretrainingModel
from bertkit.terminal import say, with_progress
from bertkit.text import Tokenizer

REPLACED, CANDIDATES = 0.4, 15          # the paper's p_t and K, section 4.2
CHUNK = 256                             # texts whose masked copies are in memory at a time
Words = dict[tuple[int, int], list[str]]        # {(start, end) of a word in a text: its candidates}


class MaskedModel:
    """Candidates that a masked language model finds likely in the place of a word: call(texts) -> a `Words` of each.

    A word that is several pieces to its tokenizer, and one after its last position, stays.

    Args:
        address: A masked language model with a WordPiece vocabulary, what `bertkit.load` takes.

    Raises:
        Error: when it is no such model.
    """

    def __init__(self, address: str | Path) -> None:
        folder = checkpoints.local_folder(address)
        self.model, self.tokenizer = checkpoints.load(folder), Tokenizer.load(folder)
        names = getattr(self.model, "heads", {})
        if not isinstance(self.model, LanguageModel | PretrainingModel) or "mlm" not in names:
            raise Error(f"{address} is no masked language model; give one, such as bert-base-uncased, or leave it out: "
                        "the candidates are then the nearest words of the teacher's table.")
        self.entries = _whole_words(self.tokenizer)
        self.most = self.model.encoder.config.max_length or 512

    def __call__(self, texts: Sequence[str]) -> list[Words]:
        """Return the candidates of each word of each text."""
        found: list[Words] = [{} for _ in texts]
        copies = list(self._copies(texts))
        rows = pack([row for *_, row in copies], Padding.of(self.tokenizer))
        for numbers, batch in batches_by_length(rows, 32) if copies else ():
            masked = np.array([[copies[number][2]] for number in numbers], "int32")
            if self.tokenizer.template.padding_side == "left":
                masked += batch["token_ids"].shape[1] - rows.lengths[numbers][:, None]
            known = self.model.select_entries({**batch, "masked_positions": masked})
            given = self.model(known, training=False)
            logits = np.asarray(given["mlm_logits"] if isinstance(given, dict) else given)[:, 0, self.entries]
            for number, best in zip(numbers, _largest(logits), strict=True):
                text, span, *_ = copies[number]
                found[text][span] = [self.tokenizer.vocabulary[self.entries[i]] for i in best]
        return found

    def _copies(self, texts: Sequence[str]) -> Iterator[tuple[int, tuple[int, int], int, Any]]:
        """Yield (text, the word's span, its place in the row, the row with a mask there) of each word."""
        for number, encoding in enumerate(self.tokenizer.encode(texts)):
            ids, segments = self.tokenizer.pack_ids(encoding.ids, None, self.most)
            ahead = self.tokenizer.pack_ids([-1], None, self.most)[0].index(-1)
            for piece, span in _single_pieces(texts[number], encoding.offsets):
                place = ahead + piece
                if place < len(ids) and ids[place] == encoding.ids[piece]:
                    row = [*ids[:place], self.tokenizer.mask_id, *ids[place + 1:]]
                    yield number, span, place, (row, segments)


class NearestWords:
    """Candidates that lie nearest to a word in a table of tokens, by their cosine: call(texts) -> a `Words` of each.

    The paper takes GloVe's table for words that are several pieces; here it serves where there is no masked model.

    Args:
        model: A model of bertkit's with an encoder.
        tokenizer: Its `Tokenizer`.

    Raises:
        Error: when its vocabulary is no WordPiece one.
    """

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        self.tokenizer, self.entries, self.known = tokenizer, _whole_words(tokenizer), dict[int, list[str]]()
        table = np.asarray(model.encoder.embeddings.token.embeddings, "float32")
        self.table = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)

    def __call__(self, texts: Sequence[str]) -> list[Words]:
        """Return the candidates of each word of each text."""
        return [{span: self._nearest(encoding.ids[piece]) for piece, span in _single_pieces(text, encoding.offsets)}
                for text, encoding in zip(texts, self.tokenizer.encode(texts), strict=True)]

    def _nearest(self, number):
        if number not in self.known:
            near = self.table[self.entries] @ self.table[number]
            near[self.entries == number] = -np.inf
            self.known[number] = [self.tokenizer.vocabulary[self.entries[i]] for i in _largest(near[None])[0]]
        return self.known[number]


def augmented(inputs: Sequence[Any], copies: int, candidates: Callable[[Sequence[str]], list[Words]],
              seed: int = 0) -> list[Any]:
    """Return copies of inputs in which words are replaced.

    Each copy is drawn on its own; one in which no word was replaced is left out. What is drawn for an input depends on
    the seed and its number alone.

    Args:
        inputs: Texts, tuples of texts, or lists of words.
        copies: How many of each.
        candidates: A `MaskedModel` or `NearestWords`.
        seed: The seed.

    Returns:
        The changed copies, in the order of the inputs.
    """
    made = []
    chunks = (list(range(i, min(i + CHUNK, len(inputs)))) for i in range(0, len(inputs), CHUNK))
    for chunk in with_progress(chunks, len(inputs), "augmented"):
        parts = {number: _parts(inputs[number]) for number in chunk}
        known = iter(candidates([text for texts in parts.values() for text in texts]))
        for number, texts in parts.items():
            words, rng = [next(known) for _ in texts], np.random.default_rng((seed, number))
            for _ in range(copies):
                new = [_replaced(text, each, rng) for text, each in zip(texts, words, strict=True)]
                made += [_joined(inputs[number], new)] if new != texts else []
    say(f"{len(made)} copies were made of {len(inputs)} rows, with other words; on these the student follows its "
        "teacher.")
    return made


def _parts(given):
    """Return the texts of an input; a list of words is one text."""
    texts = [" ".join(given)] if isinstance(given, list) else [given] if isinstance(given, str | bytes) else given
    return [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in texts]


def _joined(given, texts):
    """Return an input of the form of the given one; a list of words keeps their number."""
    if isinstance(given, list):
        words = texts[0].split(" ")
        return words if len(words) == len(given) else given
    return texts[0] if isinstance(given, str | bytes) else tuple(texts)


def _replaced(text, words, rng):
    """Return a text with other words in the places of some."""
    parts, at = [], 0
    for (start, end), found in sorted(words.items()):
        if rng.random() < REPLACED and found:
            parts += [text[at:start], found[rng.integers(len(found))]]
            at = end
    return "".join([*parts, text[at:]])


def _single_pieces(text, offsets):
    """Yield (number of the piece, its span) of each word of letters that is one piece."""
    for number, (start, end) in enumerate(offsets):
        before, after = text[max(0, start - 1):start], text[end:end + 1]
        if text[start:end].isalpha() and not (before.isalnum() or after.isalnum()):
            yield number, (start, end)


def _whole_words(tokenizer):
    """Return the ids of entries that are words of letters on their own."""
    if tokenizer.model.kind != "wordpiece":
        raise Error(f"Candidates for words come from a WordPiece vocabulary, and this one is {tokenizer.model.kind}; "
                    "give a masked model that has one as augmenter.")
    return np.array([i for i, entry in enumerate(tokenizer.vocabulary) if entry.isalpha() and len(entry) > 1])


def _largest(values):
    """Return the places of the `CANDIDATES` largest values of each row, the largest first."""
    most = min(CANDIDATES, values.shape[1])
    places = np.sort(np.argpartition(-values, most - 1, axis=1)[:, :most], axis=1)
    order = np.argsort(-np.take_along_axis(values, places, axis=1), axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1)
