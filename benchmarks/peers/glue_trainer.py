"""Fine-tune a checkpoint on a GLUE file with Hugging Face Trainer; prints one JSON line: dev scores after each epoch.

    PYTHONPATH=. PEERS/bin/python benchmarks/peers/glue_trainer.py --model DIR --train train.tsv --dev dev.tsv \\
        --epochs 4 --batch-size 16 --learning-rate 1e-4 --seed 1

The files are read, and the scores counted, by bertkit, which needs no TensorFlow for that; tokenizer, model, optimizer
and loop are transformers', with the settings of `bertkit classify`: linear warm-up over 10 % of the steps and linear
decay, weight decay 0.01, clipping at norm 1.0, float32.
"""

import argparse
import json
import logging
import tempfile
import time
from pathlib import Path

import torch
import transformers

from bertkit import metrics
from bertkit.data import read_examples


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "train", "dev"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--group-by-length", action="store_true", help="draw batches of rows of about equal length")
    return parser.parse_args()


def features(tokenizer, examples, labels, length):
    """Return one dict a row."""
    pairs = [examples.first] if examples.second is None else [examples.first, examples.second]
    encoded = tokenizer(*map(list, pairs), truncation=True, max_length=length)
    return [{**{name: values[i] for name, values in encoded.items()}, "labels": labels.index(label)}
            for i, label in enumerate(examples.labels)]


def main():
    """Train, score dev after each epoch, print."""
    flags = arguments()
    logging.disable(logging.WARNING)
    transformers.set_seed(flags.seed)
    torch.set_num_threads(1)
    train, dev = read_examples(flags.train), read_examples(flags.dev)
    labels = sorted(set(train.labels))
    tokenizer = transformers.AutoTokenizer.from_pretrained(flags.model)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        flags.model, num_labels=len(labels), dtype=torch.float32)
    found = []

    def scored(prediction):
        given = prediction.predictions.argmax(-1)
        found.append({"accuracy": metrics.accuracy(prediction.label_ids, given)} | (
            {"matthews": metrics.matthews(prediction.label_ids, given)}))
        return found[-1]

    transformers.Trainer(
        model, transformers.TrainingArguments(
            output_dir=tempfile.mkdtemp(), use_cpu=True, seed=flags.seed, num_train_epochs=flags.epochs,
            per_device_train_batch_size=flags.batch_size, per_device_eval_batch_size=64, weight_decay=0.01,
            learning_rate=flags.learning_rate, warmup_steps=0.1, lr_scheduler_type="linear", max_grad_norm=1.0,
            train_sampling_strategy="group_by_length" if flags.group_by_length else "random",
            eval_strategy="epoch", save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True),
        train_dataset=features(tokenizer, train, labels, flags.length),
        eval_dataset=sorted(features(tokenizer, dev, labels, flags.length), key=lambda row: len(row["input_ids"])),
        data_collator=transformers.DataCollatorWithPadding(tokenizer), compute_metrics=scored).train()
    print(json.dumps({"name": "Trainer", "dev": found, "cpu_seconds": round(time.process_time()), "settings": {
        name: str(value) for name, value in vars(flags).items() if name not in ("train", "dev", "model")}}))


if __name__ == "__main__":
    main()
