"""Record what transformers' EncoderDecoderModel computes: run with torch and transformers, writes writer/bert2bert.npz.

    python tests/golden/make_writer.py
"""

from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, EncoderDecoderConfig, EncoderDecoderModel

SIZES = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
         "max_position_embeddings": 12}
BEGIN, END = 2, 3


def model():
    """Return a random encoder-decoder whose weights are large enough to show."""
    torch.manual_seed(0)
    config = EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(**SIZES), BertConfig(**SIZES))
    made = EncoderDecoderModel(config).eval()
    with torch.no_grad():
        for name, weight in made.named_parameters():
            weight.copy_(torch.randn_like(weight) * 0.3 + float("LayerNorm.weight" in name))
    return made


def main():
    """Write weights, inputs, teacher-forced logits, and what greedy search writes."""
    made = model()
    token_ids = torch.tensor([[2, 5, 9, 11, 3], [2, 7, 3, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    target_ids = torch.tensor([[2, 12, 8, 20], [2, 29, 4, 6]])
    with torch.no_grad():
        logits = made(input_ids=token_ids, attention_mask=mask, decoder_input_ids=target_ids).logits
        greedy = torch.tensor([[BEGIN], [BEGIN]])
        for _ in range(8):
            scores = made(input_ids=token_ids, attention_mask=mask, decoder_input_ids=greedy).logits
            greedy = torch.cat([greedy, scores[:, -1:].argmax(-1)], dim=1)
    held = {name: tensor for name, tensor in made.state_dict().items() if "position_ids" not in name}
    arrays = {name: tensor.numpy() for name, tensor in held.items()}
    out = Path(__file__).parent / "writer" / "bert2bert.npz"
    np.savez_compressed(out, **arrays, **{"in/token_ids": token_ids.numpy(), "in/padding_mask": mask.numpy(),
                                          "in/target_ids": target_ids.numpy(), "out/logits": logits.numpy(),
                                          "out/greedy": greedy[:, 1:].numpy()})


if __name__ == "__main__":
    main()
