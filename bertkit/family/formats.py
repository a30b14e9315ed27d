"""How a family's checkpoints are published: the names in each format, as values that differ from a parent's.

`names` maps our layers to theirs: "encoder/block_{i}/inner" -> "encoder.layer.{i}.intermediate.dense"; {i} counts
blocks, {i} and {j} groups and the blocks in them, or blocks and their "feed_{j}", {n} blocks of whatever group. How a
layer's own tensors are called (`weight`, `kernel`, `vars/0` ...) and laid out is the format's business, in
bertkit/checkpoints. A name of one of our variables ("encoder/block_{i}/attention/query/kernel") stands for that tensor
alone, exactly and not transposed; .T at its end transposes it, [{i}] takes one part of a tensor that is stacked over
layers.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _nothing(_):
    return {}


def _as_it_is(config, _):
    return config


@dataclass(frozen=True)
class HuggingFace:
    """config.json and tensor names of transformers.

    `type` is its model_type, `class_name` what its classes begin with, `prefix` what the encoder's tensors do in a
    model with a head; `config` maps our fields to its keys. Tensors that begin with one of `unused` are heads, those
    with one of `ignored` are passed over; `defaults` is what a key that config.json lacks means, where that is not
    the page's CONFIG, and `dropouts` names the key of a head's rate. `read` turns config.json into more fields, `write`
    these fields back; `read_heads` gives {head: kind} where config.json decides them, `write_heads` that back;
    `classes` maps the ends of class names to our models where they are not the usual ones, `causal` is the end of the
    class of a causal language model, `tied` says what tie_word_embeddings is when config.json does not, and
    `keeps_pooler` that models are saved with a pooler which their head does not read.
    """

    type: str
    class_name: str
    prefix: str
    names: Mapping
    config: Mapping
    unused: tuple
    ignored: tuple = ()
    defaults: Mapping = field(default_factory=dict)
    dropouts: Mapping = field(default_factory=lambda: dict.fromkeys(("classify", "choose", "tag"),
                                                                    "classifier_dropout"))
    read: Callable = _nothing
    write: Callable = _nothing
    read_heads: Callable = _nothing
    write_heads: Callable = _nothing
    classes: Mapping = field(default_factory=dict)
    causal: str = "ForCausalLM"
    tied: bool = True
    keeps_pooler: bool = False

    def but(self, **changes):
        """Return a copy that differs only in `changes`."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Google:
    """TensorFlow 1 checkpoints of the original releases.

    `file` is the config's name, `config` maps our fields to its keys, `gelu` is what "gelu" means there; `read` turns
    its values into more fields, `measure` (config, shapes of the tensors) into the config that these show. `parts` are
    other models in the same checkpoint: name -> `Google`.
    """

    file: str
    names: Mapping
    config: Mapping
    gelu: str
    unused: tuple
    ignored: tuple = ()
    read: Callable = _nothing
    measure: Callable = _as_it_is
    parts: Mapping = field(default_factory=dict)

    def but(self, **changes):
        """Return a copy that differs only in `changes`."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Preset:
    """Presets of keras-nlp: the class of the backbone, its names, the fields of its config, and its one GELU.

    `read` turns its config into more fields, tensors that begin with one of `unused` are of no use to us.
    """

    class_name: str
    names: Mapping
    config: tuple
    gelu: str
    unused: tuple = ()
    read: Callable = _nothing

    def but(self, **changes):
        """Return a copy that differs only in `changes`."""
        return dataclasses.replace(self, **changes)
