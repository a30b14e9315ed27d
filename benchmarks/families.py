"""Check every family end to end and write the table of what was found.

    python benchmarks/families.py [--only roberta ...] [--write docs/families.md]

For each golden classifier of tests/golden/families (random weights, references by transformers): the largest difference
of its outputs, of the norms of its gradients, whether a bundle gives the same bits, how far a strings-in SavedModel and
the .tflite files are from the model, and the outputs under the JAX backend (where jax is installed).
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
LENGTH = 12
COLUMNS = ("outputs", "gradients", "bundle", "SavedModel", "float32 .tflite", "dynamic .tflite", "outputs on JAX")


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", help="these families alone")
    parser.add_argument("--write", type=Path, help="write the table to this file")
    parser.add_argument("--outputs", action="store_true", help="print the outputs' differences as JSON and end")
    return parser.parse_args()


def outputs(folders):
    """Return {family: largest difference of logits and hidden states}."""
    from bertkit import load
    from tests.family.test_golden import distances
    return {folder.name: float(max(distances(load(folder), folder))) for folder in folders}


def on_jax(flags):
    """Return `outputs` of a process whose Keras runs on JAX, or {} where that cannot be."""
    only = ["--only", *flags.only] if flags.only else []
    done = subprocess.run([sys.executable, __file__, "--outputs", *only], text=True, capture_output=True,
                          env={**os.environ, "KERAS_BACKEND": "jax"}, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}


def gradients(folder):
    """Return the largest relative difference of the gradients' norms, or a dash where none is recorded."""
    from tests.family.test_golden import gradient_norms
    found, wanted = gradient_norms(folder)
    if not wanted:
        return "-"
    return f"{max(abs(found[name] - norm) / max(norm, 1e-2) for name, norm in wanted.items()):.0e}"


def shipped(folder, work):
    """Return the cells of bundle, SavedModel and both .tflite rungs, and what was refused."""
    import numpy as np

    from bertkit import Error, convert, export, load
    from tests.family.test_golden import recorded
    bundle, batch = work / "bundle", recorded(folder)[0]
    convert(folder, bundle)
    same = np.array_equal(np.asarray(load(bundle)(batch)), np.asarray(load(folder)(batch)))
    cells, refused = ["same bits" if same else "differs"], []
    for options in ({"to": "saved_model"}, {"precision": "float32", "length": LENGTH},
                    {"precision": "dynamic", "length": LENGTH}):
        try:
            parity = export(bundle, out=work / f"out-{len(cells)}", **options).parity
        except Error as error:
            cells.append("refused")
            refused.append(str(error))
        else:
            difference = (parity["ids"]["largest_logit_difference"] if "ids" in parity
                          else parity["calibration"]["largest_drift"])
            cells.append(f"{difference:.0e}")
    return cells, refused


def main():
    """Measure and print; write the table where asked."""
    flags = arguments()
    folders = [folder for folder in sorted((ROOT / "tests" / "golden" / "families").iterdir())
               if not flags.only or folder.name in flags.only]
    if flags.outputs:
        print(json.dumps(outputs(folders)))
        return
    here, there, rows, notes = outputs(folders), on_jax(flags), [], []
    for number, folder in enumerate(folders, start=1):
        print(f"{folder.name}, {number} of {len(folders)}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as work:
            cells, refused = shipped(folder, Path(work))
        jax = f"{there[folder.name]:.0e}" if folder.name in there else "not run"
        rows.append([folder.name, f"{here[folder.name]:.0e}", gradients(folder), *cells, jax])
        notes += [f"- {folder.name}: {sentence}" for sentence in dict.fromkeys(refused)]
    text = page(rows, notes)
    print(text)
    if flags.write:
        flags.write.write_text(text, encoding="utf-8")


def sizes():
    """Return [(family, name of a published checkpoint, parameters)], without the grid of small BERTs."""
    from bertkit import family
    from bertkit.cost import parameters
    return [(page, name, parameters(config)) for page in family.PAGES
            for name, config in family.page(page).SIZES.items() if not name.startswith("bert_uncased_L")]


def page(rows, notes):
    """Return the markdown page."""
    lines = ["# Families, end to end", "", "Made by `python benchmarks/families.py --write docs/families.md`"
             f" on {datetime.date.today()}.", "",
             "Small classifiers with random weights against transformers: largest absolute difference of logits and",
             "hidden states, largest relative difference of the gradients' norms, and how far the exported files are",
             "from the model (logits; of a .tflite, log-probabilities). Dynamic-range files of random weights drift",
             "more than those of trained ones.", "",
             "| family | " + " | ".join(COLUMNS) + " |", "|" + "---|" * (len(COLUMNS) + 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    if notes:
        lines += ["", "Refused:", "", *notes]
    lines += ["", "## Published sizes", "",
              "Parameters of the encoder with its pooler where it has one, in closed form",
              "(`bertkit.cost`); a small model of each family has as many as its closed form says.", "",
              "| family | checkpoint | parameters |", "|---|---|---|"]
    lines += [f"| {family} | {name} | {count:,} |" for family, name, count in sizes()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
