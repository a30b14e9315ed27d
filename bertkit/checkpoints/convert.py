"""From any published form to a bundle, or to a Hugging Face directory."""

from pathlib import Path

from bertkit import checkpoints, family
from bertkit.card import Card
from bertkit.checkpoints import bundle, huggingface
from bertkit.checkpoints.files import new_folder, write_json
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.text import Tokenizer


def convert(source, target, to="bertkit"):
    """Write the checkpoint `source` as a bundle (`to="bertkit"`) or for Hugging Face; return its card.

    The model keeps its head, the vocabulary its order. Raises `Error` if the source does not load whole or
    the target holds other things.
    """
    if to not in ("bertkit", "huggingface"):
        raise Error(f"to={to!r} is unknown; give bertkit or huggingface.")
    folder = checkpoints.local(source)
    model, tokenizer = checkpoints.load(folder), Tokenizer.load(folder)
    encoder = model if isinstance(model, Encoder) else model.encoder
    card = Card(name=Path(target).name, task="encode" if model is encoder else "classify",
                model={**bundle.describe(model), "encoder": encoder.config.to_json()}, recipe="convert",
                knobs={"source": str(source), "to": to})
    if to == "bertkit":
        bundle.save(target, model, tokenizer, card)
        return card
    with new_folder(target) as place:
        huggingface.save(place, model, tokenizer, family.page("bert"))
        write_json(place / "card.json", card.to_json())
    return card
