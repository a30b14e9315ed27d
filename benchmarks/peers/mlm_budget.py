"""Pre-train transformers' BertForMaskedLM until CPU-seconds are spent, and save it; prints one JSON line: the steps.

Dynamic masking by `DataCollatorForLanguageModeling`, fused AdamW, linear warm-up over 5 % of the time and linear decay
to its end, clipping at norm 1.0; batches are cut to their longest row.
"""

import argparse
import json
import os

import numpy as np
import torch
import transformers
from measure import Clock

WARM_UP = 0.05


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("rows", "vocabulary", "config", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--cpu-seconds", type=float, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    return parser.parse_args()


def batches(rows, pad, flags):
    """Yield lists of rows without padding, epoch after epoch."""
    rng = np.random.default_rng(1)
    while True:
        order = rng.permutation(len(rows))
        for i in range(0, len(order) - flags.batch_size + 1, flags.batch_size):
            yield [{"input_ids": row[row != pad].tolist()} for row in rows[order[i:i + flags.batch_size]]]


def main():
    """Train, save, print."""
    flags, clock = arguments(), Clock()
    clock.start()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(1)
    tokenizer = transformers.BertTokenizer(flags.vocabulary)
    model = transformers.BertForMaskedLM(transformers.BertConfig.from_json_file(flags.config)).train()
    plain = ("bias", "LayerNorm.weight")
    adam = torch.optim.AdamW([{"params": [p for n, p in model.named_parameters() if n.endswith(plain) == left_alone],
                               "weight_decay": 0.0 if left_alone else 0.01} for left_alone in (False, True)],
                             lr=flags.learning_rate, eps=1e-6, fused=True)
    collate = transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    steps, spent = 0, 0.0
    for batch in batches(np.load(flags.rows), tokenizer.pad_token_id, flags):
        share = spent / flags.cpu_seconds
        for group in adam.param_groups:
            group["lr"] = flags.learning_rate * min(share / WARM_UP, (1 - share) / (1 - WARM_UP))
        model(**collate(batch)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad()
        steps += 1
        clock.stop()
        spent = clock.cpu
        if spent >= flags.cpu_seconds:
            break
    model.save_pretrained(flags.out)
    tokenizer.save_pretrained(flags.out)
    print(json.dumps({"steps": steps}))


if __name__ == "__main__":
    main()
