"""The examples in the docstrings of bertkit.text run, and the device's part needs no TensorFlow."""

import doctest
import importlib
import subprocess
import sys

import pytest

PURE = ["added", "formats.vocabulary", "models.bytelevel", "models.merges", "models.wordpiece", "template", "tokenizer",
        "unicode.codepoints"]


@pytest.mark.parametrize("name", [*PURE, "graph.merges", "graph.tokenizer"])
def test_examples(name):
    if name.startswith("graph"):
        pytest.importorskip("tensorflow_text")
    result = doctest.testmod(importlib.import_module(f"bertkit.text.{name}"))
    assert result.attempted and not result.failed


def test_tokens_need_only_numpy():
    heavy = {"tensorflow", "tensorflow_text", "keras", "tokenizers", "regex", "safetensors"}
    code = f"import sys, bertkit.text; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
