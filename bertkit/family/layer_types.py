"""The entries of a config.json that say which layers attend to all tokens, which to near ones, and their rotary base.

There are two spellings: layer_types and rope_parameters, or the keys that they replaced in 2025:
global_attn_every_n_layers, global_rope_theta and local_rope_theta. A local_rope_theta of null is global_rope_theta.
"""

from typing import Any

from bertkit.errors import Error
from bertkit.family.entries import number, whole
from bertkit.kinds import Rotary

FULL, SLIDING = "full_attention", "sliding_attention"


def read(values: dict[str, Any], full: Rotary, sliding: Rotary, every: int = 3) -> tuple[Rotary, ...]:
    """Read the kinds of the layers.

    Args:
        values: the parsed config.json.
        full: kind of a layer that attends to all tokens, where the entries are missing.
        sliding: kind of a layer that attends to near tokens, where the entries are missing.
        every: where the entries are missing, every so many layers one is full, the first one included.

    Returns:
        The shortest cycle of kinds that the layers go through.

    Raises:
        Error: when an entry is malformed, or one that bertkit does not read.
    """
    layers = whole(values, "num_hidden_layers", 1, least=1, most=10_000)
    every = whole(values, "global_attn_every_n_layers", every, least=1)
    window = whole(values, "local_attention", 2 * (sliding.window or 0)) // 2
    base = _base(values, FULL, "global_rope_theta", full.base)
    older = number(values, "global_rope_theta", full.base, least=1)
    near = _base(values, SLIDING, "local_rope_theta", older if "local_rope_theta" in values else sliding.base)
    kinds = {FULL: Rotary(base), SLIDING: Rotary(near, window)}
    types = values.get("layer_types") or [SLIDING if i % every else FULL for i in range(layers)]
    if not isinstance(types, list) or len(types) != layers or not set(map(str, types)) <= set(kinds):
        raise Error(f"layer_types={str(types)[:80]}; wanted {FULL} or {SLIDING} for each of {layers} layers, which "
                    "num_hidden_layers counts.")
    return cycle(tuple(kinds[name] for name in types))


def _base(values, layer_type, older, default):
    """Return the base of the angles of a type of layer."""
    parameters, scaling = values.get("rope_parameters") or {}, values.get("rope_scaling")
    if scaling or not isinstance(parameters, dict) or not set(parameters) <= {FULL, SLIDING}:
        raise Error(f"rope_parameters={str(parameters)[:80]}, rope_scaling={scaling}; bertkit reads {FULL} and "
                    f"{SLIDING} in the first, and nothing in the second.")
    part = parameters.get(layer_type) or {}
    known = isinstance(part, dict) and set(part) <= {"rope_type", "rope_theta"}
    if not known or part.get("rope_type", "default") != "default":
        raise Error(f"rope_parameters: {layer_type}={str(part)[:80]}; bertkit turns by rope_theta, in the default "
                    "rope_type.")
    return number(part, "rope_theta", number(values, older, default, least=1), least=1)


def cycle(kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shortest tuple that, repeated, begins with all of these kinds.

    Args:
        kinds: the kind of each layer.

    Returns:
        The cycle.

    Example:
        >>> cycle((1, 2, 2, 1, 2))
        (1, 2, 2)
    """
    return next(kinds[:n] for n in range(1, len(kinds) + 1) if kinds[n:] == kinds[:-n])


def write(config: Any, full: Rotary, sliding: Rotary) -> dict[str, Any]:
    """Return the entries that `read` takes.

    Args:
        config: an `EncoderConfig`.
        full: kind of a full layer where the config has none.
        sliding: kind of a sliding layer where the config has none.

    Returns:
        A dict of entries of config.json.

    Raises:
        Error: when the layers have more than these two kinds.
    """
    kinds = [config.attention_of(i) for i in range(config.num_layers)]
    rotary = [kind for kind in kinds if isinstance(kind, Rotary)]
    full = next((kind for kind in rotary if kind.window is None), full)
    sliding = next((kind for kind in rotary if kind.window is not None), sliding)
    if others := set(kinds) - {full, sliding}:
        raise Error(f"Hugging Face has models of layers like {full} and {sliding}, and this one has {others.pop()} "
                    "too; save a bundle instead.")
    bases = {FULL: full.base, SLIDING: sliding.base}
    return {"layer_types": [FULL if kind == full else SLIDING for kind in kinds],
            "local_attention": 2 * (sliding.window or 0),
            "rope_parameters": {name: {"rope_type": "default", "rope_theta": base} for name, base in bases.items()}}
