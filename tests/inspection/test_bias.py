"""Numbers on bias, each equal to what other code counts, and what lessens it."""

import json
from itertools import combinations

import numpy as np
import pytest

from bertkit import checkpoints, metrics
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.unlabelled import write_rows
from bertkit.errors import Error
from bertkit.extraction import features
from bertkit.heads import TokenClassifier
from bertkit.inspection import Swaps, augment, bias, crows_pairs, erase_groups, leace, read_swaps
from bertkit.inspection.masked import MaskedModel
from bertkit.inspection.stereotypes import NEUTRAL, Preference, read_pairs
from bertkit.inspection.swaps import group_gaps, swap_rate
from bertkit.inspection.word_lists import association, read_lists
from bertkit.predictor import Predictor
from bertkit.report.bias import render_bias
from bertkit.tasks.classification import Classification
from tests import exported, tiny
from tests.recorded import GOLDEN
from tests.report.reading import read

PAIRS = GOLDEN / "crows_pairs"

# ------------------------------------------------------------------------------------------ CrowS-Pairs


@pytest.fixture(scope="module")
def masked():
    return MaskedModel(PAIRS)


def test_likelihoods_are_those_of_another_implementation(masked):
    golden = json.loads((PAIRS / "golden.json").read_text())
    found = crows_pairs(masked, read_pairs(PAIRS / "pairs.csv"))
    np.testing.assert_allclose(found.scores, golden["scores"], rtol=1e-5)
    assert found.prefers.tolist() == [more > less for more, less in golden["scores"]]
    assert masked.words(["the {mask} is good ."], 5) == [golden["words"]]


def test_the_control_puts_the_words_of_each_side_into_neutral_sentences(masked):
    pairs = read_pairs(PAIRS / "pairs.csv")
    found = crows_pairs(masked, pairs)
    assert len(found.control) == len(pairs) - 1             # "young people" and "people": one side has no word

    def likelihood(words):
        total = 0.0
        for sentence in NEUTRAL:
            before, after = (masked.tokenizer.ids([part])[0] for part in sentence.split("{}"))
            own = masked.tokenizer.ids([words])[0]
            row = masked.row([*before, *own, *after])
            places = [*range(1, 1 + len(before)), *range(1 + len(before) + len(own), len(row[0]) - 1)]
            total += float(masked.token_logs([row], [places])[0].sum(dtype="float64"))
        return total

    assert found.control[0] == (likelihood("man") > likelihood("woman"))
    assert found.control[3] == (likelihood("boy his") > likelihood("girl her"))


def test_a_preference_is_told_in_per_cent_with_its_interval_and_by_type():
    found = Preference(("age", "age", "gender", ""), np.array([[2, 1], [1, 2], [2, 1], [2, 1]], float),
                       np.array([True, False])).to_json()
    assert (found["score"], found["pairs"], found["control"], found["control_pairs"]) == (75, 4, 50, 2)
    assert (found["low"], found["high"]) == tuple(100 * end for end in metrics.wilson(3, 4))
    assert {kind: one["score"] for kind, one in found["by_type"].items()} == {"age": 50, "gender": 100}
    assert Preference(("",), np.ones((1, 2)), np.zeros(0, bool)).to_json()["control"] is None


def test_a_model_without_its_head_is_one_sentence():
    with pytest.raises(Error, match="holds no masked language model"):
        MaskedModel(exported.bundled())


# ------------------------------------------------------------------------------------------ WEAT


def counted(x, y, a, b):
    """The effect and the exact p, word by word."""
    def cos(u, v):
        return float(u @ v / np.sqrt((u @ u) * (v @ v)))

    s = [np.mean([cos(w, u) for u in a]) - np.mean([cos(w, u) for u in b]) for w in (*x, *y)]
    real = np.mean(s[:len(x)]) - np.mean(s[len(x):])
    hits = [np.mean([s[i] for i in part]) - np.mean([s[i] for i in range(len(s)) if i not in part]) >= real - 1e-12
            for part in combinations(range(len(s)), len(x))]
    return real / np.std(s, ddof=1), np.mean(hits)


@pytest.mark.parametrize(("seed", "sizes"), [(0, (4, 4, 3, 5)), (1, (3, 5, 2, 2)), (2, (5, 5, 4, 4))])
def test_an_association_is_counted_word_by_word(seed, sizes):
    rng = np.random.default_rng(seed)
    sides = [rng.normal(size=(size, 6)) + side for size, side in zip(sizes, (0.5, -0.5, 0.3, -0.3), strict=True)]
    np.testing.assert_allclose(association(*sides), counted(*sides), rtol=1e-9)


def test_drawn_divisions_are_near_all_of_them():
    rng = np.random.default_rng(5)
    sides = [rng.normal(size=(8, 4)) + 0.3 * sign for sign in (1, -1, 1, -1)]
    effect, p = association(*sides)
    again, drawn = association(*sides, permutations=5000)
    assert effect == again and abs(p - drawn) < 4 * np.sqrt(p * (1 - p) / 5000) + 1e-3 and p != drawn


def test_vectors_are_those_of_the_features(tmp_path):
    lists = {"targ1": "good fine", "targ2": "bad dull", "attr1": "film story", "attr2": "actor scene"}
    path = tmp_path / "moods.jsonl"
    path.write_text(json.dumps({key: {"category": key, "examples": words.split()} for key, words in lists.items()},
                               indent=2))
    folder = exported.bundled()
    encoder = checkpoints.load(folder, part="encoder")
    wanted = counted(*(features(encoder, words.split(), tiny.tokenizer()) for words in lists.values()))
    found, = bias(folder, lists=[path]).to_json()["weat"]
    np.testing.assert_allclose((found["effect"], found["p"]), wanted, rtol=1e-4)
    assert found["name"] == "moods" and found["words"] == [2, 2, 2, 2]
    wrong = {"targ1": {"category": "a", "examples": ["b", 5]}, "targ2": {}, "attr1": {}, "attr2": {}}
    path.write_text(json.dumps(wrong))
    with pytest.raises(Error, match="moods.jsonl, targ1: examples"):
        read_lists(path)


# ------------------------------------------------------------------------------------------ swaps


@pytest.mark.parametrize(("text", "wanted", "group"), [
    ("He saw HER with john", "She saw HIS with Mary".replace("Mary", "mary"), None), ("the hero", "the hero", None),
    ("Mary's film", "John's film", 1), (("he came", "a film"), ("she came", "a film"), 0),
    (["John", "said"], ["Mary", "said"], 0), ("a young man", "a young woman", 0)])
def test_words_are_swapped_whole_and_keep_their_case(text, wanted, group):
    swaps = Swaps((("he", "she"), ("his", "her"), ("him", "her"), ("John", "Mary"), ("man", "man friend"),
                   ("young man", "young woman")))
    assert swaps.swapped(text) == wanted and swaps.group(text) == group
    assert swaps.ambiguous == ["her"]


@pytest.mark.parametrize(("lines", "said"), [("a b\n", "line 1: 'a b'"), ("a\tb\n\nc\tC\n", "line 3: 'c"),
                                             ("a\tb\tc\n", "line 1"), ("\n", "has no words")])
def test_a_wrong_row_of_words_is_one_sentence(tmp_path, lines, said):
    (tmp_path / "swaps.tsv").write_text(lines)
    with pytest.raises(Error, match=said):
        read_swaps(tmp_path / "swaps.tsv")


MOODS = Swaps((("good", "bad"),))


def test_changed_answers_are_counted():
    predictor, texts = Predictor(exported.bundled()), tiny.texts(60, seed=8)[0]
    found = swap_rate(predictor, MOODS, texts)
    other = [text.replace("good", "#").replace("bad", "good").replace("#", "bad") for text in texts]
    rows = [row for row, pair in enumerate(zip(texts, other, strict=True)) if pair[0] != pair[1]]
    before, after = ([answer["label"] for answer in predictor.predict(side)] for side in (texts, other))
    changed = [row for row in rows if before[row] != after[row]]
    assert (found["rows"], found["changed"]) == (len(rows), len(changed)) and 0 < len(changed) < len(rows) < 60
    assert [one["text"] for one in found["examples"]] == [(texts[row],) for row in changed]
    with pytest.raises(Error, match="None of 60 rows holds one of the words"):
        swap_rate(predictor, Swaps((("he", "she"),)), texts)


@pytest.mark.parametrize("seed", range(5))
def test_equalized_odds_are_counted_by_hand(seed):
    rng = np.random.default_rng(seed)
    y, given, group = rng.integers(3, size=60), rng.integers(3, size=60), rng.integers(2, size=60)

    def rate(name, is_it, side):
        rows = [row for row in range(60) if (y[row] == name) == is_it and group[row] == side]
        return sum(given[row] == name for row in rows) / len(rows)

    wanted = max(abs(rate(name, is_it, 0) - rate(name, is_it, 1)) for name in range(3) for is_it in (True, False))
    assert metrics.equalized_odds_gap(y, given, group) == pytest.approx(wanted)


def test_under_the_weights_label_and_group_are_independent():
    rng = np.random.default_rng(1)
    labels, groups = rng.choice(["a", "b", "c"], 80), rng.integers(2, size=80)
    weights = metrics.reweighing(labels, groups)
    for label in "abc":
        for group in (0, 1):
            both = weights[(labels == label) & (groups == group)].sum()
            assert both / 80 == pytest.approx(np.mean(labels == label) * np.mean(groups == group), rel=1e-5)


def test_errors_of_groups_are_those_of_the_answers(tmp_path):
    folder, task = tmp_path / "two", Classification(("0", "1"))
    model = exported.spread(tiny.classifier(3))
    bundle.save(folder, model, tiny.tokenizer(), Card("two", "classify", bundle.describe(model)), length=16, task=task)
    predictor, texts = Predictor(folder), tiny.texts(80, seed=2)[0]
    labels = np.random.default_rng(0).integers(2, size=80)
    found = group_gaps(predictor, MOODS, texts, labels)
    p = np.array(predictor.predictions(texts))
    given, words = p.argmax(axis=1), [set(text.split()) & {"good", "bad"} for text in texts]
    sides = [np.array([word == {name} for word in words]) for name in ("good", "bad")]
    assert found["rows"] == [side.sum() for side in sides]
    assert found["calibration_error"] == [metrics.calibration_error(labels[side], p[side]) for side in sides]
    for name, where in (("with", np.array([bool(word) for word in words])),
                        ("without", np.array([not word for word in words]))):
        negative = where & (labels == 0)
        assert found["false_positives"][name]["rows"] == negative.sum()
        assert found["false_positives"][name]["rate"] == pytest.approx(given[negative].mean())
    odds = found["equalized_odds"]
    assert odds["gap"] == metrics.equalized_odds_gap(*(
        np.concatenate([values[side] for side in sides]) for values in (labels, given)), np.repeat(
            [0, 1], [side.sum() for side in sides]))
    assert 0 <= odds["low"] <= odds["gap"] <= odds["high"]
    assert group_gaps(predictor, MOODS, ["good"], np.array([0]))["equalized_odds"] is None


# ------------------------------------------------------------------------------------------ the command


@pytest.mark.slow
def test_the_command_prints_each_number_with_what_it_means(tmp_path, capsys):
    swaps = tmp_path / "swaps.tsv"
    swaps.write_text("good\tbad\n")
    words = ["bias", str(exported.bundled()), "--swaps", str(swaps), "--data", str(exported.dev())]
    assert main([*words, "--json", "--augment", str(tmp_path / "more.tsv")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["swaps"]["groups"]["rows"][0] > 0 and found["augmented"]["swapped"] == found["swaps"]["rows"]
    assert main([*words, "--out", str(tmp_path / "bias.html")]) == 0
    shown, page = capsys.readouterr().out, (tmp_path / "bias.html").read_text()
    assert found["swaps"]["meaning"] in shown and found["swaps"]["meaning"] in read(page).text
    assert len(read(page).all("tbody")[0].all("tr")) == found["swaps"]["changed"]
    assert main(["bias", str(PAIRS), "--crows-pairs", str(PAIRS / "pairs.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["crows_pairs"]
    assert found["low"] <= found["score"] <= found["high"] and found["control"] is not None
    assert "<table" in render_bias(bias(PAIRS, PAIRS / "pairs.csv"))


def test_rows_without_labels_give_the_rate_alone(tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("a good film\na bad story\n")
    found = bias(exported.bundled(), swaps=MOODS, data=tmp_path / "texts.txt").to_json()["swaps"]
    assert found["rows"] == 2 and "groups" not in found
    assert "Without labels the answers are compared, not the errors" in capsys.readouterr().err


@pytest.mark.parametrize(("given", "said"), [
    ({}, "There is nothing to measure"), ({"swaps": MOODS}, "go together"),
    ({"pairs": PAIRS / "pairs.csv", "augmented": "x.tsv"}, "--augment and --erase change")])
def test_what_does_not_go_together_is_one_sentence(given, said):
    with pytest.raises(Error, match=said):
        bias(PAIRS, **given)


# ------------------------------------------------------------------------------------------ what lessens it


def test_rows_are_doubled_and_keep_their_columns(tmp_path):
    write_rows(tmp_path / "rows.csv", [{"text": "He came, John", "label": "yes", "note": "he"},
                                       {"text": "rain", "label": "no", "note": ""}])
    said = augment(Classification(("no", "yes")), tmp_path / "rows.csv", Swaps((("he", "she"), ("John", "Mary"))),
                   tmp_path / "more.csv")
    assert said == {"rows": 2, "swapped": 1}
    assert (tmp_path / "more.csv").read_text().splitlines()[1:] == [
        '"He came, John",yes,he', "rain,no,", '"She came, Mary",yes,he']


@pytest.mark.parametrize(("groups", "width"), [(2, 6), (3, 6), (2, 1)])
def test_after_erasing_no_linear_model_tells_the_group(groups, width):
    rng = np.random.default_rng(groups)
    z = rng.integers(groups, size=400)
    x = rng.normal(size=(400, width)) @ rng.normal(size=(width, width)) + z[:, None] * rng.normal(size=width) + 3
    eraser = leace(x, z)
    after = eraser(x)
    with_ones = np.hstack([after, np.ones((400, 1))])
    one_hot = np.eye(groups)[z]
    fitted = with_ones @ np.linalg.lstsq(with_ones, one_hot, rcond=None)[0]
    np.testing.assert_allclose(fitted, np.broadcast_to(one_hot.mean(axis=0), fitted.shape), atol=1e-8)
    np.testing.assert_allclose(eraser(after), after, atol=1e-8)
    assert np.linalg.matrix_rank(eraser.matrix, tol=1e-8) == min(groups - 1, width)


def test_erasing_changes_less_than_projecting_the_difference_of_means_away():
    rng = np.random.default_rng(0)
    z = rng.integers(2, size=500)
    x = rng.normal(size=(500, 5)) @ np.diag([5, 1, 1, 1, 0.2]) + z[:, None] * np.array([1, 1, 0, 0, 0.5])
    gap = x[z == 1].mean(axis=0) - x[z == 0].mean(axis=0)
    plain = x - (x - x.mean(axis=0)) @ np.outer(gap, gap) / (gap @ gap)
    erased = leace(x, z)(x)
    assert np.square(erased - x).sum() < np.square(plain - x).sum()
    np.testing.assert_allclose(erased[z == 1].mean(axis=0), erased[z == 0].mean(axis=0), atol=1e-10)
    with pytest.raises(Error, match="two groups at least"):
        leace(x, np.zeros(500))


@pytest.mark.slow
def test_the_last_layer_no_longer_tells_the_groups_and_the_command_says_before_and_after(tmp_path, capsys):
    folder, data = exported.bundled(), exported.dev()
    (tmp_path / "swaps.tsv").write_text("good\tbad\n")
    assert main(["bias", str(folder), "--swaps", str(tmp_path / "swaps.tsv"), "--data", str(data), "--json", "--erase",
                 str(tmp_path / "erased")]) == 0
    found = json.loads(capsys.readouterr().out)
    before, after = Predictor(folder), Predictor(tmp_path / "erased")
    assert after.task == before.task
    said = found["erased"]
    assert said["rate_before"] == found["swaps"]["rate"] and said["rate_after"] < said["rate_before"]
    texts = [text for text in tiny.texts(240, seed=3)[0] if MOODS.group(text) is not None]
    both = np.array(texts), np.array([MOODS.swapped(text) for text in texts])
    sides = np.array([MOODS.group(text) for text in texts])
    for predictor, zero in ((before, False), (after, True)):
        logits = [np.log(np.array(predictor.predictions(list(side)))) for side in both]
        gap = [row[:, 1] - row[:, 0] for row in logits]
        group = [np.concatenate([gap[0][sides == side], gap[1][sides != side]]) for side in (0, 1)]
        assert (abs(group[0].mean() - group[1].mean()) < 1e-4) == zero
    assert said["before"] == pytest.approx(before.evaluate(data)["accuracy"])
    assert said["after"] == pytest.approx(after.evaluate(data)["accuracy"])


def test_a_model_without_a_last_linear_layer_is_one_sentence(tmp_path):
    model = TokenClassifier(tiny.classifier().encoder, ["O", "B-X"])
    with pytest.raises(Error, match="A TokenClassifier has no single linear layer"):
        erase_groups(Predictor(model, tiny.tokenizer()), MOODS, ["good"])


def planted(path, rows, seed, agree):
    """Write rows whose label is told by the mood; "actor" or "scene" goes with the label in a share of the rows."""
    rng, (texts, labels) = np.random.default_rng(seed), tiny.texts(rows, seed)
    lines = []
    for text, label in zip(texts, labels, strict=True):
        side = label if rng.random() < agree else 1 - label
        words = [word for word in text.split() if word not in ("scene", "actor")]
        words.insert(int(rng.integers(len(words))), ("actor", "scene")[side])
        lines.append(f"{' '.join(words)}\t{label}\n")
    path.write_text("sentence\tlabel\n" + "".join(lines))
    return path


@pytest.mark.slow
def test_a_planted_bias_is_found_and_halved(tmp_path):
    """In training a name goes with the label; fair rows tell whether the name decides."""
    from tests.recipes import classifying
    place = classifying.made(tmp_path)
    for name, rows, seed in (("train", 240, 0), ("dev", 60, 2)):
        planted(place / f"{name}.tsv", rows, seed, 0.97)
    fair = planted(place / "test.tsv", 200, 1, 0.5)
    swaps = Swaps((("actor", "scene"),))
    assert main(classifying.words(place, place / "before", epochs=3)) == 0
    task = Predictor(place / "before").task
    for name in ("train", "dev"):
        augment(task, place / f"{name}.tsv", swaps, place / f"{name}-more.tsv")
    assert main(classifying.words(place, place / "after", train="train-more.tsv", dev="dev-more.tsv", epochs=3)) == 0
    rates, scores = [], []
    for name in ("before", "after"):
        predictor = Predictor(place / name)
        rates.append(bias(place / name, swaps=swaps, data=fair).to_json()["swaps"]["rate"])
        scores.append(predictor.evaluate(fair)["accuracy"])
    assert rates[0] > 0.1 and rates[1] <= rates[0] / 2 and scores[1] >= scores[0] - 0.01
