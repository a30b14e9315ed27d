"""What every family's page is held to: the published counts, a name for each variable, the reference's numbers."""

import json

import numpy as np

from bertkit import checkpoints, family
from bertkit.card import Card
from bertkit.checkpoints import bundle, huggingface
from bertkit.checkpoints.tensors import slots, variables
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.heads import Classifier, LanguageModel, MultipleChooser, Pretrained, SpanAnswerer, TokenClassifier
from tests.recorded import calls, differences

OUTPUTS = {"mlm_logits": "prediction_logits", "rtd_logits": "logits"}


def count(model):
    """Count the numbers of a built model."""
    return sum(int(np.prod(weight.shape)) for weight in variables(model).values())


def head_parameters(model):
    """Count what a head has besides the encoder."""
    return count(model) - count(model.encoder)


def assert_counts(config):
    """The closed form is the number that a built encoder has."""
    assert parameters(config) == count(Encoder(config))


def models(config):
    """Return {head: a small model with it} of every head of the family's page, as published: no pooler nobody reads."""
    found = {}
    for head, kind in family.page(config.family).HEADS.items():
        encoder = Encoder(config if getattr(kind, "reduce", None) == "pooled" else config.but(pooler=None))
        found[head] = {"classify": lambda e: Classifier(e, ("a", "b", "c")), "choose": MultipleChooser,
                       "tag": lambda e: TokenClassifier(e, ("O", "B", "I")), "answer": SpanAnswerer,
                       "mlm": LanguageModel}.get(head, lambda e, head=head: Pretrained(e, [head]))(encoder)
    return found


def assert_own_names(model, form, leaves=huggingface.LEAVES):
    """Every variable has a name in a format, and no two the same."""
    ours = variables(model)
    names = [slot.name for slot in slots(ours, form.names, leaves).values()]
    assert len(set(names)) == len(names) == len(ours)


def computed(model, batch):
    """Return a model's outputs under the names of the recorded ones."""
    if not isinstance(model, Encoder):
        found = model(batch)
        found = found if isinstance(found, dict) else {"logits": found}
        return {OUTPUTS.get(name, name): np.asarray(array) for name, array in found.items()}
    outputs = model(batch, trace=True)
    trace = {name.split("/")[0]: [] for name in outputs["trace"]}
    for name, array in outputs["trace"].items():
        trace[name.split("/")[0]].append(np.asarray(array))
    found = {"last_hidden_state": np.asarray(outputs["sequence"])}
    if "pooled" in outputs:
        found["pooler_output"] = np.asarray(outputs["pooled"])
    return (found | {f"hidden_states.{i}": array for i, array in enumerate(trace["hidden"])}
            | {f"attentions.{i}": array for i, array in enumerate(trace["attention"])})


def largest_difference(folder, **options):
    """Return how far a folder's model is from the reference, over every recorded output that it has."""
    model, worst = checkpoints.load(folder, **options), []
    for call in calls(folder).values():
        if "token_ids" in call.batch:                       # not the call that gives vectors instead of ids
            found = computed(model, call.batch)
            assert set(found) <= set(call.outputs) or isinstance(model, Encoder)
            worst += differences(found, call, besides=set(call.outputs) - set(found)).values()
    assert worst
    return max(worst)


def assert_survives(model, batch, folder, told=True):
    """A bundle and a Hugging Face folder give the same model again; `told` says whether config.json names its class."""
    bundle.save(folder / "bundle", model, None, Card("tiny", "none", bundle.describe(model)))
    (folder / "theirs").mkdir()
    huggingface.save(folder / "theirs", model)
    if not told:
        values = json.loads((folder / "theirs" / "config.json").read_text())
        del values["architectures"]
        (folder / "theirs" / "config.json").write_text(json.dumps(values))
    for copy in (checkpoints.load(folder / "bundle"), checkpoints.load(folder / "theirs")):
        assert type(copy) is type(model) and copy.encoder.config == model.encoder.config
        one, two = computed(copy, batch), computed(model, batch)
        assert set(one) == set(two)
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
    assert checkpoints.load(folder / "theirs").settings() == {
        **model.settings(), **({"labels": list(model.labels)} if hasattr(model, "labels") else {})}


def batch(config, choices=None, seed=0):
    """Return two rows of tokens, the second padded."""
    rng = np.random.default_rng(seed)
    shape = (2, 7) if choices is None else (2, choices, 7)
    mask = np.ones(shape, "int32")
    mask[-1, ..., 5:] = 0
    ids = rng.integers(2, config.vocabulary_size, shape)
    pad = getattr(config.positions, "pad_id", None) or 0
    return {"token_ids": np.where(mask > 0, ids, pad).astype("int32"), "padding_mask": mask}
