"""What a command or a recipe answers, on standard output: lines for a person, or one JSON object."""

import json
from typing import Any

from bertkit import card


def print_answer(answer: Any, as_json: bool = False) -> None:
    """Print an answer on standard output.

    Args:
        answer: A `Card`, or a dict of JSON values; None prints nothing.
        as_json: Whether to print one JSON object instead of lines for a person.

    >>> print_answer({"rows": 12000})
    rows                 12,000
    """
    if answer is not None:
        print(json.dumps(answer_to_json(answer), ensure_ascii=False) if as_json else format_answer(answer), flush=True)


def answer_to_json(answer: Any) -> Any:
    """Return an answer as JSON values.

    Args:
        answer: A `Card`, or a dict.

    Returns:
        JSON values.
    """
    return answer.to_json() if hasattr(answer, "to_json") else card.json_value(answer)


def format_answer(answer: Any, indent: str = "") -> str:
    """Return an answer as lines for a person: its own text, or one name and value each, parts indented.

    Args:
        answer: A `Card`, or a dict.
        indent: Spaces before each line.

    Returns:
        The lines.

    >>> print(format_answer({"dev": {"accuracy": 0.91234}}))
    dev
      accuracy             0.9123
    """
    if hasattr(answer, "text"):
        return answer.text()
    lines = []
    for name, value in answer_to_json(answer).items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", format_answer(value, indent + "  ")]
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
