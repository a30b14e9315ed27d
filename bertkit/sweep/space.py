"""The settings that a sweep tries: what each knob may be, and which of all these in what order.

A search is a generator of settings {knob: text}, which is sent each one's score, or None where it failed.
"""

import importlib
import itertools
import math
import random
from dataclasses import dataclass

from bertkit.errors import Error
from bertkit.requirements import missing


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, drawn evenly on a logarithmic scale; `whole` ones evenly on the plain scale."""

    low: float
    high: float
    whole: bool

    def draw(self, generator):
        """Return the text of a number."""
        if self.whole:
            return str(generator.randint(int(self.low), int(self.high)))
        return f"{math.exp(generator.uniform(math.log(self.low), math.log(self.high))):.3g}"


def read(over):
    """Return {knob: texts or Range} of ["name=a,b,c", "name=low..high" ...]; raises `Error` on anything else.

    >>> read(["learning-rate=1e-5,3e-5", "epochs=2..4"])
    {'learning_rate': ('1e-5', '3e-5'), 'epochs': Range(low=2.0, high=4.0, whole=True)}
    """
    found = {}
    for text in over:
        name, equals, values = text.partition("=")
        name, parts = name.strip().replace("-", "_"), tuple(part.strip() for part in values.split(","))
        if not equals or not name or not all(parts):
            raise Error(f"--over {text} names no values; give NAME=A,B,C or NAME=LOW..HIGH.")
        if name in found or len(set(parts)) < len(parts):
            raise Error(f"--over {text} names a knob or a value that came before; give each once.")
        found[name] = _range(text, *values.split("..")) if values.count("..") == 1 else parts
    return found


def _range(text, low, high):
    try:
        ends, whole = (float(low), float(high)), low.strip().isdigit() and high.strip().isdigit()
    except ValueError:
        raise Error(f"--over {text} is no range of numbers; give NAME=LOW..HIGH, such as 1e-5..1e-4.") from None
    if not (whole or 0 < ends[0]) or not ends[0] < ends[1] < math.inf:
        raise Error(f"--over {text} is an empty range, or one that has no logarithm; give 0 < LOW < HIGH.")
    return Range(*ends, whole)


def grid(space, trials, seed=0):
    """Yield every combination, the last knob changing fastest."""
    if trials is not None:
        raise Error("A grid tries every combination; give trials with --search random or optuna.")
    for name, values in space.items():
        if isinstance(values, Range):
            raise Error(f"A grid cannot try all of a range ({name}); list the values, or use --search random.")
    for values in itertools.product(*space.values()):
        yield dict(zip(space, values, strict=True))


def at_random(space, trials, seed=0):
    """Yield `trials` different settings, drawn by `seed`; all that there are where these are fewer."""
    _check_trials(trials)
    ranges = [values for values in space.values() if isinstance(values, Range)]
    most = math.inf if ranges else math.prod(map(len, space.values()))
    generator, seen = random.Random(seed), set()
    for _ in range(100 * trials):                       # ranges of few whole numbers may hold fewer than are wanted
        setting = {name: values.draw(generator) if isinstance(values, Range) else generator.choice(values)
                   for name, values in space.items()}
        if tuple(setting.values()) not in seen:
            seen.add(tuple(setting.values()))
            yield setting
        if len(seen) >= min(trials, most):
            return


def by_optuna(space, trials, seed=0):
    """Yield `trials` settings, each drawn near the best so far (tree-structured Parzen estimator, Optuna's default)."""
    _check_trials(trials)
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


def _check_trials(trials):
    if trials is None or trials < 1:
        raise Error(f"trials={trials} tries nothing; give --trials 1 or more with this search.")


SEARCHES = {"grid": grid, "random": at_random, "optuna": by_optuna}
