"""A classifier for scikit-learn: its contract as far as it applies to texts, and its tools around it.

Of `check_estimator` scikit-learn itself runs one check on an estimator that takes no tables of numbers. Here run those
of its checks that hand over no table; the others (they fit tables of numbers) are written again for texts below, save
those that ask for what texts do not have: number types and memory layouts, sparse and array-API input, nan and inf,
`n_features_in_`, one feature or one dimension too many, `partial_fit`, `decision_function` and several outputs.
"""

import copy
import pickle
import random
import warnings

import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError, SkipTestWarning  # noqa: E402
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

import bertkit  # noqa: E402
from bertkit.encoder import Encoder  # noqa: E402
from bertkit.errors import Error  # noqa: E402
from bertkit.sklearn import TextClassifier  # noqa: E402
from tests import exported, tiny  # noqa: E402

NAMES = np.array(["bad", "good"])
TEXTS, PLACES = tiny.texts(32, seed=1)
LABELS = NAMES[PLACES]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A tiny encoder whose vectors differ from text to text, so that a few steps teach it the rows."""
    folder = tmp_path_factory.mktemp("sklearn") / "encoder"
    keras.utils.set_random_seed(0)
    bertkit.save(exported.spread(Encoder(tiny.CONFIG.but(num_layers=1)), 8.0), folder, tiny.tokenizer())
    return str(folder)


@pytest.fixture(scope="module")
def fitted(checkpoint):
    """One that has learnt: half of its rows say the contrary of the others, and count nothing."""
    made = TextClassifier(checkpoint, epochs=12, batch_size=8, learning_rate=1e-2, length=16)
    contrary = np.where(LABELS == "bad", "good", "bad")
    return made.fit(TEXTS * 2, np.concatenate([LABELS, contrary]), sample_weight=[1.0] * 32 + [0.0] * 32)


@pytest.fixture
def quick(checkpoint):
    """One that takes a step or two, without the seconds in which TensorFlow compiles a step."""
    tensorflow = pytest.importorskip("tensorflow")
    tensorflow.config.run_functions_eagerly(True)
    yield TextClassifier(checkpoint, epochs=1, batch_size=16, learning_rate=1e-2, length=16)
    tensorflow.config.run_functions_eagerly(False)


# ---------------------------------------------------------------------------- scikit-learn's own checks

CHECKS = ("estimator_cloneable", "estimator_tags_renamed", "valid_tag_types", "estimator_repr",
          "no_attributes_set_in_init", "do_not_raise_errors_in_init_or_set_params", "mixin_order",
          "parameters_default_constructible", "get_params_invariance", "set_params")


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_of_scikit_learn(name):
    getattr(estimator_checks, f"check_{name}")("TextClassifier", TextClassifier())


def test_what_check_estimator_runs_passes():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        found = estimator_checks.check_estimator(TextClassifier())
    assert found and {result["status"] for result in found} == {"passed"}


# ------------------------------------------------------------------------------------- the same for texts


def test_it_learns_and_its_answers_go_together(fitted):
    assert fitted.classes_.tolist() == ["bad", "good"]
    chances, answers = fitted.predict_proba(TEXTS), fitted.predict(TEXTS)
    assert chances.shape == (32, 2) and answers.dtype == LABELS.dtype
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(answers, NAMES[chances.argmax(axis=1)])
    assert fitted.score(TEXTS, LABELS) == np.mean(answers == LABELS) >= 0.9
    assert fitted.score(TEXTS, LABELS[::-1]) < 0.5


def test_an_answer_does_not_depend_on_what_else_is_asked(fitted):
    together = fitted.predict_proba(TEXTS)
    np.testing.assert_allclose(fitted.predict_proba(TEXTS[::-1])[::-1], together, atol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(TEXTS[:3]), together[:3], atol=1e-5)
    assert fitted.predict([]).shape == (0,)


def test_fit_changes_no_parameter_and_no_random_draw_and_predict_changes_nothing(quick):
    before, draws = quick.get_params(), (random.getstate(), np.random.get_state()[1].tolist())
    assert quick.fit(TEXTS, LABELS) is quick and quick.get_params() == before
    assert (random.getstate(), np.random.get_state()[1].tolist()) == draws
    found = dict(vars(quick))
    quick.predict(TEXTS[:2])
    assert vars(quick) == found


@pytest.mark.slow
def test_the_same_fit_again_is_the_same_and_another_seed_is_another(quick):
    wanted = quick.fit(TEXTS, LABELS).predict_proba(TEXTS)
    again = quick.fit(TEXTS[:8], LABELS[:8]).fit(TEXTS, LABELS)             # the first one is forgotten
    np.testing.assert_allclose(again.predict_proba(TEXTS), wanted, atol=1e-4)
    other = clone(quick).set_params(seed=1).fit(TEXTS, LABELS).predict_proba(TEXTS)
    assert np.abs(other - wanted).max() > 1e-3


def test_what_was_not_fitted_answers_nothing():
    for call in (TextClassifier().predict, TextClassifier().predict_proba):
        with pytest.raises(NotFittedError):
            call(TEXTS)


@pytest.mark.parametrize("again", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy], ids=["pickle", "copy"])
def test_a_copy_answers_alike(fitted, again):
    found = again(fitted)
    np.testing.assert_allclose(found.predict_proba(TEXTS), fitted.predict_proba(TEXTS), atol=1e-6)
    assert found.get_params() == fitted.get_params() and found.model_ is not fitted.model_


def test_classes_may_be_numbers_and_three_and_columns_of_pandas(quick):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "class": np.where(PLACES == 1, 7, np.arange(32) % 4 // 2 * 3)},
                             index=np.arange(32)[::-1])
    quick.fit(frame["text"], frame["class"])
    assert quick.classes_.tolist() == [0, 3, 7] and set(quick.predict(frame["text"])) <= {0, 3, 7}
    np.testing.assert_array_equal(quick.predict(np.array(TEXTS)), quick.predict(frame["text"]))
    two = pandas.DataFrame({"one": TEXTS, "two": TEXTS[::-1]})
    paired = clone(quick).fit(two, LABELS)
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    np.testing.assert_array_equal(paired.predict_proba(two), paired.predict_proba(pairs))


@pytest.mark.parametrize("change, rows, words", [
    ({}, ("a text", ["x", "y"]), "'a text' came where a list of texts was wanted"),
    ({}, (TEXTS, LABELS[:3]), "32 texts came with 3 labels"), ({}, ([], []), "y holds no class"),
    ({}, (TEXTS, ["x"] * 32), "y holds the one class x; give"),
    ({"epochs": 0}, (TEXTS, LABELS), "epochs=0 trains nothing"),
    ({"learning_rate": 0}, (TEXTS, LABELS), "learning_rate=0"), ({"batch_size": 0}, (TEXTS, LABELS), "batch_size=0"),
    ({"length": 2}, (TEXTS, LABELS), "length=2 does not fit"),
    ({"model": "no/where"}, (TEXTS, LABELS), "does not exist")])
def test_what_does_not_fit_is_refused(checkpoint, change, rows, words):
    with pytest.raises(Error, match=words):
        TextClassifier(**{"model": checkpoint, **change}).fit(*rows)


@pytest.mark.parametrize("y", [np.linspace(0, 1, 32), [[0, 1]] * 32])
def test_what_are_no_classes_is_refused_as_scikit_learn_does(y):
    with pytest.raises(ValueError):
        TextClassifier().fit(TEXTS, y)


# ------------------------------------------------------------------------------------- its tools around it


def lowered(texts):
    """A step before it: what it is given is what the step made of the texts."""
    return [text.lower() for text in texts]


@pytest.mark.slow
def test_pipeline_cross_validation_and_search(quick):
    """Their scores are those of fits by hand on the same folds, with the parameter that was asked for."""
    shouted = np.array([text.upper() for text in TEXTS])
    steps, folds = make_pipeline(FunctionTransformer(lowered), quick), StratifiedKFold(2, shuffle=True, random_state=0)
    wanted = [clone(quick).fit(lowered(shouted[train]), LABELS[train]).score(lowered(shouted[test]), LABELS[test])
              for train, test in folds.split(shouted, LABELS)]
    found = cross_val_score(steps, shouted.tolist(), LABELS, cv=folds, error_score="raise")
    np.testing.assert_allclose(found, wanted)
    search = GridSearchCV(steps, {"textclassifier__seed": [0, 5]}, cv=folds, error_score="raise")
    search.fit(shouted, LABELS)
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(np.mean(wanted))
    assert search.best_estimator_.named_steps["textclassifier"].seed == search.best_params_["textclassifier__seed"]
    assert search.score(shouted, LABELS) == np.mean(search.predict(shouted) == LABELS)
