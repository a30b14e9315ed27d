"""The main job on data written for bertkit: text -> encoder -> fit() -> SavedModel and int8 .tflite -> proof.

    bertkit demo
    149 s on 2 shared cores, 2026-11-22: dev 62.50, test 53.75 (80 rows each); the int8 file 62.50 on dev
"""

import time
from importlib import resources
from pathlib import Path

import keras

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.config import EncoderConfig
from bertkit.corpus.documents import documents
from bertkit.corpus.rows import pack_documents
from bertkit.corpus.vocabulary import wordpiece
from bertkit.data import read_examples
from bertkit.data.pipeline import Batches
from bertkit.encoder import Encoder
from bertkit.export import export
from bertkit.flags import run_recipe
from bertkit.objectives import MLM, Pretrainer
from bertkit.recipes import classify
from bertkit.terminal import say
from bertkit.text import Tokenizer
from bertkit.training.optimizer import adamw
from bertkit.training.progress import Progress

LENGTH = 48


def main(out: str = "bertkit-demo", steps: int = 600, epochs: int = 12, seed: int = 0):
    """Show bertkit's main job in a few minutes: sort everyday messages into food, health, money and travel.

    out             the folder for everything that the demo makes
    steps           of pre-training the small encoder
    epochs          of fine-tuning it
    seed            of every random draw
    """
    begin, out, data = time.monotonic(), Path(out), resources.files("bertkit.data") / "demo"
    keras.utils.set_random_seed(seed)

    say("1/5  A vocabulary and a small encoder from 60 kB of prose: masked language modelling.")
    text = [*documents([data / "corpus.txt"]), *([text] for text in read_examples(data / "train.tsv").first)]
    tokenizer = Tokenizer(wordpiece(lambda: [line for document in text for line in document], size=1500))
    encoder = Encoder(EncoderConfig(len(tokenizer), num_layers=2, num_heads=2, hidden_dim=128, intermediate_dim=512,
                                    max_sequence_length=64))
    pretrainer = Pretrainer(encoder, [MLM(tokenizer, seed=seed)])
    pretrainer.compile(adamw(1e-3, steps))
    walk = Batches(pack_documents(tokenizer, text, LENGTH), batch_size=32, seed=seed)
    pretrainer.fit(pretrainer.dataset(walk), steps_per_epoch=steps, verbose=0, shuffle=False,
                   callbacks=[Progress(steps)])
    bundle.save(out / "encoder", encoder, tokenizer, Card(
        name="encoder", task="encode", model={"encoder": encoder.config.to_json()}, recipe="demo",
        knobs={"steps": steps, "seed": seed}))

    say("2/5  Fine-tuning it on 488 labelled messages; 80 others choose the epoch, 80 more report.")
    card = classify.main(data / "train.tsv", data / "dev.tsv", out / "classifier", out / "encoder", data / "test.tsv",
                         epochs=epochs, batch_size=16, learning_rate=1e-3, length=LENGTH, seed=seed)

    say("3/5  A SavedModel for the server: strings in, labels out.")
    export(out / "classifier", out / "saved_model", to="saved_model")
    say("4/5  An int8 .tflite for the phone, scored on dev as it stands.")
    phone = export(out / "classifier", out / "phone", to="tflite", precision="int8", length=LENGTH,
                   dev=data / "dev.tsv")
    say("5/5  Done.")
    return {"seconds": round(time.monotonic() - begin), "test": card.scores["test"], "dev": card.scores["dev"],
            "phone": {"parity": phone.parity, "bytes": phone.bytes, "latency": phone.latency},
            "made": {name: str(out / name) for name in ("encoder", "classifier", "saved_model", "phone")}}


if __name__ == "__main__":
    run_recipe(main)
