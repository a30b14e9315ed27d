"""The entries of bertkit's own tasks: one for each, everything that bertkit does with it."""

from collections import Counter
from typing import Any

import numpy as np

from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.documents import TOGETHER, Documents
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.registry import TaskEntry, register
from bertkit.tasks.regression import Regression
from bertkit.tasks.summarising import LexRank, Summarising
from bertkit.tasks.tagging import Tagging
from bertkit.tasks.writing import Writing

BINS = 5    # of scores that are held out alike


def _is_score(model: dict[str, Any]) -> bool:
    return len(model["labels"]) == 1 and not _is_multi_label(model)


def _is_multi_label(model: dict[str, Any]) -> bool:
    return model.get("multi_label", False)


def _classes(model, _):
    if _is_score(model):
        return None
    return {"labels": model["labels"], "multi_label": _is_multi_label(model), "pairs": None}


def _vectors(model, config):
    """Return the settings of the task of an embedder: as many numbers as its last projection or its poolings give."""
    pooled = config.output_dim * len(model["pooling"].split("+"))
    return {"width": model["projections"][-1]["width"] if model.get("projections") else pooled}


def _class_strata(targets):
    """Return the class of each row; where it has several, the one that the fewest rows have."""
    if np.ndim(targets) == 2:
        return _rarest([np.flatnonzero(target).tolist() for target in targets])
    return np.asarray(targets).tolist()


def _score_strata(targets):
    """Return the fifth of all scores that each is in."""
    return np.searchsorted(np.quantile(targets, np.arange(1, BINS) / BINS), targets, side="right").tolist()


def _tag_strata(targets):
    """Return the type among the entities of each sentence that the fewest sentences have."""
    return _rarest([{tag[2:] for tag in tags if tag != "O"} for tags in targets])


def _rarest(rows):
    """Return of each row, some values, the one that the fewest rows have; None of an empty row."""
    counts = Counter(value for row in rows for value in row)
    return [min(row, key=lambda value: (counts[value], value), default=None) for row in rows]


register(TaskEntry(
    Classification, reader="bertkit.data.labelled:CLASSES", summary="bertkit.data.summary:CLASSES",
    models=("Classifier",), of_model=_classes,
    fit="bertkit.training.losses:fit_of_classifier", strata=_class_strata,
    sections="bertkit.report.classification:sections", probe="bertkit.report.partial_input:HALVES",
    commonest="bertkit.report.partial_input:commonest_class", served="bertkit.export.served:Classes",
    output="bertkit.export.graph:probabilities"))
register(TaskEntry(
    Documents, reader="bertkit.data.labelled:DOCUMENTS", summary="bertkit.data.summary:CLASSES",
    models=("DocumentClassifier",),
    of_model=lambda model, _: {"labels": model["labels"], "multi_label": _is_multi_label(model), "pooling": TOGETHER},
    strata=_class_strata, sections="bertkit.report.classification:sections",
    probe="bertkit.report.partial_input:HALVES", commonest="bertkit.report.partial_input:commonest_class"))
register(TaskEntry(
    Regression, reader="bertkit.data.labelled:SCORES", summary="bertkit.data.summary:NUMBERS",
    models=("Classifier",),
    of_model=lambda model, _: {"pairs": None} if _is_score(model) else None,
    fit="bertkit.training.losses:fit_of_classifier", strata=_score_strata,
    sections="bertkit.report.regression:sections", probe="bertkit.report.partial_input:NUMBERS",
    commonest="bertkit.report.partial_input:mean_score", served="bertkit.export.served:Numbers",
    output="bertkit.export.graph:scores"))
register(TaskEntry(
    Tagging, reader="bertkit.data.labelled:TAGS", summary="bertkit.data.summary:TAGS",
    models=("TokenClassifier",),
    of_model=lambda model, _: {"labels": model["labels"]}, fit="bertkit.training.losses:fit_of_tagger",
    strata=_tag_strata, sections="bertkit.report.tagging:sections",
    commonest="bertkit.report.partial_input:no_entities", served="bertkit.export.served:Tokens"))
register(TaskEntry(
    Answering, reader="bertkit.data.labelled:ANSWERS", summary="bertkit.data.summary:ANSWERS",
    models=("QuestionAnswering",), of_model=lambda model, _: {},
    fit="bertkit.training.losses:fit_of_answerer", strata=lambda targets: [bool(answers) for answers in targets],
    unit=lambda example: example[1], sections="bertkit.report.answering:sections",
    commonest="bertkit.report.partial_input:no_answer", served="bertkit.export.served:Spans"))
register(TaskEntry(
    Choosing, reader="bertkit.data.labelled:CHOICES", summary="bertkit.data.summary:CHOICES",
    models=("MultipleChoice",), of_model=lambda model, _: {},
    fit="bertkit.training.losses:fit_of_chooser", unit=lambda example: example[0],
    sections="bertkit.report.choosing:sections", probe="bertkit.report.partial_input:ENDINGS",
    commonest="bertkit.report.partial_input:commonest_place", served="bertkit.export.served:Endings"))
register(TaskEntry(
    Embedding, reader="bertkit.data.labelled:PAIRS", summary="bertkit.data.summary:PAIRS",
    models=("SentenceEmbedder",),
    of_model=_vectors, sections="bertkit.report.embedding:sections",
    served="bertkit.export.served:Vectors"))
register(TaskEntry(
    Ranking, reader="bertkit.data.labelled:CANDIDATES", summary="bertkit.data.summary:CANDIDATES",
    sections="bertkit.report.ranking:sections",
    served="bertkit.export.served:Numbers"))
register(TaskEntry(
    Summarising, reader="bertkit.data.labelled:SUMMARIES", summary="bertkit.data.summary:PARALLEL",
    sections="bertkit.report.summarising:sections"))
register(TaskEntry(
    LexRank, reader="bertkit.data.labelled:CENTRAL", summary="bertkit.data.summary:PARALLEL",
    sections="bertkit.report.summarising:sections"))
register(TaskEntry(
    Writing, reader="bertkit.data.labelled:PARALLEL", summary="bertkit.data.summary:PARALLEL",
    models=("EncoderDecoder",),
    of_model=lambda model, _: {"longest": model["longest"]}, sections="bertkit.report.writing:sections"))
