"""A masked language model that answers questions about words: which fit a place, how likely a text is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import checkpoints
from bertkit.data.features import check_fit
from bertkit.errors import Error
from bertkit.heads import LanguageModel, PretrainingModel
from bertkit.terminal import with_progress
from bertkit.text import Tokenizer
from bertkit.text.decoding import decode
from bertkit.text.template import FIRST
from bertkit.text.word_starts import word_starts
from bertkit.training.likelihood import log_probabilities, masked_logits

CHUNK = 1000        # masked copies in memory at a time
MASK = "{mask}"     # stands in a text for the word that is asked for


class MaskedModel:
    """A masked language model with its tokenizer.

    Args:
        address: A checkpoint that holds such a model: whatever `bertkit.load` takes.

    Raises:
        Error: When the checkpoint holds no head that fills masks, or its tokenizer has no mask.
    """

    def __init__(self, address: str | Path) -> None:
        self.model = checkpoints.load(address)
        fills = isinstance(self.model, LanguageModel) or (
            isinstance(self.model, PretrainingModel) and "mlm" in self.model.kinds)
        if not fills or getattr(self.model.encoder.config.attention, "causal", False):
            raise Error(f"{address} holds no masked language model ({type(self.model).__name__} came); give a "
                        "checkpoint with its pre-training head, such as bert-base-uncased as it was published.")
        self.tokenizer = Tokenizer.load(address)
        self.length = self.model.encoder.config.max_length or 512
        check_fit(self.tokenizer, self.model.encoder.config, self.length)

    def row(self, ids: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return a row of the model: ids with special tokens around them.

        Args:
            ids: Token ids of a text.

        Returns:
            (token ids, segment ids).

        Raises:
            Error: When there are more tokens than the model reads.
        """
        ids, segments = self.tokenizer.pack_ids(list(ids), None, len(ids) + len(self.tokenizer.layout(False)))
        if len(ids) > self.length:
            raise Error(f"A text has {len(ids)} tokens, and the model reads {self.length}; shorten it.")
        return ids, segments

    def is_text(self, ids: Sequence[int], place: int) -> bool:
        """Tell whether the token at a place is one of the text, not a special one around it.

        Args:
            ids: Token ids of a row.
            place: The place.

        Returns:
            Whether it is.
        """
        parts = [part for part, _ in self.tokenizer.layout(False)]
        before = parts.index(FIRST)
        return before <= place < len(ids) - (len(parts) - 1 - before)

    def token_logs(self, rows: Sequence[tuple[list[int], list[int]]],
                   places: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """Compute log P of the token at each of some places of each row, each masked in turn.

        Args:
            rows: (token ids, segment ids) of each row.
            places: The places in each row.

        Returns:
            Natural logarithms of each row, float32 [its places].
        """
        asked = [(row, place) for row, some in enumerate(places) for place in some]
        logs = [np.zeros(0, "float32")]
        parts = (asked[start:start + CHUNK] for start in range(0, len(asked), CHUNK))
        for part in with_progress(parts, len(asked), "masks filled"):
            copies = [self._masked(rows[row], place) for row, place in part]
            tokens = [rows[row][0][place] for row, place in part]
            logs.append(log_probabilities(self.model, self.tokenizer, copies, [place for _, place in part], tokens))
        return np.split(np.concatenate(logs), np.cumsum([len(some) for some in places])[:-1])

    def _masked(self, row, place):
        ids, segments = row
        return [*ids[:place], self.tokenizer.mask_id, *ids[place + 1:]], segments

    def words(self, texts: Sequence[str], count: int) -> list[list[str]]:
        """Return the words that fit best where each text has `MASK`, the most probable first.

        Args:
            texts: Texts with one `MASK` each.
            count: How many words of each.

        Returns:
            A list of words for each text; words are entries of the vocabulary that are whole words of letters.

        Raises:
            Error: When a text has not exactly one `MASK`.
        """
        whole = self._whole_words()
        rows, places = zip(*map(self._asked, texts), strict=True)
        found: list[Any] = [None] * len(texts)
        for numbers, logits in masked_logits(self.model, self.tokenizer, rows, places):
            for number, row in zip(numbers, logits, strict=True):
                best = whole[np.argsort(-row[whole], kind="stable")[:count]]
                found[number] = [decode(self.tokenizer, [token]).strip() for token in best]
        return found

    def _asked(self, text):
        """Return the row of a text and the place of its mask."""
        parts = text.split(MASK)
        if len(parts) != 2:
            raise Error(f"{text!r:.60} has {len(parts) - 1} times {MASK}; give one.")
        before, after = self.tokenizer.ids(parts)
        row = self.row([*before, self.tokenizer.mask_id, *after])
        return row, row[0].index(self.tokenizer.mask_id)

    def _whole_words(self):
        """Return the ids of entries that are words of letters; a piece such as ##s is none, nor is what follows it."""
        starts = word_starts(self.tokenizer)
        special = {*self.tokenizer.special.values(), *(token.content for token in self.tokenizer.added)}
        return np.array([number for number, entry in enumerate(self.tokenizer.vocabulary)
                         if starts[number] and entry not in special
                         and decode(self.tokenizer, [number]).strip().isalpha()])
