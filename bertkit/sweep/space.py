"""The settings that a sweep tries: the values of each argument, and which combinations in what order.

A search is a generator of settings {name: text}. It is sent the score of each one, or None where it failed.
"""

import importlib
import itertools
import math
import random
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bertkit.errors import Error
from bertkit.requirements import missing


@dataclass(frozen=True)
class Range:
    """A range of numbers: whole ones are drawn uniformly, others uniformly on a logarithmic scale.

    Args:
        low: The smallest.
        high: The largest.
        whole: Whether they are whole numbers.
    """

    low: float
    high: float
    whole: bool

    def draw(self, generator: random.Random) -> str:
        """Draw a number.

        Args:
            generator: The source of the draw.

        Returns:
            The text of the number.
        """
        if self.whole:
            return str(generator.randint(int(self.low), int(self.high)))
        return f"{math.exp(generator.uniform(math.log(self.low), math.log(self.high))):.3g}"


def read_values(over: Iterable[str]) -> dict[str, tuple[str, ...] | Range]:
    """Read "name=a,b,c" and "name=low..high".

    Args:
        over: The texts.

    Returns:
        {name: texts or `Range`}.

    Raises:
        Error: when a text has another form, or names something twice.

    Example:
        >>> read_values(["learning-rate=1e-5,3e-5", "epochs=2..4"])
        {'learning_rate': ('1e-5', '3e-5'), 'epochs': Range(low=2.0, high=4.0, whole=True)}
    """
    space: dict[str, tuple[str, ...] | Range] = {}
    for text in over:
        name, equals, values = text.partition("=")
        name, parts = name.strip().replace("-", "_"), tuple(part.strip() for part in values.split(","))
        if not equals or not name or not all(parts):
            raise Error(f"--over {text} names no values; give NAME=A,B,C or NAME=LOW..HIGH.")
        if name in space or len(set(parts)) < len(parts):
            raise Error(f"--over {text} names a knob or a value that came before; give each once.")
        low, dots, high = values.partition("..")
        space[name] = _range(text, low, high) if dots and ".." not in high else parts
    return space


def _range(text, low, high):
    try:
        ends, whole = (float(low), float(high)), low.strip().isdigit() and high.strip().isdigit()
    except ValueError:
        raise Error(f"--over {text} is no range of numbers; give NAME=LOW..HIGH, such as 1e-5..1e-4.") from None
    if not (whole or 0 < ends[0]) or not ends[0] < ends[1] < math.inf:
        raise Error(f"--over {text} is an empty range, or one that has no logarithm; give 0 < LOW < HIGH.")
    return Range(*ends, whole)


def grid_search(space: Mapping[str, Any], trials: int | None,
                seed: int = 0) -> Generator[dict[str, str], float | None, None]:
    """Yield every combination; the last name changes fastest.

    Args:
        space: {name: texts}.
        trials: None: a grid tries all.
        seed: Not used.

    Yields:
        {name: text}.

    Raises:
        Error: when `trials` is given, and when the space has a range.

    Example:
        >>> list(grid_search({"a": ("1", "2"), "b": ("3",)}, None))
        [{'a': '1', 'b': '3'}, {'a': '2', 'b': '3'}]
    """
    if trials is not None:
        raise Error("A grid tries every combination; give trials with --search random or optuna.")
    for name, values in space.items():
        if isinstance(values, Range):
            raise Error(f"A grid cannot try all of a range ({name}); list the values, or use --search random.")
    for values in itertools.product(*space.values()):
        yield dict(zip(space, values, strict=True))


def random_search(space: Mapping[str, Any], trials: int | None,
                  seed: int = 0) -> Generator[dict[str, str], float | None, None]:
    """Yield different settings that are drawn at random.

    Args:
        space: {name: texts or `Range`}.
        trials: The number of settings; where there are fewer, all of them.
        seed: The seed of the draws.

    Yields:
        {name: text}.

    Raises:
        Error: when `trials` is None or below 1.
    """
    trials = _checked_trials(trials)
    lists = [values for values in space.values() if not isinstance(values, Range)]
    most = math.inf if len(lists) < len(space) else math.prod(map(len, lists))
    generator, seen = random.Random(seed), set()
    for _ in range(100 * trials):                       # ranges of whole numbers may hold fewer than `trials`
        setting = {name: values.draw(generator) if isinstance(values, Range) else generator.choice(values)
                   for name, values in space.items()}
        if tuple(setting.values()) not in seen:
            seen.add(tuple(setting.values()))
            yield setting
        if len(seen) >= min(trials, most):
            return


def optuna_search(space: Mapping[str, Any], trials: int | None,
                  seed: int = 0) -> Generator[dict[str, str], float | None, None]:
    """Yield settings that are drawn near the best so far (tree-structured Parzen estimator, Optuna's default).

    Args:
        space: {name: texts or `Range`}.
        trials: The number of settings.
        seed: The seed of the draws.

    Yields:
        {name: text}.

    Raises:
        Error: when Optuna is not installed.
    """
    trials = _checked_trials(trials)
    try:
        optuna = importlib.import_module("optuna")
    except ImportError:
        raise missing("optuna", "--search optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for _ in range(trials):
        trial = study.ask()
        score = yield {name: _suggested(trial, name, values) for name, values in space.items()}
        if score is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, score)


def _suggested(trial, name, values):
    if not isinstance(values, Range):
        return trial.suggest_categorical(name, values)
    if values.whole:
        return str(trial.suggest_int(name, int(values.low), int(values.high)))
    return f"{trial.suggest_float(name, values.low, values.high, log=True):.3g}"


def _checked_trials(trials):
    if trials is None or trials < 1:
        raise Error(f"trials={trials} tries nothing; give --trials 1 or more with this search.")
    return int(trials)


SEARCHES = {"grid": grid_search, "random": random_search, "optuna": optuna_search}
