"""The doctor's own encoder equals transformers and bertkit's encoder, and is told from them by each planted fault."""

import itertools
import json
import math

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit.doctor import examine
from bertkit.doctor.curves import erf, gelu
from bertkit.doctor.faults import mutants
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings, complete, without_prefix
from tests.doctor.sick import SMALL, encoder, weights_of
from tests.recorded import GOLDEN

FAMILIES = ("bert", "roberta", "xlm_roberta", "distilbert", "electra", "albert")


def folder(name):
    """Return (config, weights, settings) of a committed checkpoint."""
    path = GOLDEN / "families" / name
    config = complete(path)
    return config, without_prefix(load_file(path / "model.safetensors"), config), Settings.of(config)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_reference_gives_what_transformers_recorded(name):
    config, weights, settings = folder(name)
    recorded = np.load(GOLDEN / "families" / name / "ref.npz")
    ids = recorded["in/input_ids"]
    batch = {"token_ids": ids, "padding_mask": recorded["in/attention_mask"],
             "segment_ids": recorded["in/token_type_ids"] if "in/token_type_ids" in recorded else np.zeros_like(ids)}
    wanted = recorded["out/last_hidden_state"]
    found = Encoder(settings, weights)(batch, ("sequence", "logits"), recorded["out/logits"].ndim == 3)
    real = batch["padding_mask"] > 0
    assert np.abs(found["sequence"] - wanted)[real].max() < 2e-5
    if "logits" in found:
        assert np.abs(found["logits"] - recorded["out/logits"]).max() < 2e-5
    wrong = Encoder(settings, weights).changed(activation=lambda self, x: np.maximum(x, 0))(batch)
    assert np.abs(wrong["sequence"] - wanted)[real].max() > 1e-3


def test_the_error_function():
    x = np.linspace(-8, 8, 4001)
    assert np.abs(erf(x) - [math.erf(each) for each in x]).max() < 1e-15
    assert gelu(x.astype("float32")).dtype == np.float32


def test_every_mutant_computes_something_else():
    """A fault that changes no answer could never be told."""
    weights, settings = weights_of(SMALL), Settings.of(complete(SMALL))
    draw = np.random.default_rng(0)
    batch = {"token_ids": draw.integers(1, 60, (3, 10)), "segment_ids": draw.integers(0, 2, (3, 10)),
             "padding_mask": (np.arange(10) < [[10], [4], [7]]).astype(int)}
    batch["token_ids"][0, 4] = batch["token_ids"][1, 4:] = 0
    right = Encoder(settings, weights)(batch)
    same = []
    for mutant in mutants(settings, "float32"):
        if mutant.range is None and mutant.check not in ("decoder", "layer-norm-eps"):
            try:
                found = mutant.of(Encoder(settings, weights))(batch)
            except (IndexError, ValueError, KeyError):
                continue
            gaps = [np.nanmax(np.abs(found[name] - right[name])) for name in ("sequence", "pooled")]
            same += [mutant.what] if max(gaps) < 1e-9 else []
    # Rows of ten tokens, padded on the right, and an epsilon of 1e-12 cannot show these; there is no projection.
    hidden = ("first ones", "plus epsilon", "half of the table", "16", "of the projection")
    assert not [what for what in same if not any(part in what for part in hidden)]


def test_the_same_weights_under_another_familys_names(tmp_path):
    config = complete({"architectures": ["RobertaModel"], "hidden_size": 24, "num_attention_heads": 3})
    assert config["model_type"] == "roberta" and config["pad_token_id"] == 1
    settings = Settings.of(config)
    assert settings.counted and settings.longest == config["max_position_embeddings"] - 2
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "distilbert", "dim": 30, "n_layers": 1}))
    assert (settings := Settings.of(complete(tmp_path))).hidden == 30 and settings.kinds == 0


def test_a_config_of_ones_own_is_read():
    from bertkit.config import EncoderConfig
    config = EncoderConfig(vocabulary_size=60, num_layers=2, num_heads=3, hidden_dim=24, intermediate_dim=40,
                           max_sequence_length=20)
    found = {f.check: f for f in examine(encoder(SMALL, weights_of(SMALL)), config, weights=weights_of(SMALL),
                                         only=["reference", "activation"])}
    assert found["reference"].verdict == found["activation"].verdict == "healthy"


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FAMILIES, "longformer", "mobilebert", "modernbert", "bigbird", "xlnet"])
def test_bertkits_own_encoder_is_healthy(name):
    """Of five families against the reference; of the others the relations of its answers."""
    import bertkit
    model = bertkit.load(GOLDEN / "families" / name, part="encoder")
    before = [np.array(variable) for variable in model.variables]
    found = {finding.check: finding for finding in examine(model, GOLDEN / "families" / name / "config.json")}
    assert not [finding for finding in found.values() if finding.verdict == "ill"]
    assert found["determinism"].verdict == found["batch"].verdict == "healthy"
    assert name not in FAMILIES or found["reference"].verdict == found["activation"].verdict == "healthy"
    assert all((np.array(new) == old).all() for new, old in itertools.zip_longest(model.variables, before))
