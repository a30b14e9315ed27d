"""Scores of generated texts, by the libraries that the field compares with (the extra `generation`).

All functions score a whole corpus. `references` holds one text for each prediction, or a list of several.
"""

import importlib
import re
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.script_words import is_english, script_words
from bertkit.requirements import missing

ROUGE = re.compile(r"rouge([1-9]|L|Lsum|S(?P<unigrams>U?)(?P<distance>\d*))")
WITHOUT_SYNONYMS = SimpleNamespace(synsets=lambda word: [])       # stands in for WordNet


def bleu(references: Sequence[str | Sequence[str]], predictions: Sequence[str], tokenize: str = "13a",
         lowercase: bool = False) -> dict[str, Any]:
    """Return the BLEU score of a corpus, by sacrebleu.

    BLEU = min(1, exp(1 - r / c)) exp(Σ_{n≤4} log p_n / 4), where p_n are the clipped n-gram precisions of the corpus, c
    and r the lengths of the predictions and the references in tokens. Source: Papineni et al. 2002; Post 2018 (arXiv
    1804.08771).

    Args:
        references: for each prediction one text or a list of texts.
        predictions: the generated texts.
        tokenize: name of a tokenizer of sacrebleu.
        lowercase: True compares lower-cased texts.

    Returns:
        A dict {"bleu": score from 0 to 100, "signature": settings of sacrebleu}; give the signature with the score.

    Raises:
        Error: when sacrebleu is not installed, or the texts do not match in number.

    Example:
        >>> round(bleu(["the cat sat on the mat"], ["the cat sat on a mat"])["bleu"], 1)
        53.7
    """
    return _sacrebleu("BLEU", references, predictions, tokenize=tokenize, lowercase=lowercase)


def bleu_counts(references: Sequence[str | Sequence[str]], predictions: Sequence[str], tokenize: str = "13a",
                lowercase: bool = False) -> np.ndarray:
    """Return the counts that BLEU needs of each text, so that `bleu_of` can score any set of the texts.

    Args:
        references: for each prediction one text or a list of texts.
        predictions: the generated texts.
        tokenize: name of a tokenizer of sacrebleu.
        lowercase: True compares lower-cased texts.

    Returns:
        int64 array [texts, 10]: matched n-grams of n = 1 to 4, n-grams of the prediction of n = 1 to 4, tokens of the
        prediction, tokens of the nearest reference.

    Raises:
        Error: when sacrebleu is not installed, or the texts do not match in number.

    Example:
        >>> bleu_counts(["the cat sat on the mat"], ["the cat sat on a mat"]).tolist()
        [[5, 3, 2, 1, 6, 5, 4, 3, 6, 6]]
    """
    metric = _library("sacrebleu.metrics").BLEU(tokenize=tokenize, lowercase=lowercase)
    scores = [metric.corpus_score([text], [[one] for one in texts]) for texts, text in _paired(references, predictions)]
    return np.array([(*score.counts, *score.totals, score.sys_len, score.ref_len) for score in scores], "int64")


def bleu_of(counts: np.ndarray) -> float:
    """Return the BLEU score of texts from their counts.

    Args:
        counts: int64 array [texts, 10], rows of `bleu_counts`.

    Returns:
        BLEU, a float from 0 to 100.

    Raises:
        Error: when sacrebleu is not installed.

    Example:
        >>> counts = bleu_counts(["the cat sat on the mat", "it rains"], ["the cat sat on a mat", "it rains"])
        >>> round(bleu_of(counts), 1), round(bleu_of(counts[:1]), 1)
        (55.8, 53.7)
    """
    *_, length, reference = sums = counts.sum(axis=0).tolist()
    compute = _library("sacrebleu.metrics").BLEU.compute_bleu
    return float(compute(sums[:4], sums[4:8], length, reference, smooth_method="exp").score)


def chrf(references: Sequence[str | Sequence[str]], predictions: Sequence[str], word_order: int = 0) -> dict[str, Any]:
    """Return the chrF score of a corpus, by sacrebleu.

    chrF is F_2 of character 1- to 6-grams, without blanks, and of word n-grams up to `word_order`; 2 gives chrF++.
    Source: Popović 2015, 2017.

    Args:
        references: for each prediction one text or a list of texts.
        predictions: the generated texts.
        word_order: largest n of the word n-grams; 0 leaves them out.

    Returns:
        A dict {"chrf": score from 0 to 100, "signature": settings of sacrebleu}.

    Raises:
        Error: when sacrebleu is not installed, or the texts do not match in number.

    Example:
        >>> round(chrf(["the cat sat on the mat"], ["the cat sat on a mat"])["chrf"], 1)
        66.0
    """
    return _sacrebleu("CHRF", references, predictions, word_order=word_order)


def ter(references: Sequence[str | Sequence[str]], predictions: Sequence[str]) -> dict[str, Any]:
    """Return the translation edit rate of a corpus, by sacrebleu; lower is better.

    TER = (insertions + deletions + substitutions + shifts of phrases) / words of the references. Source: Snover et al.
    2006.

    Args:
        references: for each prediction one text or a list of texts.
        predictions: the generated texts.

    Returns:
        A dict {"ter": percentage, which can be above 100, "signature": settings of sacrebleu}.

    Raises:
        Error: when sacrebleu is not installed, or the texts do not match in number.

    Example:
        >>> round(ter(["the cat sat on the mat"], ["the cat sat on a mat"])["ter"], 1)      # one word of six
        16.7
    """
    return _sacrebleu("TER", references, predictions)


def rouge(references: Sequence[str | Sequence[str]], predictions: Sequence[str],
          kinds: Sequence[str] = ("rouge1", "rouge2", "rougeL", "rougeLsum"),
          stem: bool = False) -> dict[str, dict[str, float]]:
    """Return ROUGE scores, means over the texts.

    "rouge1" to "rouge9", "rougeL" and "rougeLsum" (one sentence a line) are those of the library rouge-score. "rougeS"
    and "rougeSU" count skip-bigrams (Lin 2004, section 5); a number behind them is the largest number of words between
    the two, as in "rougeSU4"; SU also counts each word by itself. Of several references the one with the highest F1
    counts. rouge-score knows words of a to z and 0 to 9 alone; where more than one letter in 50 of a prediction and its
    references is another one, words are those of `script_words`, of every script.

    Args:
        references: for each prediction one text or a list of texts.
        predictions: the generated texts.
        kinds: names of the scores.
        stem: True applies Porter's stemmer.

    Returns:
        A dict {kind: {"precision", "recall", "f1"}} of fractions.

    Raises:
        Error: when a kind is unknown, rouge-score is not installed, or the texts do not match in number.

    Example:
        >>> rouge(["the cat sat on the mat"], ["the cat sat on a mat"], kinds=["rouge2"])
        {'rouge2': {'precision': 0.6, 'recall': 0.6, 'f1': 0.6}}
    """
    known = {kind: ROUGE.fullmatch(kind) for kind in kinds}
    unknown = [kind for kind, parts in known.items() if not parts]
    if unknown or not kinds:
        raise Error(f"ROUGE kinds {unknown} are unknown; give rouge1 to rouge9, rougeL, rougeLsum, rougeS, rougeSU, "
                    "the last two also with a distance (rougeSU4).")
    english, every = (_rouge_of(tokenizer, known) for tokenizer in (
        _library("rouge_score.tokenizers").DefaultTokenizer(use_stemmer=stem), _EveryScript(stem)))
    rows = [(english if is_english([*texts, prediction]) else every)(texts, prediction)
            for texts, prediction in _paired(references, predictions)]
    means = np.mean(rows, axis=0).tolist()
    return {kind: dict(zip(("precision", "recall", "f1"), mean, strict=True))
            for kind, mean in zip(kinds, means, strict=True)}


def meteor(references: Sequence[str | Sequence[str]], predictions: Sequence[str],
           synonyms: bool | None = None) -> dict[str, Any]:
    """Return the METEOR score, the mean over the texts, by nltk.

    Words (nltk's wordpunct tokens, lower-cased) match when they are equal, when they have the same Porter stem, and
    when WordNet calls them synonyms. With P and R the matched shares of the prediction and the reference, F = P R /
    (0.9 P + 0.1 R), and the score is F (1 - 0.5 (chunks / matches)^3), of several references the best. Source: Lavie
    and Agarwal 2007.

    Args:
        references: for each prediction one text or a list of texts.
        predictions: the generated texts.
        synonyms: None uses WordNet where nltk's data hold it, True requires it, False leaves it out.

    Returns:
        A dict {"meteor": fraction, "matches": list of the kinds of match that were made}.

    Raises:
        Error: when nltk is not installed, WordNet is required and missing, or the texts do not match in number.

    Example:
        >>> round(meteor(["the cat sat on the mat"], ["the cats sat on the mat"], synonyms=False)["meteor"], 2)
        1.0
    """
    score = _library("nltk.translate.meteor_score").meteor_score
    words = _library("nltk.tokenize").wordpunct_tokenize
    wordnet = _wordnet(synonyms)
    scores = [score([words(text) for text in texts], words(prediction), wordnet=wordnet or WITHOUT_SYNONYMS)
              for texts, prediction in _paired(references, predictions)]
    return {"meteor": float(np.mean(scores)), "matches": ["exact", "stem", *(["synonym"] if wordnet else [])]}


def distinct(texts: Sequence[str], n: int = 2) -> float:
    """Return the number of different n-grams over the number of all n-grams, over all texts together.

    Words are separated by blanks. Source: Li et al. 2016 (arXiv 1510.03055), section 5.2.

    Args:
        texts: list of texts.
        n: number of words of an n-gram.

    Returns:
        The fraction, a float; 0 where there are no n-grams.

    Raises:
        Error: when `texts` is a single text, or `n` is below 1.

    Example:
        >>> distinct(["a b a b", "a b"])
        0.5
    """
    right = isinstance(n, int) and n >= 1 and not isinstance(texts, str) and hasattr(texts, "__iter__")
    if not right or not all(isinstance(text, str) for text in texts):
        raise Error(f"distinct wants a list of texts and n of 1 or more, and {type(texts).__name__}, n={n!r:.40} came.")
    words = [text.split() for text in texts]
    grams = [tuple(row[i:i + n]) for row in words for i in range(len(row) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _library(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise missing(name.split(".")[0].replace("_", "-"), "This score") from error


def _paired(references, predictions):
    """Return for each prediction (list of its references, prediction)."""
    if not all(hasattr(texts, "__len__") and not isinstance(texts, str) for texts in (references, predictions)):
        raise Error("one text came where a list was wanted; give lists of references and predictions.")
    if len(references) != len(predictions) or not len(predictions):
        raise Error(f"{len(references)} references and {len(predictions)} predictions came; "
                    "give the same number, at least 1.")
    lists = [list(texts) if isinstance(texts, list | tuple) else [texts] for texts in references]
    for i, (texts, prediction) in enumerate(zip(lists, predictions, strict=True)):
        if not texts or not all(isinstance(text, str) for text in (*texts, prediction)):
            raise Error(f"Row {i} (from 0) is {prediction!r} with references {texts!r}; give texts, "
                        "and at least one reference.")
    return list(zip(lists, predictions, strict=True))


def _sacrebleu(name, references, predictions, **settings):
    lists, texts = zip(*_paired(references, predictions), strict=True)
    widest = max(map(len, lists))
    streams = [[row[i] if i < len(row) else None for row in lists] for i in range(widest)]
    metric = getattr(_library("sacrebleu.metrics"), name)(**settings)
    score = metric.corpus_score(list(texts), streams).score
    return {name.lower(): float(score), "signature": str(metric.get_signature())}


def _rouge_of(tokenizer, kinds):
    """Return the function (references, prediction) -> the (precision, recall, f1) of each kind."""
    skips = {kind: _skip_bigrams(parts, tokenizer.tokenize) for kind, parts in kinds.items() if "S" in kind}
    scorer = _library("rouge_score.rouge_scorer").RougeScorer(
        [kind for kind in kinds if kind not in skips], tokenizer=tokenizer)

    def score(texts, prediction):
        scores = scorer.score_multi(texts, prediction)
        scores |= {kind: _best_overlap(bag, texts, prediction) for kind, bag in skips.items()}
        return [scores[kind] for kind in kinds]

    return score


class _EveryScript:
    """A tokenizer for rouge-score that finds the words of every script; those of a to z are stemmed as it stems."""

    def __init__(self, stem):
        self.stemmer = _library("nltk.stem.porter").PorterStemmer() if stem else None

    def tokenize(self, text):
        words = script_words(text)
        if self.stemmer is None:
            return words
        return [self.stemmer.stem(word) if len(word) > 3 and word.isascii() else word for word in words]


def _skip_bigrams(parts, tokenize):
    """Return the function from a text to its counts of ordered pairs of words (SU: and of words by themselves)."""
    reach = int(parts["distance"]) + 1 if parts["distance"] else None

    def bag(text):
        words = tokenize(text)
        last = len(words) if reach is None else reach
        pairs = Counter((first, second) for i, first in enumerate(words) for second in words[i + 1:i + 1 + last])
        return pairs + Counter((word,) for word in words) if parts["unigrams"] else pairs

    return bag


def _best_overlap(bag, texts, prediction):
    """Return (precision, recall, f1) of a text's bag against that of its best reference."""
    predicted = bag(prediction)
    return max((_overlap(bag(text), predicted) for text in texts), key=lambda score: score[2])


def _overlap(reference, prediction):
    common, predicted, labelled = (bag.total() for bag in (reference & prediction, prediction, reference))
    if not common:
        return 0.0, 0.0, 0.0
    return common / predicted, common / labelled, 2 * common / (predicted + labelled)


def _wordnet(synonyms):
    """Return nltk's WordNet, or None."""
    if synonyms is False:
        return None
    wordnet = _library("nltk.corpus").wordnet
    try:
        wordnet.ensure_loaded()
    except LookupError as error:
        if synonyms:
            raise Error("nltk's data lack WordNet; run: python -m nltk.downloader wordnet, "
                        "or leave synonyms out.") from error
        return None
    return wordnet
