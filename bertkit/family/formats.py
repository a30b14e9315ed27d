"""How the checkpoints of a family are published: the names in each format, as values that differ from a parent's.

`names` maps our layers to theirs: "encoder/block_{i}/inner" -> "encoder.layer.{i}.intermediate.dense". {i} counts
blocks; {i} and {j} count groups and the blocks in them, or blocks and their "feed_{j}"; {n} counts blocks of all
groups. The names and the layout of a layer's own tensors (`weight`, `kernel`, `vars/0` ...) belong to the format, in
bertkit/checkpoints. A name of one of our variables ("encoder/block_{i}/attention/query/kernel") stands for that
tensor alone, exactly and not transposed; .T at its end transposes it, and [{i}] takes one part of a tensor that is
stacked over layers.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


def _nothing(_):
    return {}


def _as_it_is(config, _):
    return config


@dataclass(frozen=True)
class HuggingFace:
    """The config.json and the tensor names of transformers.

    Args:
        type: its model_type.
        class_name: beginning of the names of its classes.
        prefix: beginning of the names of the encoder's tensors in a model with a head.
        names: mapping of our layers to theirs.
        config: mapping of our fields to the keys of config.json.
        unused: beginnings of the names of tensors that belong to heads.
        ignored: beginnings of the names of tensors that are not read.
        defaults: values of keys that config.json lacks, where they are not those of the page's CONFIG.
        dropouts: mapping of a head to the key of its rate of dropout.
        read: function from config.json to more fields.
        write: function from the config to the entries that `read` takes.
        read_heads: function from config.json to {head: kind}, where config.json decides the heads.
        write_heads: function from {head: kind} to the entries that `read_heads` takes.
        classes: mapping of the ends of class names to our models, where they are not the usual ones.
        causal: end of the class name of a causal language model.
        tied: value of tie_word_embeddings where config.json has none.
        renames: pairs (regular expression, replacement) that turn the names of other layouts into these.
        joined: mapping of a part of a tensor's name to the parts of several that other layouts have in its place, one
            below the other.
        keeps_pooler: whether models are saved with a pooler that their head does not read.
        first_rows: mapping of a tensor to (the one whose first row is added to all its rows, the key of config.json
            that says whether it is).
    """

    type: str
    class_name: str
    prefix: str
    names: dict[str, str]
    config: dict[str, str]
    unused: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    dropouts: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(("classify", "choose", "tag"),
                                                                              "classifier_dropout"))
    read: Callable[..., Any] = _nothing
    write: Callable[..., Any] = _nothing
    read_heads: Callable[..., Any] = _nothing
    write_heads: Callable[..., Any] = _nothing
    classes: Mapping[str, str] = field(default_factory=dict)
    causal: str = "ForCausalLM"
    tied: bool = True
    renames: tuple[tuple[str, str], ...] = ()
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_pooler: bool = False
    first_rows: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def canonical(self, name: str) -> str:
        """Return the name in the layout of `names` of what another layout calls otherwise.

        Args:
            name: name in a file, without the prefix.

        Returns:
            The name.
        """
        name = name.replace("Norm.gamma", "Norm.weight").replace("Norm.beta", "Norm.bias")
        for pattern, replacement in self.renames:
            name = re.sub(pattern, replacement, name)
        return name

    def but(self, **changes: Any) -> "HuggingFace":
        """Return a copy that differs only in some fields.

        Args:
            **changes: fields with their new values.

        Returns:
            A `HuggingFace`.
        """
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Google:
    """The TensorFlow 1 checkpoints of the original releases.

    Args:
        file: name of the file of the config.
        names: mapping of our layers to theirs.
        config: mapping of our fields to the keys of the config.
        gelu: bertkit's name of the activation that is called "gelu" there.
        unused: beginnings of the names of tensors that belong to heads.
        ignored: beginnings of the names of tensors that are not read.
        read: function from the values of the config to more fields.
        measure: function from (config, shapes of the tensors) to the config that the shapes show.
        parts: other models in the same checkpoint, {name: `Google`}.
    """

    file: str
    names: dict[str, str]
    config: dict[str, str]
    gelu: str
    unused: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    read: Callable[..., Any] = _nothing
    measure: Callable[..., Any] = _as_it_is
    parts: Mapping[str, "Google"] = field(default_factory=dict)

    def but(self, **changes: Any) -> "Google":
        """Return a copy that differs only in some fields.

        Args:
            **changes: fields with their new values.

        Returns:
            A `Google`.
        """
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Preset:
    """The presets of keras-nlp.

    Args:
        class_name: class of the backbone.
        names: mapping of our layers to theirs.
        config: the fields of its config.
        gelu: bertkit's name of its one GELU.
        unused: beginnings of the names of tensors that bertkit does not use.
        read: function from its config to more fields.
    """

    class_name: str
    names: dict[str, str]
    config: tuple[str, ...]
    gelu: str
    unused: tuple[str, ...] = ()
    read: Callable[..., Any] = _nothing

    def but(self, **changes: Any) -> "Preset":
        """Return a copy that differs only in some fields.

        Args:
            **changes: fields with their new values.

        Returns:
            A `Preset`.
        """
        return dataclasses.replace(self, **changes)
