"""What every family's page is held to: the published counts, a name for each variable, the reference's numbers."""

import dataclasses
import json

import numpy as np
import pytest

from bertkit import checkpoints, family
from bertkit.card import Card
from bertkit.checkpoints import architectures, bundle, huggingface
from bertkit.checkpoints.tensors import variables, weight_mapping
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.files.atomic import read_json
from bertkit.heads import (
    BeamQuestionAnswering,
    Classifier,
    LanguageModel,
    MultipleChoice,
    PretrainingModel,
    QuestionAnswering,
    TokenClassifier,
)
from bertkit.kinds import RootPreNorm
from tests.lazy import Lazy
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


def models(config, drawn=lambda model: model):
    """Return {head: a small model with it} of every head of the family's page, as published: no pooler nobody reads.

    A model is built, and given to `drawn`, when it is first read.
    """
    kinds = family.page(config.family).HEADS
    builders = {"classify": lambda e: Classifier(e, ("a", "b", "c")), "choose": MultipleChoice,
                "tag": lambda e: TokenClassifier(e, ("O", "B", "I")), "answer": QuestionAnswering,
                "beam": BeamQuestionAnswering, "mlm": LanguageModel}

    def make(head):
        encoder = Encoder(config if getattr(kinds[head], "reduce", None) == "pooled" else config.but(pooler=None))
        return drawn(builders.get(head, lambda e: PretrainingModel(e, [head]))(encoder))

    return Lazy(make, kinds)


def assert_own_names(model, form, leaves=huggingface.LEAVES):
    """Every variable has a name in a format, and no two the same."""
    ours = variables(model)
    names = [slot.name for slot in weight_mapping(ours, form.names, leaves).values()]
    assert len(set(names)) == len(names) == len(ours)


def computed(model, batch, trace=False):
    """Return a model's outputs under the names of the recorded ones; `trace` adds what an encoder's blocks give."""
    if not isinstance(model, Encoder):
        found = model(batch)
        found = found if isinstance(found, dict) else {"logits": found}
        return {OUTPUTS.get(name, name): np.asarray(array) for name, array in found.items()}
    outputs = model(batch, trace=trace)
    found = {theirs: np.asarray(outputs[ours]) for ours, theirs in
             (("sequence", "last_hidden_state"), ("pooled", "pooler_output")) if ours in outputs}
    traced = outputs.get("trace", {})
    if traced and isinstance(model.config.block, RootPreNorm):      # transformers' last state is after the last norm
        traced = {**traced, f"hidden/{model.config.num_layers}": outputs["sequence"]}
    for name, array in traced.items():
        kind, number = name.split("/")
        found[f"hidden_states.{number}" if kind == "hidden" else f"attentions.{int(number) - 1}"] = np.asarray(array)
    return found


def largest_difference(folder, real=False, **options):
    """Return how far a folder's model is from the reference, over every recorded output that it has.

    With `real` the logits of padding are not compared, for families whose reference does not define them.
    """
    model, worst = checkpoints.load(folder, **options), []
    for call in calls(folder).values():
        if "token_ids" in call.batch:                       # not the call that gives vectors instead of ids
            found = computed(model, call.batch, trace="attentions.0" in call.outputs)
            if real:
                found, call = _without_padding(found, call)
            assert set(found) <= set(call.outputs)
            worst += differences(found, call, besides=set(call.outputs) - set(found)).values()
    assert worst
    return max(worst)


def _without_padding(found, call):
    """Return outputs and a call in which the logits of padding are 0."""
    mask = call.batch.get("padding_mask", np.ones_like(call.batch["token_ids"]))

    def cut(name, array):
        each = name.endswith("logits") and array.shape[:mask.ndim] == mask.shape
        return array * mask.reshape(*mask.shape, *[1] * (array.ndim - mask.ndim)) if each else array

    outputs = {name: cut(name, array) for name, array in call.outputs.items()}
    return {name: cut(name, array) for name, array in found.items()}, dataclasses.replace(call, outputs=outputs)


def first_alone(cases):
    """Return the cases as parameters, all but the first `slow`: they show the same of another head."""
    first, *others = cases
    return [first, *(pytest.param(case, marks=pytest.mark.slow) for case in others)]


def encoders_alone(folders):
    """Return the folders of references as parameters, those of a head `slow`."""
    default = [folder for folder in folders if str(folder).endswith("/base") or "formats" in str(folder)]
    return [folder if folder in default else pytest.param(folder, marks=pytest.mark.slow) for folder in folders]


def assert_survives(model, rows, folder):
    """A bundle gives the same model again, and so does a Hugging Face folder, by its class's name or by its tensors."""
    theirs, wanted = folder / "theirs", computed(model, rows)
    bundle.save(folder / "bundle", model, None, Card("tiny", "none", bundle.describe(model)))
    theirs.mkdir()
    huggingface.save(theirs, model)
    page = family.page(model.encoder.config.family)
    named = architectures.model_class(read_json(theirs / "config.json"), huggingface.weights(theirs), page)
    assert named[0] == type(model).__name__
    for copy in (checkpoints.load(folder / "bundle"), checkpoints.load(unnamed(theirs))):
        assert type(copy) is type(model) and copy.encoder.config == model.encoder.config
        assert {**copy.settings(), "labels": None} == {**model.settings(), "labels": None}
        found = computed(copy, rows)
        assert set(found) == set(wanted)
        for name, array in wanted.items():
            np.testing.assert_array_equal(found[name], array)


def unnamed(folder, **changes):
    """Take the class's name out of a folder's config.json, make other changes, and return the folder."""
    values = json.loads((folder / "config.json").read_text())
    values.pop("architectures", None)
    (folder / "config.json").write_text(json.dumps(values | changes))
    return folder


def batch(config, choices=None, seed=0):
    """Return two rows of tokens, the second padded."""
    rng = np.random.default_rng(seed)
    shape = (2, 7) if choices is None else (2, choices, 7)
    mask = np.ones(shape, "int32")
    mask[-1, ..., 5:] = 0
    ids = rng.integers(2, config.vocabulary_size, shape)
    pad = getattr(config.positions, "pad_id", None) or 0
    return {"token_ids": np.where(mask > 0, ids, pad).astype("int32"), "padding_mask": mask}
