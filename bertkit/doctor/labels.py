"""Names of labels: 0 to C - 1, as many as the head has outputs, and both maps inverse."""

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs

OUTPUTS = ("classifier.weight", "classifier.out_proj.weight", "logits_proj.weight")


def labels(case: Case) -> Measured:
    """Compare id2label and label2id of a config.json with each other and with the head.

    Args:
        case: The case.

    Returns:
        What was measured.
    """
    config = case.config
    names, back = config.get("id2label"), config.get("label2id")
    weights = case.weights or {}
    outputs = next((len(weights[name]) for name in OUTPUTS if name in weights), None)
    if names is None and case.memory.get("model") is not None and getattr(case.memory["model"], "labels", None):
        names = {str(i): name for i, name in enumerate(case.memory["model"].labels)}
    if names is None and back is None:
        if outputs is None or case.folder is None:
            return needs("id2label in the config") if case.folder is None else does_not_apply("there is no classifier")
        return does_not_apply("the config names no labels")
    return _judged(names or {}, back, outputs)


def _judged(names, back, outputs):
    """Judge both maps; `outputs` is None where there is no head of which the number is known."""
    try:
        keys = sorted(int(key) for key in names)
    except (TypeError, ValueError):
        return ill("A key of id2label is no number.", names=len(names), keys=[str(key) for key in names][:8])
    evidence = {"names": len(names), "outputs": -1 if outputs is None else outputs, "first_key": keys[0] if keys else 0,
                "last_key": keys[-1] if keys else 0}
    if keys != list(range(len(keys))):
        return ill(f"id2label has the keys {keys[0]} to {keys[-1]} for {len(keys)} names; wanted 0 to {len(keys) - 1}.",
                   **evidence)
    if names and outputs is not None and len(names) != outputs:
        return ill(f"id2label names {len(names)} labels, and the head has {outputs} outputs.", **evidence)
    if len(set(map(str, names.values()))) < len(names):
        return ill("Two labels have the same name.", **evidence)
    if names and back is not None and {str(name): int(key) for key, name in names.items()} != {
            str(name): int(key) for name, key in back.items()}:
        return ill("label2id is not the inverse of id2label.", **evidence)
    return healthy(**evidence)
