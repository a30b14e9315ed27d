"""How likely a language model finds each token of a text: a causal one, a decoder, a masked one."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.data.features import Padding, pack
from bertkit.data.pipeline import batches_by_length
from bertkit.errors import Error
from bertkit.text.template import FIRST

CHUNK = 1 << 14     # masked copies in memory at a time


class TokenLogProbabilities(NamedTuple):
    """The tokens of a text with their log-probabilities; special tokens are left out.

    Args:
        ids: Token ids, a list of T integers.
        logs: Natural logarithms of the tokens' probabilities, float32 [T].
    """

    ids: list
    logs: np.ndarray


def pseudo_log_likelihoods(model: Any, tokenizer: Any, texts: Sequence[str], length: int, within_words: bool = False,
                           batch_size: int = 32) -> list[TokenLogProbabilities]:
    """Return log P(w_t | the text with w_t masked) of each token of each text, from one masked copy for each token.

    PLL(W) is the sum of a text's logs (Salazar et al. 2020, arXiv 1910.14659, section 2.1). Copies are put in batches
    by length, so that little is computed for padding, and logits are computed at the masked places alone.

    Args:
        model: A masked `LanguageModel`.
        tokenizer: The `Tokenizer` of its encoder.
        texts: The texts.
        length: Tokens that a text may have, special tokens included.
        within_words: Whether to mask the later pieces of the same word too (Kauf and Ivanova 2023, arXiv 2305.10588,
            PLL-word-l2r).
        batch_size: Copies that are computed together.

    Returns:
        One `TokenLogProbabilities` for each text.

    Raises:
        Error: When a text has more than `length` tokens.
    """
    encoded = tokenizer.encode(texts)
    _check_lengths(tokenizer, [one.ids for one in encoded], length)
    copies, values_of_text = _copies(tokenizer, encoded, length, within_words), [[] for _ in texts]
    while chunk := list(islice(copies, CHUNK)):
        logs = _masked_logs(model, tokenizer, chunk, batch_size)
        for (text, *_), value in zip(chunk, logs, strict=True):
            values_of_text[text].append(value)
    return [TokenLogProbabilities(one.ids, np.array(values, "float32"))
            for one, values in zip(encoded, values_of_text, strict=True)]


def _copies(tokenizer, encoded, length, within_words):
    """Yield (text, row with masks, place of the token in it, the token) of each token of each text."""
    mask, ahead = tokenizer.mask_id, _ahead(tokenizer)
    for text, one in enumerate(encoded):
        ids, segments = tokenizer.pack_ids(one.ids, None, length)
        ends = _word_ends(one) if within_words else range(1, len(one.ids) + 1)
        for place, (token, end) in enumerate(zip(one.ids, ends, strict=True)):
            row = list(ids)
            row[ahead + place:ahead + end] = [mask] * (end - place)
            yield text, (row, segments), ahead + place, token


def _ahead(tokenizer):
    """Return how many special tokens stand before a text."""
    return [part for part, _ in tokenizer.layout(False)].index(FIRST)


def _word_ends(encoding):
    """Return where the word of each piece ends, counted in pieces: a word goes on where no character lies between."""
    ends, end = [0] * len(encoding.ids), len(encoding.ids)
    for place in reversed(range(len(encoding.ids))):
        ends[place] = end
        if place and not _goes_on(encoding, place):
            end = place
    return ends


def _goes_on(encoding, place):
    """Return whether a piece is the rest of a word: it begins where the one before ends, and both are of letters."""
    (_, before), (start, _) = encoding.offsets[place - 1], encoding.offsets[place]
    return before == start and _inside(encoding.tokens[place]) and _inside(encoding.tokens[place - 1])


def _inside(token):
    return any(letter.isalnum() for letter in token)


def _masked_logs(model, tokenizer, copies, batch_size):
    """Return log P of the token at the place of each copy, in the copies' order."""
    _, rows, places, tokens = zip(*copies, strict=True)
    return log_probabilities(model, tokenizer, rows, places, tokens, batch_size)


def log_probabilities(model: Any, tokenizer: Any, rows: Sequence[Any], places: Sequence[int], tokens: Sequence[int],
                      batch_size: int = 32) -> np.ndarray:
    """Return log P(token | row) at one place of each row, by a masked language model.

    Args:
        model: A masked `LanguageModel`, or a `PretrainingModel` with its head.
        tokenizer: The `Tokenizer` of its encoder.
        rows: (token ids, segment ids) of each row, special tokens and masks included.
        places: The place in each row.
        tokens: The token at each place.
        batch_size: Rows that are computed together.

    Returns:
        Natural logarithms, float32 [rows].
    """
    logs, wanted = np.zeros(len(rows), "float32"), np.array(tokens, "int32")
    for numbers, logits in masked_logits(model, tokenizer, rows, places, batch_size):
        logs[numbers] = _logs(logits[:, None], wanted[numbers][:, None])[:, 0]
    return logs


def masked_logits(model: Any, tokenizer: Any, rows: Sequence[Any], places: Sequence[int],
                  batch_size: int = 32) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield the logits over the vocabulary at one place of each row; rows of like length are computed together.

    Args:
        model: A masked `LanguageModel`, or a `PretrainingModel` with its head.
        tokenizer: The `Tokenizer` of its encoder.
        rows: (token ids, segment ids) of each row, special tokens and masks included.
        places: The place in each row.
        batch_size: Rows that are computed together.

    Yields:
        (numbers of the rows, their logits float [B,V]), until each row was there once.
    """
    features, wanted = pack(rows, Padding.of(tokenizer)), np.array(places, "int32")
    for numbers, batch in batches_by_length(features, batch_size):
        width = batch["token_ids"].shape[1]
        ahead = (width - features.lengths[numbers]) if features.padding.left else 0
        batch["masked_positions"] = (wanted[numbers] + ahead).astype("int32")[:, None]
        found = model.predict_on_batch(batch)
        yield numbers, np.asarray(found["mlm_logits"] if isinstance(found, dict) else found)[:, 0]


def log_likelihoods(model: Any, written: Any, batch_size: int = 32) -> list[np.ndarray]:
    """Return the log-probabilities of the tokens of target texts, each given the tokens before it.

    The end token counts where it was trained (see `Writing.decoder_rows`).

    Args:
        model: An `EncoderDecoder`.
        written: The rows, a `Seq2SeqFeatures`.
        batch_size: Rows that are computed together.

    Returns:
        One array for each row, float32 [tokens of its target].
    """
    results: list[Any] = [None] * len(written)
    for rows, batch in batches_by_length(written, batch_size):
        labels = written.targets(rows)
        logs = _logs(np.asarray(model.predict_on_batch(batch)), np.maximum(labels, 0))
        for row, values, label in zip(rows, logs, labels, strict=True):
            results[row] = values[label >= 0]
    return results


def perplexities(model: Any, parts: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the perplexity of target texts, exp(mean −log P of a token), with its 95 % bootstrap interval.

    Tokens are the tokenizer's, so perplexities of models with other vocabularies are not comparable.

    Args:
        model: An `EncoderDecoder`.
        parts: {name of a split: its `Seq2SeqFeatures`}.

    Returns:
        {name of a split: {"score", "low", "high"}}.
    """
    scores = {}
    for name, written in parts.items():
        logs = log_likelihoods(model, written)
        sides = [float(row.sum()) for row in logs], [len(row) for row in logs]
        low, high = metrics.bootstrap(metrics.pseudo_perplexity, *sides)
        scores[name] = {"score": metrics.pseudo_perplexity(*sides), "low": low, "high": high}
    return scores


def causal_log_likelihoods(model: Any, tokenizer: Any, texts: Sequence[str], length: int,
                           batch_size: int = 32) -> list[TokenLogProbabilities]:
    """Return log P(w_t | w_1 ... w_{t−1}) of each token of each text, by a causal model.

    The first token of a text is given the special tokens that stand before it; where there are none, it is left out.

    Args:
        model: A causal `LanguageModel`.
        tokenizer: The `Tokenizer` of its encoder.
        texts: The texts.
        length: Tokens that a text may have, special tokens included.
        batch_size: Texts that are computed together.

    Returns:
        One `TokenLogProbabilities` for each text.

    Raises:
        Error: When the model sees later tokens, or a text has more than `length` tokens.
    """
    if not getattr(model.encoder.config.attention, "causal", False):
        raise Error("This model's attention is not causal: it sees the tokens that it should predict; use "
                    "pseudo_log_likelihoods.")
    encoded, ahead = tokenizer.ids(texts), _ahead(tokenizer)
    _check_lengths(tokenizer, encoded, length)
    features, results = pack([tokenizer.pack_ids(ids, None, length) for ids in encoded], Padding.of(tokenizer)), {}
    for rows, batch in batches_by_length(features, batch_size):
        logits = np.asarray(model.predict_on_batch(batch))
        logs = _logs(logits[:, :-1], batch["token_ids"][:, 1:])
        for row, values, mask in zip(rows, logs, batch["padding_mask"], strict=True):
            start = int(np.argmax(mask)) + ahead
            ids = encoded[row] if ahead else encoded[row][1:]
            first = start - 1 if ahead else start
            results[row] = TokenLogProbabilities(ids, values[first:first + len(ids)])
    return [results[row] for row in range(len(texts))]


def _check_lengths(tokenizer, rows, length):
    places = tokenizer.template.max_text_tokens(length, False)
    for number, ids in enumerate(rows, start=1):
        if len(ids) > places:
            raise Error(f"Text {number} has {len(ids)} tokens, and {length} hold {places} beside the special ones; "
                        "give a larger length, or shorter texts.")


def _logs(logits, ids):
    """Return log softmax(logits [...,V])[ids [...]], float32."""
    logits = logits.astype("float32")
    logits = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(logits, ids[..., None], axis=-1)[..., 0]
    return chosen - np.log(np.exp(logits).sum(axis=-1))
