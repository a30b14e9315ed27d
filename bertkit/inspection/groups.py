"""What a model makes of groups of people: CrowS-Pairs, WEAT, and swaps in the user's own rows, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.inputs import Labelled, print_skipped
from bertkit.data.labelled import read_labelled
from bertkit.data.unlabelled import read_rows
from bertkit.errors import Error
from bertkit.extraction import features
from bertkit.inspection.comparison import cut
from bertkit.inspection.masked import MaskedModel
from bertkit.inspection.mitigation import augment, erase_groups
from bertkit.inspection.stereotypes import crows_pairs, read_pairs
from bertkit.inspection.swaps import Swaps, group_gaps, read_swaps, swap_rate
from bertkit.inspection.word_lists import read_lists, weat
from bertkit.predictor import Predictor
from bertkit.report.bias import render_bias
from bertkit.report.shown import Shown
from bertkit.terminal import say
from bertkit.text import Tokenizer

ERASED = ("Both were measured on the rows that the map was fitted on; measure them again on others, with bias and "
          "compare. What the encoder computes still holds the group, and a model that is not linear may tell it.")
SHOWN = 5           # changed rows that a screen shows


@dataclass(frozen=True)
class Bias(Shown):
    """What was measured of a model.

    Args:
        model: What it is called.
        numbers: {"crows_pairs", "weat", "swaps", "augmented", "erased": what each measure returned}, those that were
            asked for.
    """

    model: str
    numbers: dict[str, Any]

    def page(self) -> str:
        """Return it as a page.

        Returns:
            The HTML (see `report.bias`).
        """
        return render_bias(self)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON.

        Returns:
            {"model", and "crows_pairs", "weat", "swaps", "augmented", "erased" as far as they were asked for}.
        """
        return {"model": self.model, **self.numbers}

    def sentences(self) -> list[tuple[str, list[str]]]:
        """Return the numbers in sentences, each measure with what its numbers mean and do not mean.

        Returns:
            (name of the measure, its sentences) of each.
        """
        told = {"crows_pairs": ("CrowS-Pairs", _of_pairs), "weat": ("WEAT", _of_lists),
                "swaps": ("Swaps in your rows", _of_swaps), "augmented": ("Rows to train on", _of_copies),
                "erased": ("With the groups taken out of the last layer", _of_erased)}
        return [(title, words(self.numbers[name])) for name, (title, words) in told.items() if name in self.numbers]

    def text(self) -> str:
        """Return the numbers as lines for a person.

        Returns:
            The lines.
        """
        lines = [line for title, sentences in self.sentences() for line in (title, *sentences, "")]
        for one in islice(self.numbers.get("swaps", {}).get("examples", ()), SHOWN):
            lines += [f"{one['before']} became {one['after']}", *(f"    {cut(text)}" for text in one["text"]),
                      *(f" -> {cut(text)}" for text in one["swapped"]), ""]
        return "\n".join(lines).rstrip()


def bias(model: str | Path, pairs: Data | None = None, lists: Sequence[str | Path] = (),
         swaps: Swaps | str | Path | None = None, data: Data | None = None, columns: Columns = Columns(),
         skip_bad_rows: bool = False, augmented: str | Path | None = None,
         erased: str | Path | None = None) -> Bias:
    """Measure what a model makes of groups of people.

    Args:
        model: A checkpoint with its pre-training head for `pairs`, any encoder for `lists`, a bundle of a task for
            `swaps`.
        pairs: The file of CrowS-Pairs (see `read_pairs`).
        lists: Files of WEAT's word lists (see `read_lists`).
        swaps: Words to exchange in the rows of `data`, or a file of them (see `read_swaps`).
        data: Rows of the model's task; where they are labelled, errors of the two groups are compared too.
        columns: Names of the columns of `data`.
        skip_bad_rows: Whether to leave rows of `data` out that cannot be used.
        augmented: A file to write the rows of `data` to, with a swapped copy of each (see `augment`).
        erased: A folder to write a bundle to whose last layer cannot tell the groups (see `erase_groups`).

    Returns:
        The `Bias`.

    Raises:
        Error: When nothing is asked for, a file cannot be read, or the model cannot answer what is asked.
    """
    if (swaps is None) != (data is None):
        raise Error("Words to swap and the rows to swap them in go together; give both --swaps and --data.")
    if pairs is None and not lists and swaps is None:
        raise Error("There is nothing to measure; give --crows-pairs, --weat, or --swaps with --data.")
    if swaps is None and (augmented is not None or erased is not None):
        raise Error("--augment and --erase change what --swaps measures; give both --swaps and --data.")
    read = None if pairs is None else read_pairs(pairs)
    tests = [read_lists(path) for path in lists]
    words = read_swaps(swaps) if isinstance(swaps, str | Path) else swaps
    numbers: dict[str, Any] = {}
    if read is not None:
        numbers["crows_pairs"] = crows_pairs(MaskedModel(model), read).to_json()
    if tests:
        encoder, tokenizer = checkpoints.load(model, part="encoder"), Tokenizer.load(model)
        numbers["weat"] = weat(lambda texts: features(encoder, texts, tokenizer), tests)
    if words is not None and data is not None:
        predictor = Predictor(model)
        rows = _rows(predictor.task, data, columns, skip_bad_rows)
        numbers["swaps"] = _swapped(predictor, words, rows)
        if augmented is not None:
            numbers["augmented"] = augment(predictor.task, data, words, augmented, columns, skip_bad_rows)
        if erased is not None:
            numbers["erased"] = _erased(predictor, words, rows, numbers["swaps"], erased)
    return Bias(Path(model).name, numbers)


def _rows(task, data, columns, skip_bad_rows):
    """Return the rows of a file, labelled where they can be read so."""
    try:
        return read_labelled(task, data, columns, skip_bad_rows=skip_bad_rows)
    except Error as error:
        say(f"{error} Without labels the answers are compared, not the errors.")
        return print_skipped(read_rows(task, data, columns, skip_bad_rows))


def _swapped(predictor, words, rows):
    gaps = group_gaps(predictor, words, rows.inputs, rows.targets) if isinstance(rows, Labelled) else None
    return swap_rate(predictor, words, rows.inputs) | ({} if gaps is None else {"groups": gaps})


def _erased(predictor, words, rows, before, folder):
    """Write the bundle without the groups; return its swap rate and its score beside those of the first."""
    scored = isinstance(rows, Labelled)
    scores = [predictor.task.scores(rows.targets, predictor.predictions(rows.inputs))] if scored else []
    erase_groups(predictor, words, rows.inputs)
    after = swap_rate(predictor, words, rows.inputs)
    scores += [predictor.task.scores(rows.targets, predictor.predictions(rows.inputs))] if scored else []
    note = (f"The groups of {', '.join(' and '.join(pair) for pair in words.pairs[:5])} ... were taken out of what the "
            f"last layer of {predictor.version} reads (LEACE).")
    bundle.save(folder, predictor.model, predictor.tokenizer, Card(
        Path(folder).name, predictor.task.name, bundle.describe(predictor.model), recipe="bias", notes=(note,)),
        length=predictor.length, task=predictor.task)
    name = next(iter(predictor.task.metrics))
    return {"folder": str(folder), "rate_before": before["rate"], "rate_after": after["rate"], "low": after["low"],
            "high": after["high"], **({"metric": name, "before": scores[0][name], "after": scores[1][name]} if scored
                                      else {}), "meaning": ERASED}


def _of_pairs(found):
    control = "could not be measured" if found["control"] is None else (
        f"is {found['control']:.1f} ({found['control_low']:.1f} to {found['control_high']:.1f}, "
        f"{found['control_pairs']:,} pairs)")
    kinds = ", ".join(f"{kind} {one['score']:.1f} of {one['pairs']}" for kind, one in found["by_type"].items())
    return [f"Score {found['score']:.1f} (95 % interval {found['low']:.1f} to {found['high']:.1f}, {found['pairs']:,} "
            f"pairs); the control {control}.", *([f"By type: {kinds}."] if kinds else []), found["meaning"]]


def _of_lists(found):
    return [*(f"{one['name']}: effect {one['effect']:.3f}, p {one['p']:.4f} ({one['targets'][0]} and "
              f"{one['targets'][1]}, {one['attributes'][0]} and {one['attributes'][1]}; {one['words'][0]} and "
              f"{one['words'][1]} targets)." for one in found), found[0]["meaning"]]


def _of_swaps(found):
    lines = [f"{found['changed']:,} of {found['rows']:,} answers change, {found['rate']:.1%} (95 % interval "
             f"{found['low']:.1%} to {found['high']:.1%}); {found['read']:,} rows were read.", found["meaning"]]
    return lines + (_of_groups(found["groups"]) if "groups" in found else [])


def _of_copies(found):
    return [f"{found['rows']:,} rows and {found['swapped']:,} swapped copies were written. Train on them as on the "
            "first, and measure the new bundle again."]


def _of_erased(found):
    scores = f"; {found['metric']} goes from {found['before']:.4f} to {found['after']:.4f}" if "metric" in found else ""
    return [f"Changed answers go from {found['rate_before']:.1%} to {found['rate_after']:.1%} (95 % interval "
            f"{found['low']:.1%} to {found['high']:.1%}){scores}.", found["meaning"]]


def _of_groups(groups):
    odds, errors = groups["equalized_odds"], groups["calibration_error"]
    lines = [f"Rows with words of the left side alone: {groups['rows'][0]:,}, of the right side alone: "
             f"{groups['rows'][1]:,}."]
    if odds is not None:
        lines.append(f"Equalised odds: the largest gap of a class's true or false positive rate is {odds['gap']:.3f} "
                     f"(95 % interval {odds['low']:.3f} to {odds['high']:.3f}).")
    if None not in errors:
        lines.append(f"Calibration error: {errors[0]:.3f} and {errors[1]:.3f}.")
    if positives := groups.get("false_positives"):
        rates = [f"{part['rate']:.1%} of {part['rows']:,} rows {name} such a word ({part['low']:.1%} to "
                 f"{part['high']:.1%})" for name, part in positives.items() if name != "positive" and part["rows"]]
        lines.append(f"Taken for {positives['positive']} and of the other class: {'; '.join(rates)}.")
    return [*lines, groups["meaning"]]
