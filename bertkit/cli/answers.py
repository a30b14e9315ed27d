"""What a command or a recipe answers, on standard output: lines for a person, or one JSON object."""

import json

from bertkit import card


def give(answer, as_json=False):
    """Print an answer; None is none."""
    if answer is not None:
        print(json.dumps(plain(answer), ensure_ascii=False) if as_json else shown(answer), flush=True)


def plain(answer):
    """Return an answer as JSON values."""
    return answer.to_json() if hasattr(answer, "to_json") else card.plain(answer)


def shown(answer, indent=""):
    """Return an answer as lines for a person: its own text, or one name and value each, parts indented."""
    if hasattr(answer, "text"):
        return answer.text()
    lines = []
    for name, value in plain(answer).items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", shown(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:<20} {_number(value)}")
    return "\n".join(lines)


def _number(value):
    """Return a number as a person reads it, whatever else as it is."""
    if value is None:
        return "undefined"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or abs(value) >= 0.01 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
