"""Scores of generated texts, by the libraries that the field compares with (the extra `generation`).

`references` holds for each prediction one text or a list of several; all functions are of whole corpora.
"""

import importlib
import re
from collections import Counter
from types import SimpleNamespace

import numpy as np

from bertkit.errors import Error
from bertkit.requirements import missing

ROUGE = re.compile(r"rouge([1-9]|L|Lsum|S(?P<unigrams>U?)(?P<distance>\d*))")
WITHOUT_SYNONYMS = SimpleNamespace(synsets=lambda word: [])       # stands in for WordNet


def bleu(references, predictions, tokenize="13a", lowercase=False):
    """Return {"bleu": 0 to 100, "signature"} of a corpus, by sacrebleu: state the signature with the score.

    BLEU = min(1, exp(1 - r / c)) exp(Σ_{n≤4} log p_n / 4), p_n the clipped n-gram precisions of the corpus.
    Papineni et al. 2002; Post 2018 (arXiv 1804.08771).
    """
    return _sacrebleu("BLEU", references, predictions, tokenize=tokenize, lowercase=lowercase)


def bleu_counts(references, predictions, tokenize="13a", lowercase=False):
    """Return what BLEU counts of each text, int64 [texts,10], for `bleu_of` of any of the texts together.

    Matched n-grams of n = 1 to 4, n-grams there are, tokens of the prediction, tokens of the nearest reference.
    """
    metric = _library("sacrebleu.metrics").BLEU(tokenize=tokenize, lowercase=lowercase)
    scores = [metric.corpus_score([text], [[one] for one in texts]) for texts, text in _paired(references, predictions)]
    return np.array([(*score.counts, *score.totals, score.sys_len, score.ref_len) for score in scores], "int64")


def bleu_of(counts):
    """Return BLEU, 0 to 100, of the texts whose `bleu_counts` these are."""
    *_, length, reference = sums = counts.sum(axis=0).tolist()
    compute = _library("sacrebleu.metrics").BLEU.compute_bleu
    return float(compute(sums[:4], sums[4:8], length, reference, smooth_method="exp").score)


def chrf(references, predictions, word_order=0):
    """Return {"chrf": 0 to 100, "signature"} of a corpus, by sacrebleu; `word_order=2` gives chrF++.

    F_2 of character 1- to 6-grams, blanks left out, and of word n-grams up to `word_order`.  Popović 2015, 2017.
    """
    return _sacrebleu("CHRF", references, predictions, word_order=word_order)


def ter(references, predictions):
    """Return {"ter": percentage, "signature"} of a corpus, by sacrebleu: lower is better, and above 100 is possible.

    TER = (insertions + deletions + substitutions + shifts of phrases) / words of the references.  Snover et al. 2006.
    """
    return _sacrebleu("TER", references, predictions)


def rouge(references, predictions, kinds=("rouge1", "rouge2", "rougeL", "rougeLsum"), stem=False):
    """Return {kind: {"precision", "recall", "f1"}}, fractions, means over the texts.

    Kinds are "rouge1" to "rouge9", "rougeL" and "rougeLsum" (sentences on lines), by the library rouge-score; and
    "rougeS", "rougeSU" of skip-bigrams (Lin 2004, section 5), followed by the most words between the two, as in
    "rougeSU4".  SU also counts each word by itself.  `stem` applies Porter's stemmer.  Of several references the
    one of the highest f1 counts.
    """
    strange = [kind for kind in kinds if not ROUGE.fullmatch(kind)]
    if strange or not kinds:
        raise Error(f"ROUGE kinds {strange} are unknown; give rouge1 to rouge9, rougeL, rougeLsum, rougeS, rougeSU, "
                    "the last two also with a distance (rougeSU4).")
    tokenizer = _library("rouge_score.tokenizers").DefaultTokenizer(use_stemmer=stem)
    skips = {kind: _skip_bigrams(kind, tokenizer.tokenize) for kind in kinds if "S" in kind}
    scorer = _library("rouge_score.rouge_scorer").RougeScorer(
        [kind for kind in kinds if kind not in skips], tokenizer=tokenizer)
    rows = []
    for texts, prediction in _paired(references, predictions):
        scores = scorer.score_multi(texts, prediction)
        scores |= {kind: _best_overlap(bag, texts, prediction) for kind, bag in skips.items()}
        rows.append([scores[kind] for kind in kinds])
    means = np.mean(rows, axis=0).tolist()
    return {kind: dict(zip(("precision", "recall", "f1"), mean, strict=True))
            for kind, mean in zip(kinds, means, strict=True)}


def meteor(references, predictions, synonyms=None):
    """Return {"meteor": fraction, the mean over the texts; "matches": which kinds of match were made}, by nltk.

    Words (nltk's wordpunct tokens, lower-cased) are matched when equal, when of one Porter stem, and when WordNet
    calls them synonyms.  With P and R the matched shares, F = P R / (0.9 P + 0.1 R), and the score is
    F (1 - 0.5 (chunks / matches)^3), the best of the references.  Lavie and Agarwal 2007.
    `synonyms` None uses WordNet where nltk's data hold it; True raises Error where they don't; False leaves it out.
    """
    score = _library("nltk.translate.meteor_score").meteor_score
    words = _library("nltk.tokenize").wordpunct_tokenize
    wordnet = _wordnet(synonyms)
    scores = [score([words(text) for text in texts], words(prediction), wordnet=wordnet or WITHOUT_SYNONYMS)
              for texts, prediction in _paired(references, predictions)]
    return {"meteor": float(np.mean(scores)), "matches": ["exact", "stem", *(["synonym"] if wordnet else [])]}


def distinct(texts, n=2):
    """Return the different n-grams / all n-grams of words parted by blanks, over all texts together; 0 of none.

    Li et al. 2016 (arXiv 1510.03055), section 5.2.

    >>> distinct(["a b a b", "a b"])
    0.5
    """
    if isinstance(texts, str) or n < 1:
        raise Error(f"distinct wants a list of texts and n of 1 or more, and {type(texts).__name__}, n={n} came.")
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
    if isinstance(references, str) or isinstance(predictions, str):
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


def _sacrebleu(name, references, predictions, **knobs):
    lists, texts = zip(*_paired(references, predictions), strict=True)
    most = max(map(len, lists))
    streams = [[row[i] if i < len(row) else None for row in lists] for i in range(most)]
    metric = getattr(_library("sacrebleu.metrics"), name)(**knobs)
    score = metric.corpus_score(list(texts), streams).score
    return {name.lower(): float(score), "signature": str(metric.get_signature())}


def _skip_bigrams(kind, tokenize):
    """Return the function from a text to its counts of ordered pairs of words (SU: and of words by themselves)."""
    parts = ROUGE.fullmatch(kind)
    reach = int(parts["distance"]) + 1 if parts["distance"] else None

    def bag(text):
        words = tokenize(text)
        last = len(words) if reach is None else reach
        pairs = Counter((first, second) for i, first in enumerate(words) for second in words[i + 1:i + 1 + last])
        return pairs + Counter((word,) for word in words) if parts["unigrams"] else pairs

    return bag


def _best_overlap(bag, texts, prediction):
    """Return (precision, recall, f1) of a text's bag against that of its best reference."""
    found = bag(prediction)
    return max((_overlap(bag(text), found) for text in texts), key=lambda score: score[2])


def _overlap(gold, found):
    common, predicted, labelled = (bag.total() for bag in (gold & found, found, gold))
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
