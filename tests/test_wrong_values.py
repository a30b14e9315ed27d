"""Public functions that are given something else than they take: one `Error` each, no other exception."""

import numpy as np
import pytest

import bertkit
from bertkit import metrics, objectives, ondevice, training
from bertkit.errors import Error
from tests import tiny

NO_PATHS = (5, None, True, 0.5, ["a"], ("a",), b"a", object(), "a\0b")
ENTRIES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm"]
WRONG = {
    **{f"{name}({path!r:.20})": (lambda call=call, path=path: call(path)) for path in NO_PATHS
       for name, call in (("load", bertkit.load), ("Tokenizer.load", bertkit.Tokenizer.load),
                          ("ondevice.load", ondevice.load), ("convert", lambda path: bertkit.convert(path, "out")))},
    **{f"cost({options})": (lambda options=options: bertkit.cost("bert-base-uncased", **options)) for options in (
        {"length": None}, {"length": "8"}, {"length": float("nan")}, {"length": -5}, {"batch": 0}, {"batch": 1.5})},
    **{f"pack(length={length!r:.20})": (lambda length=length: tiny.tokenizer().pack(["a"], length=length))
       for length in (10**12, "8", None, 2.5, -1)},
    "but": lambda: tiny.CONFIG.but(evil=1),
    "accuracy of a number": lambda: metrics.accuracy(1, 1),
    "accuracy of a word": lambda: metrics.accuracy("yes", "yes"),
    "ranking of a list": lambda: metrics.ranking([], {}),
    "ranking of lists": lambda: metrics.ranking({"q": ["a"]}, {"q": ["a"]}),
    "ranking of nothing": lambda: metrics.ranking({"q": None}, {"q": None}),
    "ranking of words": lambda: metrics.ranking({"q": {"a": "1"}}, {"q": {"a": 1.0}}),
    "ranking by words": lambda: metrics.ranking({"q": {"a": 1}}, {"q": {"a": "best"}}),
    **{f"{name}, {what}": (lambda model=model, call=call: call(model())) for name, model in (
        ("encoder", lambda: bertkit.Encoder(tiny.CONFIG)),
        ("classifier", lambda: bertkit.Classifier(bertkit.Encoder(tiny.CONFIG), ["a", "b"]))) for what, call in (
        ("a second argument", lambda model: model(tiny.tokenizer().pack(["a"], length=8), 5)),
        ("no ids", lambda model: model({"token_ids": None})), ("nothing", lambda model: model(None)),
        ("an empty batch", lambda model: model({})))},
    **{f"a head on {encoder!r:.10}": (lambda encoder=encoder: bertkit.Classifier(encoder, ["a"]))
       for encoder in (None, 5)},
    **{f"labels={labels!r}": (lambda labels=labels: bertkit.TokenClassifier(bertkit.Encoder(tiny.CONFIG), labels))
       for labels in (None, 3, "ab", [], ["a", "a"], [None])},
    **{f"{kind.__name__}({vocabulary!r:.20})": (lambda kind=kind, vocabulary=vocabulary: kind(vocabulary))
       for kind in (objectives.MLM, objectives.PLM, objectives.RTD, objectives.SBO)
       for vocabulary in (None, 5, object(), b"a", "nothing-there")},
    **{f"corrupt({str(features)[:30]})": (lambda features=features: objectives.MLM(ENTRIES).corrupt(features))
       for features in (None, 5, "a", {}, {"token_ids": None}, {"token_ids": [[5]]},
                        {"token_ids": 5, "padding_mask": 1}, {"token_ids": [["a"]], "padding_mask": [[1]]},
                        {"token_ids": [[5]], "padding_mask": [[1]], "step": "a"})},
    **{f"{kind.__name__}.corrupt(None)": (lambda kind=kind, words=words: kind(*words).corrupt(None))
       for kind, *words in ((objectives.PLM, ENTRIES), (objectives.RTD, ENTRIES), (objectives.SBO, ENTRIES),
                            (objectives.NSP,))},
    "a rate that is no number": lambda: objectives.MLM(ENTRIES, rate="a"),
    **{f"dataset({options})": (lambda options=options: bertkit.data.dataset(
        ["a"], [1], **{"tokenizer": tiny.tokenizer(), **options})) for options in (
        {"batch_size": None}, {"batch_size": "a"}, {"length": "a"}, {"seed": -1}, {"seed": None}, {"classes": 5},
        {"tokenizer": None})},
    "a label beyond int32": lambda: bertkit.data.dataset(["a"], [2**70], tiny.tokenizer()),
    **{f"features({options})": (lambda options=options: bertkit.features(
        bertkit.Encoder(tiny.CONFIG), ["a"], **{"tokenizer": tiny.tokenizer(), **options})) for options in (
        {"tokenizer": None}, {"layer": "a"}, {"length": "a"}, {"batch_size": 1.5})},
    **{f"save({folder!r})": (lambda folder=folder: bertkit.save(bertkit.Encoder(tiny.CONFIG), folder))
       for folder in (None, 5, b"a", "a\0b")},
    "save(length)": lambda: bertkit.save(bertkit.Encoder(tiny.CONFIG), "nowhere", length="a"),
    **{f"export({options})": (lambda options=options: bertkit.export("nowhere", **{"out": "out", **options}))
       for options in ({"out": 5}, {"out": "a\0b"}, {"max_drop": "a"}, {"max_drop": None}, {"length": "a"},
                       {"to": None})},
    "convert to nothing": lambda: bertkit.convert("bertkit://english", None),
    "Predictor of a name that no file has": lambda: bertkit.Predictor("a\0b"),
    **{f"{name}({value!r:.20})": (lambda name=name, value=value: getattr(metrics, name)(value, value))
       for name in ("entity_scores", "bleu", "rouge", "distinct") for value in (None, 5, object())},
    "matthews of None": lambda: metrics.matthews([None], [None]),
    "rates by path that are no dict": lambda: training.AdamW(1e-3, lr_scales=5),
    "ids that are one number": lambda: bertkit.Encoder(tiny.CONFIG)({"token_ids": 5}),
    "ids that are one number of numpy": lambda: bertkit.Encoder(tiny.CONFIG)({"token_ids": np.int32(5)}),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_one_error(call):
    with pytest.raises(Error) as caught:
        call()
    assert len(str(caught.value)) > 20 and "\0" not in str(caught.value)
