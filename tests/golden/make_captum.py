"""Records the integrated gradients of captum on the tiny random classifier of tests/golden/captum/.

    python tests/golden/make_captum.py        # needs torch, transformers and captum

Writes tests/golden/captum/: a BertForSequenceClassification with its vocabulary, and golden.json with the scores of
each token of some texts: for the logit of the second class, over word embeddings, with [MASK] for every piece and
[CLS] and [SEP] kept. The weights have standard deviation 0.6, so
that the scores are large.
"""

import json
from pathlib import Path

import torch
from captum.attr import IntegratedGradients
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

FOLDER = Path(__file__).parent / "captum"
WORDS = "the a film story good bad cold warm was and very not".split()
TEXTS = ["the good film was bad", "a cold and very warm story , not bad", "warm"]


def scores(model, tokenizer, text):
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    base = torch.full_like(ids, tokenizer.mask_token_id)
    base[:, [0, -1]] = ids[:, [0, -1]]
    words = model.get_input_embeddings()
    found = IntegratedGradients(lambda x: model(inputs_embeds=x).logits[:, 1]).attribute(
        words(ids), words(base), n_steps=300, internal_batch_size=50)
    return found.sum(-1)[0].tolist()


def main():
    FOLDER.mkdir(exist_ok=True)
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "b", "##b", ","]
    (FOLDER / "vocab.txt").write_text("".join(f"{entry}\n" for entry in entries))
    tokenizer = BertTokenizerFast(str(FOLDER / "vocab.txt"), do_lower_case=True)
    torch.manual_seed(5)
    model = BertForSequenceClassification(BertConfig(
        vocab_size=len(entries), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, num_labels=2)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.6)
    model.save_pretrained(FOLDER)
    (FOLDER / "tokenizer_config.json").write_text('{"do_lower_case": true}\n')
    rows = [{"text": text, "scores": scores(model, tokenizer, text)} for text in TEXTS]
    (FOLDER / "golden.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
