"""Scores of predictions against labels, in pure numpy; as fractions where nothing else is said."""

from bertkit.metrics.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from bertkit.metrics.calibration import calibration_error, reliability
from bertkit.metrics.classification import accuracy, by_class, confusion, f1, matthews
from bertkit.metrics.correlation import kendall, mse, pearson, ranks, spearman
from bertkit.metrics.entity import entities, entity_counts, entity_scores, f1_of, precision_of, recall_of, spelt
from bertkit.metrics.fairness import equalized_odds_gap, reweighing
from bertkit.metrics.generation import bleu, bleu_counts, bleu_of, chrf, distinct, meteor, rouge, ter
from bertkit.metrics.glue import GLUE, glue_score
from bertkit.metrics.intervals import bootstrap, paired_drop
from bertkit.metrics.perplexity import bits_per_character, perplexity, pseudo_perplexity
from bertkit.metrics.proportions import mcnemar, wilson
from bertkit.metrics.ranking import ranking, ranking_queries
from bertkit.metrics.selective import risk_coverage, risk_threshold, set_threshold
from bertkit.metrics.squad import normalize_answer, squad, squad_questions
from bertkit.metrics.temperature import best_temperature
from bertkit.metrics.threshold import best_threshold

__all__ = [
    "GLUE",
    "accuracy",
    "best_temperature",
    "best_threshold",
    "bits_per_character",
    "bleu",
    "bleu_counts",
    "bleu_of",
    "bootstrap",
    "by_class",
    "calibration_error",
    "chrf",
    "cohen_kappa",
    "confusion",
    "distinct",
    "entities",
    "entity_counts",
    "entity_scores",
    "equalized_odds_gap",
    "f1",
    "f1_of",
    "fleiss_kappa",
    "glue_score",
    "kendall",
    "krippendorff_alpha",
    "matthews",
    "mcnemar",
    "meteor",
    "mse",
    "normalize_answer",
    "paired_drop",
    "pearson",
    "perplexity",
    "precision_of",
    "pseudo_perplexity",
    "ranking",
    "ranking_queries",
    "ranks",
    "recall_of",
    "reliability",
    "reweighing",
    "risk_coverage",
    "risk_threshold",
    "rouge",
    "set_threshold",
    "spearman",
    "spelt",
    "squad",
    "squad_questions",
    "ter",
    "wilson",
]
