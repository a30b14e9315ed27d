"""Pre-train transformers' BertForMaskedLM with dynamic masking (PyTorch); prints one JSON line of measurements.

`DataCollatorForLanguageModeling`, scaled dot-product attention, fused AdamW (no decay on biases and LayerNorm), linear
warm-up and decay, clipping at norm 1.0, in a plain loop without Trainer's own cost.
"""

import os

import mlm_measure as measure
import numpy as np
import tokenizers
import torch
import transformers


def batches(rows, flags, collate):
    """Yield the collator's batches of the rows in a random order."""
    order = np.random.default_rng(1).permutation(len(rows))
    for i in range(0, len(order), flags.batch_size):
        yield collate([{"input_ids": rows[j].tolist()} for j in order[i:i + flags.batch_size]])


def tokenizer(flags):
    """Return a tokenizer, of which the collator asks for special tokens and the size alone."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(flags.vocabulary - 5))]
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, "[UNK]"))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]",
                                                cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def optimizer(model, flags, steps):
    """Return (AdamW, its schedule)."""
    plain = ("bias", "LayerNorm.weight")
    groups = [{"params": [p for n, p in model.named_parameters() if n.endswith(plain) == left_alone],
               "weight_decay": 0.0 if left_alone else 0.01} for left_alone in (False, True)]
    made = torch.optim.AdamW(groups, lr=flags.learning_rate, eps=1e-6, fused=True)
    return made, transformers.get_linear_schedule_with_warmup(made, steps // 10, steps)


def main():
    """Run, and print the line."""
    flags = measure.arguments(__doc__.splitlines()[0])
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(1)
    rows, steps = measure.rows(flags), flags.steps + measure.WARM_UP_STEPS
    collate = transformers.DataCollatorForLanguageModeling(tokenizer(flags), mlm_probability=measure.RATE)
    model = transformers.BertForMaskedLM(transformers.BertConfig(
        vocab_size=flags.vocabulary, hidden_size=flags.width, num_hidden_layers=flags.layers,
        num_attention_heads=flags.width // 64, intermediate_size=4 * flags.width)).train()
    adam, schedule = optimizer(model, flags, steps)
    clock, input_clock = measure.Clock(), measure.Clock()
    for number, batch in enumerate(batches(rows, flags, collate)):
        if number == measure.WARM_UP_STEPS:
            clock.start()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=flags.bfloat16):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        schedule.step()
        adam.zero_grad()
    clock.stop()
    with input_clock:
        for _ in batches(rows[:flags.steps * flags.batch_size], flags, collate):
            pass
    measure.report("transformers", flags, clock, input_clock, loss, {
        "torch": torch.__version__, "transformers": transformers.__version__})


if __name__ == "__main__":
    main()
