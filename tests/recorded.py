"""What other implementations computed, and the one way to compare with it: on real positions only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
BATCH = {"input_ids": "token_ids", "token_type_ids": "segment_ids", "attention_mask": "padding_mask",
         "position_ids": "position_ids"}
OUTPUTS = {"sequence_output": "last_hidden_state", "pooled_output": "pooler_output"}


@dataclass(frozen=True)
class Call:
    """One recorded forward pass: the batch, the rest of its inputs, its outputs, its gradients' norms."""

    batch: dict
    others: dict
    outputs: dict
    gradient_norms: dict


def calls(folder):
    """Return {call: Call} of the ref.npz (every call in one file) or the ref_<call>.npz of a folder."""
    files = sorted(folder.glob("ref_*.npz"))
    found = {path.stem.removeprefix("ref_"): _read(np.load(path)) for path in files}
    if (folder / "ref.npz").exists():
        arrays = np.load(folder / "ref.npz")
        for name in sorted({key.split("/")[0] for key in arrays}):
            found[name] = _read({key.removeprefix(f"{name}/"): arrays[key] for key in arrays
                                 if key.startswith(f"{name}/")})
    assert found, f"{folder} holds no recorded call"
    return found


def _read(arrays):
    parts = {"in": {}, "out": {}, "gradnorm": {}}
    for key in arrays:
        part, name = key.split("/", 1)
        parts[part][name] = arrays[key]
    inputs = {BATCH.get(name, name): array for name, array in parts["in"].items()}
    batch = {name: inputs.pop(name) for name in BATCH.values() if name in inputs}
    return Call(batch, inputs, _unstacked(parts["out"]), parts["gradnorm"])


def _unstacked(outputs):
    """The golden files stack what the others number: hidden_states becomes hidden_states.0, .1 ..."""
    found = {OUTPUTS.get(name, name): array for name, array in outputs.items()}
    for name in ("hidden_states", "attentions"):
        found |= {f"{name}.{i}": array for i, array in enumerate(found.pop(name, ()))}
    return found


def traced(encoder, batch):
    """Return an encoder's outputs for a batch, under the names of the recorded ones."""
    outputs = encoder(batch, trace=True)
    trace = outputs["trace"]
    layers = encoder.config.num_layers
    found = {"last_hidden_state": outputs["sequence"], "pooler_output": outputs["pooled"]}
    found |= {f"hidden_states.{i}": trace[f"hidden/{i}"] for i in range(layers + 1)}
    found |= {f"attentions.{i}": trace[f"attention/{i + 1}"] for i in range(layers)}
    return {name: np.array(array) for name, array in found.items()}


def differences(found, call, besides=()):
    """Return {output: largest absolute difference} over every recorded output that is not in `besides`."""
    mask = call.batch.get("padding_mask", np.ones_like(call.batch["token_ids"])).astype(bool)
    wanted = {name: array for name, array in call.outputs.items() if name not in besides}
    assert wanted and set(wanted) <= set(found), f"not computed: {sorted(set(wanted) - set(found))}"
    return {name: _distance(_real(name, found[name], mask), _real(name, array, mask))
            for name, array in wanted.items()}


def _distance(a, b):
    return float(np.abs(a - b).max()) if a.shape == b.shape else np.inf


def _real(name, array, mask):
    if name.startswith("attentions"):                  # [B,N,F,T]: the rows of real queries
        return np.swapaxes(array, 1, 2)[mask]
    return array[mask] if name.startswith(("last_hidden_state", "hidden_states")) else array


def assert_equal(found, call, tolerance, besides=()):
    """Fail, with the outputs that differ by more than `tolerance` (absolute) or are not numbers."""
    wrong = {name: value for name, value in differences(found, call, besides).items()
             if not value <= tolerance}
    assert not wrong, f"beyond {tolerance}: {wrong}"
