"""Epochs, batch size and learning rate for so many rows and so large an encoder, where a recipe is given none."""

import math
from typing import Any, Literal, NamedTuple

AUTO: Literal["auto"] = "auto"
Count = int | Literal["auto"]
Rate = float | Literal["auto"]

# 5e-5 for 768 features (Devlin et al. 2018, appendix A.3), more for narrower encoders and less for wider ones; the
# narrowest and the widest that were published with a rate: 3e-4 (Turc et al. 2019, BERT-tiny; Clark et al. 2020,
# appendix B, ELECTRA-small) and 1e-5 (Liu et al. 2019, RoBERTa-large; Lan et al. 2019, ALBERT-xxlarge).
RATE, WIDTH, LOWEST, HIGHEST = 5e-5, 768, 1e-5, 3e-4
# Epochs: 20 for 200 rows (Mosbach et al. 2020, arXiv 2006.04884), fewer for more, so that the updates grow as √rows;
# 3 for many rows (Devlin et al. 2018, appendix A.3: 2 to 4), and 30 for the fewest (benchmarks/results/defaults.md).
EPOCHS, ROWS, FEWEST, MOST = 20, 200, 3, 30
SMALL, LARGE, MANY = 16, 32, 10_000     # rows in a step, and the rows from which on it is the large number


class Recommended(NamedTuple):
    """The knobs that a run is trained with.

    Args:
        epochs: Passes over the training rows.
        batch_size: Rows in a step.
        learning_rate: The highest rate, after the warm-up.
    """

    epochs: int
    batch_size: int
    learning_rate: float


def recommend(rows: int, hidden_dim: int, epochs: Count = AUTO, batch_size: Count = AUTO,
              learning_rate: Rate = AUTO) -> Recommended:
    """Return the knobs of a run, those that are "auto" chosen by the number of rows and the encoder's width.

    epochs = 20 · √(200 / rows), 3 to 30;  rate = 5e-5 · (768 / hidden_dim)², 1e-5 to 3e-4;
    batch = 16, from 10,000 rows on 32.

    Args:
        rows: training rows; of a text that is cut into windows, each counts.
        hidden_dim: features of a token inside the encoder.
        epochs: passes over the training rows, or "auto".
        batch_size: rows in a step, or "auto".
        learning_rate: the highest, after the warm-up, or "auto".

    Returns:
        Numbers for all three.

    >>> recommend(400, hidden_dim=384)
    Recommended(epochs=14, batch_size=16, learning_rate=0.0002)
    >>> recommend(400_000, hidden_dim=768)
    Recommended(epochs=3, batch_size=32, learning_rate=5e-05)
    """
    if batch_size == AUTO:
        batch_size = SMALL if rows < MANY else LARGE
    if epochs == AUTO:
        passes = min(MOST, max(FEWEST, round(EPOCHS * math.sqrt(ROWS / rows))))
        epochs = passes
    if learning_rate == AUTO:
        learning_rate = float(f"{min(HIGHEST, max(LOWEST, RATE * (WIDTH / hidden_dim) ** 2)):.1e}")
    return Recommended(epochs, batch_size, learning_rate)


def explain_choice(rows: int, hidden_dim: int, knobs: dict[str, Any], chosen: Recommended) -> str:
    """Return a sentence that says what was chosen and why.

    Args:
        rows: Training rows.
        hidden_dim: Features of a token inside the encoder.
        knobs: {"epochs", "batch_size", "learning_rate"} as the user gave them, numbers or "auto".
        chosen: What `recommend` returned for these.

    Returns:
        The sentence; "" where nothing was "auto".

    >>> explain_choice(400, 384, {"epochs": 4, "batch_size": "auto", "learning_rate": "auto"}, Recommended(4, 16, 2e-4))
    'Chosen (auto): batch size 16 and learning rate 0.0002, for 400 training rows and an encoder of 384 features.'
    """
    reasons = {"epochs": f"{chosen.epochs} epochs ({-(-rows // max(1, chosen.batch_size)) * chosen.epochs} steps)",
               "batch_size": f"batch size {chosen.batch_size}",
               "learning_rate": f"learning rate {chosen.learning_rate:g}"}
    sentences = [reason for name, reason in reasons.items() if knobs[name] == AUTO]
    if not sentences:
        return ""
    listed = ", ".join(sentences[:-1]) + " and " * (len(sentences) > 1) + sentences[-1]
    return f"Chosen (auto): {listed}, for {rows:,} training rows and an encoder of {hidden_dim} features."
