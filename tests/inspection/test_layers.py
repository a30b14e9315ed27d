"""What each layer knows, against other implementations of ridge regression and of CKA, and on planted classes."""

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.cli import main
from bertkit.errors import Error
from bertkit.inspection import cka, examine_layers, probe
from bertkit.inspection.probing import PENALTIES, ridge_classes
from bertkit.report.layers import render_layers
from tests import exported, tiny


@given(st.integers(0, 2**32 - 1), st.integers(8, 40), st.integers(1, 12), st.integers(2, 4))
def test_the_ridge_is_sklearns(seed, rows, width, classes):
    linear = pytest.importorskip("sklearn.linear_model")
    draw = np.random.default_rng(seed)
    x, asked = draw.normal(size=(rows, width)), draw.normal(size=(9, width))
    labels = np.concatenate([np.arange(classes), draw.integers(0, classes, rows - classes)])
    scaled = (x - x.mean(0)) / x.std(0)
    theirs = linear.RidgeCV(PENALTIES).fit(scaled, np.eye(classes)[labels])
    scores = theirs.predict((asked - x.mean(0)) / x.std(0))
    clear = np.diff(np.sort(scores, axis=1)[:, -2:], axis=1)[:, 0] > 1e-6       # neither nearly a tie
    assert (ridge_classes(x, labels, asked) == scores.argmax(1))[clear].all()


def u_statistic(k, other):
    """HSIC as the mean over all four different examples (Song et al. 2012, section 2.3)."""
    terms = [k[i, j] * other[i, j] + k[i, j] * other[q, r] - 2 * k[i, j] * other[i, q]
             for i, j, q, r in permutations(range(len(k)), 4)]
    return float(np.mean(terms))


@given(st.integers(0, 2**32 - 1), st.integers(4, 7))
def test_cka_is_the_mean_over_all_four_examples(seed, rows):
    draw = np.random.default_rng(seed)
    x, y = draw.normal(size=(rows, 3)), draw.normal(size=(rows, 5))
    k, other = x @ x.T, y @ y.T
    own = u_statistic(k, k) * u_statistic(other, other)
    wanted = u_statistic(k, other) / own ** 0.5 if own > 0 else float("nan")
    np.testing.assert_allclose(cka(x, y), wanted, rtol=1e-6, atol=1e-9)


def test_cka_sees_neither_rotation_nor_scale_and_is_about_0_for_strangers():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 20))
    turn = np.linalg.qr(draw.normal(size=(20, 20)))[0]
    assert cka(x, 7 * x @ turn + 3) == pytest.approx(1)
    strangers = [cka(draw.normal(size=(30, 300)), draw.normal(size=(30, 300))) for _ in range(20)]
    assert abs(np.mean(strangers)) < 0.03 and np.isnan(cka(np.ones((5, 2)), x[:5]))


def test_a_probe_finds_what_is_there_and_no_control_without_kinds():
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 300)
    vectors = draw.normal(size=(300, 10)) + 3 * labels[:, None]
    found = probe(vectors, labels, np.arange(300))
    assert found.score > 0.97 and abs(found.control - 0.5) < 0.15 and found.low < found.score <= found.high
    nothing = probe(draw.normal(size=(300, 10)), labels, np.arange(300))
    assert nothing.low < 0.5 < nothing.high


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    place = tmp_path_factory.mktemp("layers")
    texts, labels = tiny.texts(120)
    (place / "rows.tsv").write_text("sentence\tlabel\n" + "".join(
        f"{text}\t{label}\n" for text, label in zip(texts, labels, strict=True)))
    (place / "tags.conll").write_text("".join(
        "".join(f"{word}\t{'B-X' if word in ('good', 'film') else 'O'}\n" for word in text.split()) + "\n"
        for text in texts))
    return place


def test_every_layer_of_both_encoders_is_probed(rows):
    found = examine_layers(exported.bundled(), rows / "rows.tsv", against=exported.bundled(seed=5))
    assert [len(probes) for probes in found.probes] == [3, 3] and found.alike.shape == (3, 3)
    assert found.rows == 120 and 0.3 < found.commonest < 0.7
    own = examine_layers(exported.bundled(), rows / "rows.tsv").alike
    np.testing.assert_allclose(np.diagonal(own), 1)
    assert "control" in found.text() and "CKA" in found.text()


def test_a_tag_that_the_word_decides_has_no_selectivity(rows):
    first, *_ = examine_layers(exported.bundled(), rows / "tags.conll", task="tag").probes[0]
    assert first.score > 0.95 and first.control > 0.95 and abs(first.selectivity) < 0.05


def test_few_rows_are_refused(rows):
    with pytest.raises(Error, match="has 20 rows, and a probe needs 30"):
        examine_layers(exported.bundled(), rows / "rows.tsv", limit=20)


def test_the_command_writes_numbers_and_a_page(rows, tmp_path, capsys):
    words = ["layers", str(exported.bundled()), "--data", str(rows / "rows.tsv"), "--json", "--out"]
    assert main([*words, str(tmp_path / "layers.html")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [len(one["layers"]) for one in found["models"]] == [3] and len(found["cka"]) == 3
    page = (tmp_path / "layers.html").read_text()
    assert "Hewitt" in page and "default-src" in page


def test_a_name_does_nothing_to_the_page(rows):
    import dataclasses
    found = examine_layers(exported.bundled(), rows / "rows.tsv", limit=40)
    assert "<script" not in render_layers(dataclasses.replace(found, names=("<script>x",)))
