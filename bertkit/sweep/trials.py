"""The trials of a sweep: each is a recipe in a process of its own, in a folder of its own, done once."""

import dataclasses
import inspect
import json
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bertkit.cli import flags
from bertkit.errors import Error
from bertkit.files.atomic import read_json, sha256, write_json
from bertkit.report import sweep as report
from bertkit.sweep.space import SEARCHES, read_values
from bertkit.terminal import say
from bertkit.training.config import TrainConfig


def sweep(recipe: str, main: Callable[..., Any], words: Sequence[str], out: str | Path, over: Sequence[str] = (),
          seeds: str = "0", search: str = "grid", trials: int | None = None) -> dict[str, Any]:
    """Try settings and seeds over a recipe; write a table and a picture.

    A trial that fails stands in the table with its reason, and the next begins.

    Args:
        recipe: The name of the recipe.
        main: The recipe's function.
        words: The recipe's flags.
        out: The folder of the sweep.
        over: "name=a,b,c" or "name=low..high" of each argument that is tried.
        seeds: The seeds of each setting, such as "0,1,2".
        search: "grid", "random" or "optuna".
        trials: The number of settings, where the search is no grid.

    Returns:
        The summary with the best setting, see `report.sweep.summary`.

    Raises:
        Error: when the recipe lacks an argument, when `out` is that of another sweep, and when no trial succeeds.
    """
    if search not in SEARCHES:
        raise Error(f"search={search} is unknown; give {', '.join(SEARCHES)}.")
    space, numbers, out = read_values(over), read_seeds(seeds), Path(out)
    _check_knobs(main, recipe, space)
    _check_words(main, recipe, words)
    begin_folder(out / "sweep.json", {"recipe": recipe, "words": list(words)}, _paths(words), "trials/*.json")
    (out / "trials").mkdir(exist_ok=True)
    finished: list[dict[str, Any]] = []
    settings, score = SEARCHES[search](space, trials), None
    while (setting := _next(settings, score)) is not None:
        done = [_trial(recipe, main, words, out, setting, seed) for seed in numbers]
        finished += done
        report.write_report(out, recipe, finished)
        scores = [trial["score"] for trial in done]
        score = None if None in scores else report.metric_direction(done[0]["metric"]) * sum(scores) / len(scores)
    return report.write_report(out, recipe, finished, last=True)


def _next(settings, score):
    """Send a search the last setting's score; return the next setting, or None where there is none."""
    try:
        return settings.send(score)
    except StopIteration:
        return None


def read_seeds(text: str) -> list[int]:
    """Read seeds with commas between them.

    Args:
        text: Such as "0,1,2".

    Returns:
        The seeds.

    Raises:
        Error: when they are not different whole numbers.

    Example:
        >>> read_seeds("0,1,2")
        [0, 1, 2]
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts) or len(set(parts)) < len(parts):
        raise Error(f"seeds={text} is no list of different whole numbers; give 0,1,2.")
    return [int(part) for part in parts]


def _check_knobs(main, recipe, space):
    """Raise `Error` for a knob that neither the recipe nor `TrainConfig` has, or that is the sweep's own."""
    own, tuning = _recipe_knobs(main), [field.name for field in dataclasses.fields(TrainConfig)]
    if lacks := [f"--{name}" for name in ("out", "seed") if name not in own]:
        raise Error(f"{recipe} takes no {' and no '.join(lacks)}, so it cannot be tried again and again.")
    for name, values in space.items():
        if name in ("out", "seed"):
            raise Error(f"The sweep itself gives each trial its {name}; give --seeds, and no --over {name}.")
        if name not in own and name not in tuning:
            raise Error(f"{recipe} has no knob {name!r}; there are {', '.join([*own, *tuning])}.")
        if name in tuning and isinstance(values, tuple):
            for value in values:
                TrainConfig().but({name: value})


def _check_words(main, recipe, words):
    """Leave with the recipe's usage where its own flags do not fit; raises `Error` for those that are the sweep's.

    Raises `Error` for a file that is not there, too, before a trial is begun for each setting.
    """
    for word in words:
        if word.split("=")[0] in ("--out", "--seed", "--json"):
            raise Error(f"The sweep itself gives each trial its {word.split('=')[0]}; leave it out after --.")
    made = flags.parser(main, f"bertkit sweep {recipe} ... --")
    flags.check_files(main, made.parse_args([*words, "--out", "trial", "--seed", "0"]))


def _recipe_knobs(main):
    return [name for name, parameter in inspect.signature(main).parameters.items()
            if not dataclasses.is_dataclass(parameter.default)]


def begin_folder(path: Path, what: dict[str, Any], read: Iterable[str | Path], done: str) -> None:
    """Make the folder of a file that records what is tried there, and the checksums of the files that are read.

    Args:
        path: The file.
        what: What is tried, as JSON.
        read: The files that are read; those that are missing are skipped.
        done: A pattern that finds what is finished in the folder.

    Raises:
        Error: when something in the folder is finished, and `what` or one of the files was different then.
    """
    out, kind = path.parent, path.stem
    if not path.exists() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Error(f"{out} is already there and holds no {kind}; choose another --out.")
    sums = {str(file): sha256(file) for file in read if Path(file).exists()}
    before = read_json(path) if path.exists() and any(out.glob(done)) else {}
    then = before.pop("sums", {})
    if before and before != what:
        raise Error(f"{out} holds a {kind} of another recipe or of other flags; choose another --out.")
    if changed := [file for file in sums if then.get(file, sums[file]) != sums[file]]:
        raise Error(f"{changed[0]} has changed since {out} was begun; choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, {**what, "sums": then | sums})


def _paths(words):
    """Return what among a command's words may be a file or a folder."""
    return [word.split("=", 1)[-1] if word.startswith("--") else word for word in words]


def _trial(recipe, main, words, out, setting, seed):
    """Return what became of one trial, having run it unless it is done: {"setting", "seed", "score", "error" ...}."""
    folder = out / "trials" / _name(setting, seed)
    record = folder.with_name(folder.name + ".json")
    if record.exists():
        return read_json(record)
    began = time.monotonic()
    command = [recipe, *words, *_flags(main, setting), "--seed", str(seed), "--out", str(folder), "--json"]
    card, error = run_command(command, folder.with_name(folder.name + ".log"))
    trial = {"setting": setting, "seed": seed, "folder": folder.name, "metric": None, "score": None, "error": error,
             "seconds": round(time.monotonic() - began, 1)}
    if card is not None:
        trial |= _score(card, setting)
        write_json(record, trial)
    reached = trial["error"] or f"dev {trial['metric']} {trial['score']:.4f}"
    say(f"{folder.name}: {reached} ({trial['seconds']:.0f} s)")
    return trial


def _name(setting, seed):
    """Return the name of a trial's folder: what is tried in it, with a number where that makes no name of a file."""
    text = ",".join(f"{name}={value}" for name, value in {**setting, "seed": seed}.items())
    plain = re.sub(r"[^\w.,=+-]", "_", text)[:120]
    return plain if plain == text else f"{plain}-{zlib.crc32(text.encode()):08x}"


def _flags(main, setting):
    own = _recipe_knobs(main)
    return [f"--{name.replace('_', '-')}={value}" if name in own else f"--set={name}={value}"
            for name, value in setting.items()]


def run_command(words: Sequence[str], log: Path) -> tuple[dict[str, Any] | None, str | None]:
    """Run `bertkit` in a process of its own, because what compilers keep is only freed with the process.

    Args:
        words: The command.
        log: The file for what the command says meanwhile.

    Returns:
        (the card that it prints, None), or (None, what went wrong).
    """
    with open(log, "w", encoding="utf-8") as stream:
        done = subprocess.run([sys.executable, "-m", "bertkit", *words], stdout=subprocess.PIPE, stderr=stream,
                              stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [f"exit {done.returncode}"]
        return None, lines[-1].removeprefix("bertkit: ")[:500]
    return json.loads(done.stdout.decode("utf-8").strip().splitlines()[-1]), None


def _score(card, setting):
    """Return the dev score that decides: of the metric that all trials' tuning names, else the first of the card."""
    scores = {name: value["score"] for name, value in card.get("scores", {}).get("dev", {}).items()
              if isinstance(value, dict) and "score" in value}
    if not scores:
        raise Error(f"The recipe {card.get('recipe')} reports no score on dev, so there is nothing to choose by.")
    named = None if "metric" in setting else card.get("knobs", {}).get("tuning", {}).get("metric")
    name = named or next(iter(scores))
    defined = scores[name] is not None                  # a card holds null in the place of NaN
    return {"metric": name, "score": scores[name], "error": None if defined else f"dev {name} is undefined"}
