"""Public functions that are given something else than they take: one `Error` each, no other exception."""

import numpy as np
import pytest

import bertkit
from bertkit import metrics, ondevice
from bertkit.errors import Error
from tests import tiny

NO_PATHS = (5, None, True, 0.5, ["a"], ("a",), b"a", object(), "a\0b")
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
    "ids that are one number": lambda: bertkit.Encoder(tiny.CONFIG)({"token_ids": 5}),
    "ids that are one number of numpy": lambda: bertkit.Encoder(tiny.CONFIG)({"token_ids": np.int32(5)}),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_one_error(call):
    with pytest.raises(Error) as caught:
        call()
    assert len(str(caught.value)) > 20 and "\0" not in str(caught.value)
