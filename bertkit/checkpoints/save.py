"""A bundle of a model that is in memory."""

from pathlib import Path
from typing import Any

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.features import check_fit
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files.bounded import as_path
from bertkit.files.schema import Whole, check_argument
from bertkit.heads import MODELS
from bertkit.heads.task_model import TaskModel
from bertkit.tasks.registry import model_classes
from bertkit.text import Tokenizer

NOTE = "bertkit.save wrote this bundle of a model in memory; it knows nothing of its training, data and scores."


def save(model: Encoder | TaskModel, folder: str | Path, tokenizer: Tokenizer | None = None,
         length: int | None = None) -> None:
    """Write a model that is in memory, with its tokenizer, as a bundle.

    `bertkit.load(folder)` is an equal model and `bertkit.Tokenizer.load(folder)` an equal tokenizer; the commands
    `predict`, `evaluate` and `export` take the folder. It appears whole or not at all; a bundle that was there is
    replaced.

    Args:
        model: An `Encoder`, or one of bertkit's heads on an encoder.
        folder: The folder to write.
        tokenizer: The tokenizer of the encoder's vocabulary; without it the bundle answers no texts.
        length: Tokens that a row is cut to, special tokens included; by default as many as the encoder has positions.

    Raises:
        Error: If the model is not one of bertkit's, the tokenizer or the length does not fit it, or the folder cannot
            be written or holds other things.

    >>> import tempfile
    >>> from bertkit import Classifier, Encoder, EncoderConfig
    >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     save(Classifier(encoder, ["no", "yes"]), f"{place}/answers")
    ...     sorted(path.name for path in Path(place, "answers").iterdir())
    ['bundle.json', 'card.json', 'weights.safetensors']
    """
    check_model(model)
    folder = as_path(folder, "the folder to write")
    config = model.config if isinstance(model, Encoder) else model.encoder.config
    length = row_length(length, tokenizer, config)
    task = bundle.task_of(bundle.describe(model), config)
    card = Card(name=Path(folder).name, task=task.name if task else "encode", recipe="bertkit.save", notes=(NOTE,),
                model={**bundle.describe(model), "encoder": config.to_json()})
    bundle.save(folder, model, tokenizer, card, length=length, task=task)


def check_model(model: Any) -> None:
    """Check that a bundle can hold a model: it is an `Encoder` or a head of bertkit's, not a class derived from one.

    Args:
        model: The model.

    Raises:
        Error: When it is another kind of model, or has matrices of LoRA beside its weights.
    """
    if type(model) in (Encoder, *MODELS.values(), *model_classes().values()):
        if any(getattr(layer, "lora_enabled", False) for layer in model._flatten_layers()):
            raise Error("This model has matrices of LoRA beside its weights, and a bundle holds weights alone; merge "
                        "them first: bertkit.training.adapt.merge_adapters(model).")
        return
    raise Error(f"A bundle holds an Encoder or a head of bertkit's, and a {type(model).__name__} came; keep it with "
                'Keras: model.save("NAME.keras").')


def row_length(length: int | None, tokenizer: Tokenizer | None, config: Any) -> int:
    """Return the number of tokens that rows are cut to.

    Args:
        length: Tokens of a row, or None for as many as the encoder has positions (512 where it has no limit).
        tokenizer: The tokenizer of the encoder, or None.
        config: The `EncoderConfig`.

    Returns:
        Tokens of a row.

    Raises:
        Error: When the length or the tokenizer does not fit the encoder.
    """
    if tokenizer is not None and not isinstance(tokenizer, Tokenizer):
        raise Error(f"tokenizer={tokenizer!r:.60}; wanted a bertkit.Tokenizer: bertkit.Tokenizer.load(PATH).")
    length = (config.max_length or 512) if length is None else length
    check_argument("length", length, Whole(1))
    if tokenizer is not None:
        check_fit(tokenizer, config, length)
    return length
