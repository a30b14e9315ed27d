"""Make tests/golden/metrics.json: drawn inputs, and what the libraries and scripts of the field compute from them.

    python tests/golden/make_metrics.py EVALUATE-V1.1.PY EVALUATE-V2.0.PY OUT.json

The first two are the official scripts of SQuAD.  Needs seqeval, pytrec_eval-terrier, sacrebleu, rouge-score, nltk,
krippendorff, statsmodels and scikit-learn.  Not a test, and imports no bertkit.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np

CHANCE = np.random.default_rng(11)
WORDS = ("the cat cats sat on a mat mats running runs quickly , red blue the the house houses . "
         "never quick fox jumped jumps over lazy dogs dog").split()


def tagged(prefixes):
    """Return the same sentences twice, tagged at random: valid tags in any order."""
    types = ("PER", "LOC", "creative-work")
    tags = ["O"] * len(prefixes) + [f"{prefix}-{kind}" for prefix in prefixes for kind in types]
    lengths = CHANCE.integers(1, 12, 30)
    return [[CHANCE.choice(tags, int(length)).tolist() for length in lengths] for _ in range(2)]


def entity_cases():
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2, IOBES
    cases = []
    for prefixes, modes in (("BI", {"default": {}, "strict": {"mode": "strict", "scheme": IOB2}}),
                            ("BIES", {"default": {}, "strict": {"mode": "strict", "scheme": IOBES}}),
                            ("I", {"default": {}}), ("IE", {"default": {}})):
        gold, found = tagged(prefixes)
        for row in CHANCE.integers(0, len(gold), 15):
            found[row] = gold[row]
        for mode, knobs in modes.items():
            report = classification_report(gold, found, output_dict=True, zero_division=0, **knobs)
            names = {"precision": "precision", "recall": "recall", "f1": "f1-score", "support": "support"}
            rows = {kind: {ours: float(row[theirs]) for ours, theirs in names.items()} for kind, row in report.items()}
            cases.append({"mode": mode, "labels": gold, "predictions": found, "micro": rows.pop("micro avg"),
                          "by_type": {kind: row for kind, row in rows.items() if not kind.endswith(" avg")}})
    return cases


def ranking_cases():
    """Return runs with many ties and negative grades; each query has a relevant document."""
    import pytrec_eval
    cases = []
    for documents, returned, scores in ((40, 25, 6), (12, 4, 3), (30, 30, 1)):
        qrels, run = {}, {}
        for query in range(8):
            names = [f"d{i:02d}" for i in CHANCE.permutation(documents)]
            grades = CHANCE.choice([-1, 0, 0, 1, 2, 3], documents // 2).tolist()
            qrels[f"q{query}"] = dict(zip(names, [1, *grades[1:]], strict=False))
            order = CHANCE.permutation(names)[:returned].tolist()
            run[f"q{query}"] = dict(zip(order, CHANCE.integers(0, scores, returned).tolist(), strict=True))
        run = {query: {name: float(score) / 7 for name, score in row.items()} for query, row in run.items()}
        wanted = {"map", "recip_rank", "ndcg_cut.1,5,10", "P.1,5,10", "recall.1,5,10"}
        rows = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
        names = {"map": "map", "mrr": "recip_rank"}
        for k in (1, 5, 10):
            names |= {f"ndcg@{k}": f"ndcg_cut_{k}", f"p@{k}": f"P_{k}", f"recall@{k}": f"recall_{k}"}
        cases.append({"qrels": qrels, "run": run, "queries": {
            query: {ours: row[theirs] for ours, theirs in names.items()} for query, row in rows.items()}})
    return cases


def questions(unanswerable):
    """Return a data set of SQuAD's form, a prediction for each question, and null scores with ties."""
    golds = ["the red house", "a", "Fox.", "\u201cdog\u201d", "1,000 cats", "An apple; the mat", "", "dogs' mat-rug"]
    qas, answers, nulls = [], {}, {}
    for i in range(80):
        texts = CHANCE.choice(golds, int(CHANCE.integers(1, 4))).tolist()
        if unanswerable and CHANCE.random() < 0.4:
            texts = []
        qas.append({"id": f"q{i}", "question": "?", "answers": [{"text": text, "answer_start": 0} for text in texts]})
        draw, right = int(CHANCE.integers(0, 6)), (texts or ["dog"])[0].upper()
        answers[f"q{i}"] = ["", "the", right, right, "red  house , dog", "apple mat mat"][draw]
        nulls[f"q{i}"] = int(CHANCE.integers(0, 24) + (0 if texts else 12)) / 40 if draw else 0.9
    paragraphs = [{"context": "", "qas": qas[:30]}, {"context": "", "qas": qas[30:]}]
    return {"version": "x", "data": [{"title": "", "paragraphs": paragraphs}]}, answers, nulls


def squad_cases(scripts):
    cases = []
    for script, version in zip(scripts, ("1.1", "2.0"), strict=True):
        dataset, answers, nulls = questions(version == "2.0")
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("dataset.json", "answers.json", "nulls.json")]
            for path, value in zip(paths, (dataset, answers, nulls), strict=True):
                path.write_text(json.dumps(value))
            knobs = [[]] if version == "1.1" else [[], ["-n", paths[2], "-t", "1.0"], ["-n", paths[2], "-t", "0.5"]]
            for extra in knobs:
                scores = json.loads(subprocess.run([sys.executable, script, *paths[:2], *extra], check=True,
                                                   capture_output=True).stdout)
                scores = {{"exact_match": "exact"}.get(name, name): value for name, value in scores.items()
                          if not name.startswith("pr_")}
                cases.append({"version": version, "references": dataset, "predictions": answers, "scores": scores,
                              "null_scores": nulls if extra else None,
                              "threshold": float(extra[3]) if extra else 1.0})
    return cases


def texts(rows):
    return [" ".join(CHANCE.choice(WORDS, int(length)).tolist()) for length in CHANCE.integers(1, 18, rows)]


def edited(text):
    words = [word for word in text.split() if CHANCE.random() > 0.15]
    place = int(CHANCE.integers(0, len(words) + 1))
    return " ".join(words[place:] + ["Quickly"] + words[:place])


def generation_case():
    from nltk.tokenize import wordpunct_tokenize
    from nltk.translate.meteor_score import meteor_score
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU, CHRF, TER
    first, second = texts(25), texts(25)
    predictions = [edited(text) for text in first]
    lists = [[a] if i % 3 else [a, b] for i, (a, b) in enumerate(zip(first, second, strict=True))]
    streams = [first, [None if i % 3 else text for i, text in enumerate(second)]]
    sacre = {name: {"score": metric.corpus_score(predictions, streams).score, "signature": str(metric.get_signature())}
             for name, metric in (("bleu", BLEU()), ("chrf", CHRF()), ("chrf++", CHRF(word_order=2)), ("ter", TER()))}
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    lines = [text.replace(" , ", "\n").replace(" . ", "\n") for text in predictions]
    rouge = {}
    for name, stem in (("plain", False), ("stem", True)):
        scorer = RougeScorer(kinds, use_stemmer=stem)
        rows = [scorer.score_multi(row, text) for row, text in zip(lists, lines, strict=True)]
        rouge[name] = {kind: np.mean([row[kind] for row in rows], axis=0).tolist() for kind in kinds}
    without = SimpleNamespace(synsets=lambda word: [])
    meteor = np.mean([meteor_score([wordpunct_tokenize(text) for text in row], wordpunct_tokenize(prediction),
                                   wordnet=without) for row, prediction in zip(lists, predictions, strict=True)])
    return {"references": lists, "predictions": predictions, "lines": lines, "sacrebleu": sacre, "rouge": rouge,
            "meteor": float(meteor)}


def agreement_case():
    import krippendorff
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa
    truth = CHANCE.integers(1, 6, 60)
    ratings = np.clip(truth[:, None] + CHANCE.integers(-1, 2, (60, 4)), 1, 5)
    gaps = np.where(CHANCE.random(ratings.shape) < 0.3, np.nan, ratings)
    return {"ratings": ratings.tolist(), "gaps": [[None if value != value else int(value) for value in row]
                                                  for row in gaps],
            "cohen": {str(weights): cohen_kappa_score(ratings[:, 0], ratings[:, 1], weights=weights)
                      for weights in (None, "linear", "quadratic")},
            "fleiss": fleiss_kappa(aggregate_raters(ratings)[0]),
            "krippendorff": {level: krippendorff.alpha(gaps.T, level_of_measurement=level)
                             for level in ("nominal", "ordinal", "interval")}}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    *official, out = sys.argv[1:]
    recorded = {"entities": entity_cases(), "ranking": ranking_cases(), "generation": generation_case(),
                "agreement": agreement_case(), "squad": squad_cases(official)}
    with open(out, "w", encoding="ascii") as file:
        json.dump(recorded, file, separators=(",", ":"))
        file.write("\n")
