"""Fine-tune and predict with Hugging Face Trainer (PyTorch); prints one JSON line of measurements.

Trainer's own defaults (fused AdamW, no decay on biases and LayerNorm, clipping at norm 1.0, scaled
dot-product attention, padding to the longest row of the batch), float32, weight decay 0.01, linear
warm-up over 10 % of the steps and linear decay; dropout as the checkpoint's configuration says.
"""

import logging
import tempfile

import measure
import numpy as np
import torch
import transformers


class Timing(transformers.TrainerCallback):
    """Runs `clock` from the end of the warm-up steps to the end of training."""

    def __init__(self, clock):
        self.clock = clock

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == measure.WARM_UP_STEPS:
            self.clock.start()

    def on_train_end(self, args, state, control, **kwargs):
        self.clock.stop()


class Collator(transformers.DataCollatorWithPadding):
    """Trainer's default collator; notes (rows, real tokens, computed tokens) of each batch."""

    def __call__(self, features):
        batch = super().__call__(features)
        mask = batch["attention_mask"]
        self.batches.append((len(mask), int(mask.sum()), mask.numel()))
        return batch


def collator(tokenizer):
    """Return a collator that has seen nothing yet."""
    made = Collator(tokenizer)
    made.batches = []
    return made


def features(tokenizer, path, length, limit):
    """Return one dict a row, tokenised ahead of the clock."""
    sentences, labels = measure.read_rows(path, limit)
    encoded = tokenizer(sentences, truncation=True, max_length=length, padding=False)
    return [{"input_ids": ids, "attention_mask": [1] * len(ids), "labels": label}
            for ids, label in zip(encoded["input_ids"], labels, strict=True)]


def settings(flags, steps):
    """Return Trainer's settings; it wants a folder, and saves nothing."""
    return transformers.TrainingArguments(
        output_dir=tempfile.gettempdir(), use_cpu=True, seed=flags.seed, max_steps=steps,
        per_device_train_batch_size=flags.batch_size, per_device_eval_batch_size=flags.batch_size,
        learning_rate=flags.learning_rate, weight_decay=0.01, warmup_steps=0.1,
        lr_scheduler_type="linear", max_grad_norm=1.0, bf16=flags.bfloat16,
        train_sampling_strategy="group_by_length" if flags.group_by_length else "random",
        save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True)


def train(model, tokenizer, rows, flags):
    """Return the trained Trainer and its measurements."""
    clock, collate = measure.Clock(), collator(tokenizer)
    steps = measure.total_steps(flags, len(rows))
    trainer = transformers.Trainer(
        model, settings(flags, steps), train_dataset=rows, data_collator=collate,
        processing_class=tokenizer, callbacks=[Timing(clock)])
    trainer.train()
    timed = np.sum(collate.batches[measure.WARM_UP_STEPS:steps], axis=0).tolist()
    return trainer, measure.throughput(clock, *timed)


def predict(trainer, rows, flags):
    """Return (accuracy on `rows`, measurements)."""
    trainer.predict(rows[:flags.batch_size])           # warm up
    trainer.data_collator = collator(trainer.processing_class)
    with measure.Clock() as clock:
        found = trainer.predict(rows)
    totals = np.sum(trainer.data_collator.batches, axis=0).tolist()
    accuracy = float(np.mean(found.predictions.argmax(-1) == found.label_ids))
    return accuracy, measure.throughput(clock, *totals)


def main():
    """Train, predict, print."""
    flags = measure.arguments(
        __doc__.splitlines()[0], group_by_length="draw batches of rows of about equal length",
        bfloat16="automatic mixed precision")
    logging.disable(logging.WARNING)
    transformers.set_seed(flags.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(flags.model)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        flags.model, num_labels=2, dtype=torch.float32)
    trainer, training = train(
        model, tokenizer, features(tokenizer, flags.train, flags.length, flags.limit), flags)
    accuracy, prediction = predict(
        trainer, features(tokenizer, flags.dev, flags.length, flags.dev_limit), flags)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__,
                "threads": torch.get_num_threads(), "dropout": model.config.hidden_dropout_prob}
    measure.report("Trainer", flags, train=training, predict=prediction, accuracy=accuracy,
                   versions=versions)


if __name__ == "__main__":
    main()
