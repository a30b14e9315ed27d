"""What every head looks at, and the page that shows it."""

import base64
import html
import json
import re

import numpy as np
import pytest

from bertkit.cli import main
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import xlnet
from bertkit.heads import Classifier
from bertkit.inspection import attention, look, views
from bertkit.report.attention import render_attention
from tests import exported, tiny
from tests.export import browser

TEXT = "good film , bad plot"


@pytest.fixture(scope="module")
def seen():
    return look(exported.bundled(), [TEXT])


def page_data(page):
    """Return what the script of a page reads."""
    return json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.S)[1])


def test_it_is_the_attention_of_the_model(seen):
    from bertkit import checkpoints
    wanted = attention(checkpoints.load(exported.bundled()), tiny.tokenizer(), TEXT)
    assert seen.tokens == wanted["tokens"] and seen.special == [True, *[False] * (len(seen.tokens) - 2), True]
    np.testing.assert_array_equal(seen.attention, wanted["attention"])
    assert len(seen.heads) == 4 and seen.to_json()["heads"] == seen.heads


def test_queries_and_keys_give_the_attention(seen):
    scores = np.einsum("lnfh,lnth->lnft", seen.queries, seen.keys) / np.sqrt(seen.queries.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    np.testing.assert_allclose(weights / weights.sum(-1, keepdims=True), seen.attention, atol=1e-5)


def test_the_page_holds_the_numbers(seen):
    data = page_data(render_attention(seen))
    roots = np.frombuffer(base64.b64decode(data["roots"]), "uint8").reshape(seen.attention.shape)
    np.testing.assert_allclose((roots / 255.0) ** 2, seen.attention, atol=1 / 255)
    keys = np.frombuffer(base64.b64decode(data["neurons"]["keys"]), "int8").reshape(seen.keys.shape)
    scales = np.array(data["neurons"]["scales"])[:, 1].reshape(*seen.keys.shape[:2], 1, 1)
    np.testing.assert_allclose(keys * scales, seen.keys, atol=scales.max())
    assert data["tokens"] == seen.tokens and data["neurons"]["width"] == seen.keys.shape[-1]


def test_a_token_does_nothing_to_the_page(seen):
    evil = views.AttentionViews("</script><b>", ["</script><script>x", "\u202e"], [0, 0], [False, False],
                                np.full((1, 1, 2, 2), 0.5, "float32"))
    page = render_attention(evil)
    assert page.count("</script>") == 2 and "<b>" not in page and "default-src 'none'" in html.unescape(page)
    assert page_data(page)["tokens"] == evil.tokens and "are not shown" in page


def test_pairs_have_two_segments():
    seen = look(exported.bundled(**exported.PAIRS), ["good film", "bad plot"])
    assert seen.segments == sorted(seen.segments) and set(seen.segments) == {0, 1}


def test_attention_with_positions_of_its_own_has_no_neurons():
    config = xlnet.CONFIG.but(vocabulary_size=len(tiny.VOCABULARY), num_layers=1, num_heads=2, hidden_dim=16,
                              intermediate_dim=32)
    seen = look(Classifier(Encoder(config), ["a", "b"]), [TEXT], tiny.tokenizer())
    assert seen.queries is None and seen.attention.shape[:2] == (1, 2)


def test_a_text_too_long_for_a_page_is_refused(monkeypatch):
    monkeypatch.setattr(views, "LARGEST", 100)
    with pytest.raises(Error, match="give a shorter text, of at most 5 tokens"):
        look(exported.bundled(), [TEXT])


def test_the_command_writes_the_page_and_says_the_numbers(tmp_path, capsys):
    assert main(["attention", str(exported.bundled()), "--text", TEXT, "--out", str(tmp_path / "heads.html")]) == 0
    assert "layer.head" in capsys.readouterr().out
    assert page_data((tmp_path / "heads.html").read_text())["layers"] == 2


@pytest.mark.slow
@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_shows_what_is_chosen(seen, tmp_path):
    (tmp_path / "heads.html").write_text(render_attention(seen))
    with browser.Page((tmp_path / "heads.html").as_uri(), tmp_path) as opened:
        opened.wait('document.getElementById("from").children.length')
        opened.call("Runtime.evaluate", expression='document.getElementById("from").children[1].click()')
        assert opened.wait('document.getElementById("who").textContent').startswith("Token 2, ")
        opened.call("Runtime.evaluate", expression='document.getElementById("model").dispatchEvent('
                    'new KeyboardEvent("keydown", {key: "ArrowDown"}))')
        assert opened.wait('document.getElementById("layer").value') == "1"
        most = opened.wait('document.getElementById("most").children[0].textContent')
        row = seen.attention[1, 0, 1]
        assert most.startswith(seen.tokens[int(row.argmax())]) and abs(
            float(most.split()[-2]) - 100 * row.max()) < 0.5
        scores = opened.wait('[...document.getElementById("scores").children].map((one) => one.textContent)')
        own = seen.keys[1, 0] @ seen.queries[1, 0, 1] / np.sqrt(seen.keys.shape[-1])
        np.testing.assert_allclose([float(one.split()[-1]) for one in scores[1:]], own, atol=0.1)
