"""The entries of a config.json that say which layers attend to all tokens and which to near ones, and how they turn.

Two spellings: layer_types and rope_parameters, or what stood for them until 2025: global_attn_every_n_layers,
global_rope_theta and local_rope_theta.
"""

from bertkit.errors import Error
from bertkit.family.entries import number, whole
from bertkit.kinds import Rotary

FULL, SLIDING = "full_attention", "sliding_attention"


def read(values, full, sliding, every=3):
    """Return the shortest cycle of `Rotary` kinds that the layers go through.

    `full`, `sliding` and `every` stand for absent entries: the two kinds, and that every so many layers, from the first
    on, one is full.
    """
    layers = whole(values, "num_hidden_layers", 1, least=1, most=10_000)
    every = whole(values, "global_attn_every_n_layers", every, least=1)
    window = whole(values, "local_attention", 2 * sliding.window) // 2
    kinds = {FULL: Rotary(_base(values, FULL, "global_rope_theta", full.base)),
             SLIDING: Rotary(_base(values, SLIDING, "local_rope_theta", sliding.base), window)}
    types = values.get("layer_types") or [SLIDING if i % every else FULL for i in range(layers)]
    if not isinstance(types, list) or len(types) != layers or not set(map(str, types)) <= set(kinds):
        raise Error(f"layer_types={str(types)[:80]}; wanted {FULL} or {SLIDING} for each of {layers} layers, which "
                    "num_hidden_layers counts.")
    return cycle(tuple(kinds[name] for name in types))


def _base(values, layer_type, older, default):
    """Return the base of the angles of a type of layer."""
    given, scaling = values.get("rope_parameters") or {}, values.get("rope_scaling")
    if scaling or not isinstance(given, dict) or not set(given) <= {FULL, SLIDING}:
        raise Error(f"rope_parameters={str(given)[:80]}, rope_scaling={scaling}; bertkit reads {FULL} and {SLIDING} in "
                    "the first, and nothing in the second.")
    part = given.get(layer_type) or {}
    known = isinstance(part, dict) and set(part) <= {"rope_type", "rope_theta"}
    if not known or part.get("rope_type", "default") != "default":
        raise Error(f"rope_parameters: {layer_type}={str(part)[:80]}; bertkit turns by rope_theta, in the default "
                    "rope_type.")
    return number(part, "rope_theta", number(values, older, default, least=1), least=1)


def cycle(kinds):
    """Return the shortest tuple that, repeated, begins with all of these."""
    return next(kinds[:n] for n in range(1, len(kinds) + 1) if kinds[n:] == kinds[:-n])


def write(config, full, sliding):
    """Return the entries that `read` takes; raises `Error` where there are other kinds of layers than two."""
    kinds = [config.attention_of(i) for i in range(config.num_layers)]
    rotary = [kind for kind in kinds if isinstance(kind, Rotary)]
    full = next((kind for kind in rotary if kind.window is None), full)
    sliding = next((kind for kind in rotary if kind.window is not None), sliding)
    if others := set(kinds) - {full, sliding}:
        raise Error(f"Hugging Face has models of layers like {full} and {sliding}, and this one has {others.pop()} "
                    "too; save a bundle instead.")
    bases = {FULL: full.base, SLIDING: sliding.base}
    return {"layer_types": [FULL if kind == full else SLIDING for kind in kinds], "local_attention": 2 * sliding.window,
            "rope_parameters": {name: {"rope_type": "default", "rope_theta": base} for name, base in bases.items()}}
