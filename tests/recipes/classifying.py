"""A folder to classify in, the words of the command, and its refusal."""

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from tests import tiny

KNOBS = ["--length", 16, "--batch-size", 8, "--learning-rate", 2e-2, "--set", "log_every=2"]


def made(folder):
    """Write an encoder and three files of labelled texts into a folder, which is returned."""
    import keras
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    for seed, (name, rows) in enumerate({"train": 48, "dev": 24, "test": 30}.items()):
        tiny.write_rows(folder / f"{name}.tsv", rows, seed)
    return folder


def words(place, out, train="train.tsv", dev="dev.tsv", model="encoder", epochs=2):
    options = {"model": place / model, "train": place / train, "dev": place / dev, "out": out, "epochs": epochs}
    return ["classify", *(str(part) for name, value in options.items() for part in (f"--{name}", value)),
            *map(str, KNOBS)]


def refusal(capsys, arguments):
    """Return what bad input is answered with: one sentence, exit code 1, nothing on standard output."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("bertkit: ")]
    assert out == "" and len(lines) == 1 and "Traceback" not in err
    return lines[0]
