"""A bundle of a model that is used as it is: scored and shipped as a run ships what it trained."""

from pathlib import Path

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.features import check_fit, features_of
from bertkit.files import folders as files
from bertkit.report import page
from bertkit.training.scoring import outputs


def score_and_save(out, model, tokenizer, task, length, parts, knobs, recipe):
    """Score a model on `parts` {split: Labelled} and write its bundle; return the card.

    `task` says what the model's numbers mean, `length` to how many tokens rows are cut; a part "dev" is what the report
    shows. Raises `Error` where the place is taken or the length does not fit.
    """
    files.check_replaceable(out, "bundle")
    check_fit(tokenizer, model.encoder.config, length)
    found = {}
    for name, part in parts.items():
        packed = task.pack(tokenizer, part.inputs, length)
        given = [task.outputs(raw) for raw in outputs(model, features_of(packed, tokenizer))]
        found[name] = task.predictions(given, packed)
    scores = {name: task.intervals(part.targets, found[name]) for name, part in parts.items()}
    card = Card(name=Path(out).name, task=task.name, recipe=recipe, knobs=knobs, scores=scores,
                data={name: part.metadata() for name, part in parts.items()},
                model={**bundle.describe(model), "encoder": model.encoder.config.to_json()})
    shown = {"inputs": parts["dev"].inputs, "targets": parts["dev"].targets, "predictions": found["dev"]} \
        if "dev" in parts else {}
    bundle.save(out, model, tokenizer, card, None, length, task, report=page(card, task, shown))
    return card
