"""The main job on data written for bertkit: text -> fit() -> SavedModel and int8 .tflite -> proof.

    bertkit demo
    95 s on 2 cores of an AMD EPYC 7003, 2026-11-26: dev 91.25, test 86.25 (80 rows each); the int8 file 91.25 on dev
"""

import time
from importlib import resources
from pathlib import Path
from typing import Any

from bertkit.cli.flags import run_recipe
from bertkit.export import export
from bertkit.recipes import classify
from bertkit.terminal import say

LENGTH = 48


def main(out: str = "bertkit-demo", epochs: int = 6, seed: int = 0) -> dict[str, Any]:
    """Show bertkit's main job in a few minutes: sort everyday messages into food, health, money and travel.

    out             the folder for everything that the demo makes
    epochs          of fine-tuning the encoder that comes along
    seed            of every random draw
    """
    begin, folder, data = time.monotonic(), Path(out), resources.files("bertkit.data") / "demo"

    say("1/4  Fine-tuning the encoder that comes along on 488 messages; 80 others choose the epoch, 80 more report.")
    train, dev, test = (str(data / f"{part}.tsv") for part in ("train", "dev", "test"))
    card = classify.main(train, str(folder / "classifier"), dev, test=test, epochs=epochs, batch_size=16,
                         learning_rate=2e-4, length=LENGTH, seed=seed)

    say("2/4  A SavedModel for the server: strings in, labels out.")
    export(folder / "classifier", to="saved_model", out=folder / "saved_model")
    say("3/4  An int8 .tflite for the phone, scored on dev as it stands.")
    phone = export(folder / "classifier", to="tflite", out=folder / "phone", precision="int8", length=LENGTH, dev=dev)
    say("4/4  Done.")
    return {"seconds": round(time.monotonic() - begin), "test": card.scores["test"], "dev": card.scores["dev"],
            "phone": {"parity": phone.parity, "bytes": phone.bytes, "latency": phone.latency},
            "made": {name: str(folder / name) for name in ("classifier", "saved_model", "phone")}}


if __name__ == "__main__":
    run_recipe(main)
