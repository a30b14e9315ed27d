"""The files that one export makes, each proved and measured, of which one is taken."""

import dataclasses
import functools
from pathlib import Path

from bertkit.card import Card
from bertkit.checkpoints.ranges import read_ranges
from bertkit.compress.simulation import has_full_blocks
from bertkit.data.inputs import Labelled
from bertkit.errors import Error
from bertkit.export import ladder, mask, parity, source
from bertkit.export.convert import convert
from bertkit.export.proof import Proof, costs_of_lengths
from bertkit.files.atomic import write_text
from bertkit.ondevice.latency import cpu_time, latency, load_average, peak_memory
from bertkit.ondevice.runner import MODEL, load, write_facts
from bertkit.predictor import Predictor
from bertkit.report.ladder import render_ladder
from bertkit.terminal import say

AUTO, PAGE = "auto", "ladder.html"
TIMED_TEXTS = 50
STATIC = ("int8-static", "int8-full")       # those whose ranges calibration rows give, or training
# What the card says of their mask, whose constant follows the ranges (see `static.static_ranges`, `Rounded`).
HIDDEN = {"hidden_by": "the lowest level of the scores' range"}
UNTRAINED = ("The bundle was not trained for int8-full (see `bertkit quantize`): its ranges were measured on "
             "calibration rows.")


class Export:
    """One export: what is converted, from what, and into which folder.

    Args:
        folder: The folder of the bundle.
        place: The folder to write.
        bundle: The `Predictor` of the bundle.
        labelled: Labelled inputs, or None.
        lengths: Tokens of a row, of each signature, in order.
    """

    def __init__(self, folder: str | Path, place: Path, bundle: Predictor, labelled: Labelled | None,
                 lengths: list[int]) -> None:
        self.folder, self.place, self.bundle, self.labelled, self.lengths = folder, place, bundle, labelled, lengths

    def run(self, name: str, precision: str, max_drop: float, prefer: str) -> Card:
        """Convert, prove, measure, and leave one file.

        Args:
            name: The name of the folder in the end.
            precision: One of `parity.LADDER`, or "auto".
            max_drop: Points of the main metric that the file may lose.
            prefer: "size" or "speed".

        Returns:
            The `Card`.

        Raises:
            Error: As `export_tflite` raises it.
        """
        names = self._names() if precision == AUTO else (precision,)
        proofs, entries = self._candidates(names, max_drop)
        if precision == AUTO:
            chosen = ladder.choose(entries, max_drop, prefer)
        else:
            (chosen,) = entries
            chosen["chosen"] = True
            if refusal := chosen["fell"]:
                raise Error(refusal)
        taken = chosen["precision"]
        self._keep(taken, names)
        say(parity.cut_rows(proofs[taken]["cut"]))
        say(ladder.table(entries))
        card = self._card(name, taken, proofs[taken], entries)
        write_text(self.place / PAGE, render_ladder(card))
        return card

    @functools.cached_property
    def _calibration(self):
        """The calibration rows of the bundle at the longest length, or None."""
        return source.calibration_rows(self.folder, self.bundle.tokenizer, self.lengths[-1])

    def _obstacle(self, name):
        """Return why a precision cannot be made of this bundle, or None."""
        config = self.bundle.model.encoder.config
        if name not in STATIC:
            return None
        if self._calibration is None and not self._learnt(name):
            return "needs calibration rows, and the bundle keeps none (train it without --set calibration=0)"
        if not has_full_blocks(config):
            return f"is made for blocks like BERT's, and {config.family} has others"
        return None

    def _learnt(self, name):
        """Return whether the bundle was trained for a precision."""
        found = read_ranges(self.folder)
        return found is not None and found.precision == name

    def _names(self):
        """Return the precisions that "auto" tries; say why one is left out."""
        names = [name for name in parity.LADDER if name != "int8-full"]
        for name in names:
            if obstacle := self._obstacle(name):
                say(f"{name} is left out: it {obstacle}.")
        return tuple(name for name in names if not self._obstacle(name))

    def _candidates(self, names, max_drop):
        """Write PRECISION.tflite of each name; return {name: what the proof found} and the entries of the ladder."""
        if len(self.lengths) > 1 and "int8-full" in names:
            raise Error("int8-full takes rows of one length; give --length.")
        rows, masking = self._rows(names)
        files = {name: self.place / f"{name}.tflite" for name in names}
        tokens = ", ".join(map(str, self.lengths))
        say(f"Converting to {', '.join(names)} at {tokens} tokens, in a process of its own.")
        drifts = convert(self.folder, files, masking["masked_score"], rows, self.lengths)
        write_facts(self.place, self.bundle.tokenizer, self.bundle.task, self.lengths)
        whole = source.calibration_rows(self.folder, self.bundle.tokenizer, self.bundle.length) or rows
        prove, proofs, entries = Proof(self.bundle, rows, whole, self.labelled), {}, []
        for name in names:
            on = f" on the {len(self.labelled)} rows of {Path(self.labelled.path).name}" if self.labelled else ""
            say(f"Comparing the {name} file with the model as trained{on}.")
            found = prove.of(load(self.place, files[name].name), name, max_drop)
            proofs[name] = {"precision": name, "length": self.lengths[-1], "lengths": self.lengths,
                            "mask": HIDDEN if name in STATIC else masking, **found}
            entries.append(ladder.entry(name, files[name].stat().st_size, found,
                                        {**_measured(self.place, files[name].name), "layers": drifts.get(name, {})}))
        return proofs, entries

    def _rows(self, names):
        """Return rows to calibrate and compare on, and the masked score with what it was seen to do there."""
        for name in names:
            if obstacle := self._obstacle(name):
                raise Error(f"{name} {obstacle}; take --precision int8.")
        rows = self._calibration
        if rows is None:
            rows = source.random_rows(self.bundle.tokenizer, self.lengths[-1])
            return self._inputs(rows), {"masked_score": mask.FLOAT, "rows": 0}
        say("Looking at the attention scores of the calibration rows.")
        return self._inputs(rows), mask.measure_masking(self.bundle.model, rows, mask.FLOAT)

    def _inputs(self, rows):
        """Return the entries that the file will take: a family without segments has no segment_ids."""
        return {name: values for name, values in rows.items()
                if name != "segment_ids" or self.bundle.model.encoder.config.reads_segments}

    def _keep(self, taken, names):
        """Leave the file that was taken, under its final name, and what answers need."""
        (self.place / f"{taken}.tflite").rename(self.place / MODEL)
        for name in names:
            (self.place / f"{name}.tflite").unlink(missing_ok=True)
        write_facts(self.place, self.bundle.tokenizer, self.bundle.task, self.lengths)

    def _card(self, name, taken, proof, entries):
        """Return the bundle's card with what was measured on the file."""
        inputs = self.labelled.inputs if self.labelled else source.probes(self.bundle.task)
        names = [one for one in ("token_ids", "padding_mask", "segment_ids")
                 if one != "segment_ids" or self.bundle.model.encoder.config.reads_segments]
        tensors = dict.fromkeys(names, " or ".join(f"int32 [1, {length}]" for length in self.lengths))
        card = Card.read(Path(self.folder) / "card.json")
        if self.labelled:
            proof = {**proof, "lengths_of_dev": costs_of_lengths(self.bundle, self.labelled.inputs)}
        return dataclasses.replace(
            card, name=name, parity=proof, ladder=tuple(entries),
            latency={"unit": "ms of the clock, median", "load_average": load_average(),
                     **latency(self.place, inputs[:TIMED_TEXTS])},
            inputs={"reads": list(self.bundle.task.reads), **tensors},
            bytes={path.name: path.stat().st_size for path in sorted(self.place.iterdir())},
            notes=card.notes + ((UNTRAINED,) if taken == "int8-full" and not self._learnt(taken) else ()))


def _measured(place, file):
    """Return what a file costs on this machine."""
    return {"cpu_ms": cpu_time(place, 1, file), "cpu_ms_2_threads": cpu_time(place, 2, file),
            "load_average": load_average(), "peak_memory": peak_memory(place, file)}
