"""A bundle of a model that is used as it is: scored and shipped as a run ships what it trained."""

from pathlib import Path
from typing import Any

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.features import check_fit, features_of
from bertkit.data.summary import described
from bertkit.files import folders as files
from bertkit.report import render_report
from bertkit.report.markdown import render_model_card
from bertkit.training.scoring import outputs


def score_and_save(out: str | Path, model: Any, tokenizer: Any, task: Any, length: int, parts: dict[str, Any],
                   knobs: dict[str, Any], recipe: str, calibration: Any = None, **card: Any) -> Card:
    """Score a model on labelled rows and write its bundle.

    Args:
        out: The folder to write.
        model: A head of bertkit's on an encoder.
        tokenizer: The `Tokenizer` of the encoder.
        task: The task, which says what the model's outputs mean.
        length: Tokens that a row is cut to, special tokens included.
        parts: {name of a split: its `Labelled`}; the report shows "dev".
        knobs: {name: value} for the card.
        recipe: Name of the recipe, for the card.
        calibration: Rows as a batch {name: int32 [rows,T]}, for int8 export, or None.
        **card: Further fields of the `Card`, such as `training` and `notes`.

    Returns:
        The `Card` of the bundle.

    Raises:
        Error: When the place of `out` is taken, or the length does not fit the encoder.
    """
    files.check_replaceable(out, "bundle")
    check_fit(tokenizer, model.encoder.config, length)
    predicted = {}
    for name, part in parts.items():
        packed = task.pack(tokenizer, part.inputs, length)
        results = [task.outputs(raw) for raw in outputs(model, features_of(packed, tokenizer))]
        predicted[name] = task.predictions(results, packed)
    scores = {name: task.intervals(part.targets, predicted[name]) for name, part in parts.items()}
    made = Card(**{"name": Path(out).name, "task": task.name, "recipe": recipe, "knobs": knobs, "scores": scores,
                   "data": {name: described(task, part) for name, part in parts.items()},
                   "model": {**bundle.describe(model), "encoder": model.encoder.config.to_json()}, **card})
    shown = {"inputs": parts["dev"].inputs, "targets": parts["dev"].targets, "predictions": predicted["dev"],
             "texts": parts["dev"].texts} \
        if "dev" in parts else {}
    bundle.save(out, model, tokenizer, made, calibration, length, task, report=render_report(made, task, shown),
                model_card=render_model_card(made))
    return made
