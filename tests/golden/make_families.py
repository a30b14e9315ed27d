"""Make one small classifier of every family, whose oracle is transformers; needs torch, transformers, sentencepiece.

    python tests/golden/make_families.py [NAME ...]

Random weights of standard deviation 0.2 (biases and norms included, so that a mistake shows), written next to this
file as families/NAME/: config.json, model.safetensors, the tokenizer's files and ref.npz, with entries

    in/<transformers name>       one batch: three rows of unlike length, padded as the family pads
    out/logits, out/loss         of the classifier; out/last_hidden_state of its encoder
    gradnorm/<parameter>         L2 norm of the gradient of the loss, dropout off

Compare real positions only.  Reformer's rows are shorter than a chunk, so that its hashes decide nothing.  The files
are committed: this script is how they came to be.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import transformers
from tokenizers import (
    AddedToken,
    ByteLevelBPETokenizer,
    Regex,
    Tokenizer,
    decoders,
    normalizers,
    pre_tokenizers,
    processors,
)
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import Replace
from tokenizers.pre_tokenizers import Metaspace, Split
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

HERE = Path(__file__).parent / "families"
SEED, STD, LABELS, LENGTHS = 11, 0.2, 3, (11, 7, 4)
SENTENCES = """The baker opened the shop before the sun came up, and the whole street smelled of bread.
Nobody on the small boat had seen such a storm; the captain only laughed and sang.
My sister keeps bees, two goats and one very old dog behind the house.
The film was warm, slow and a little too long, but the music was lovely.
Why did the train stop? There was snow on the line, and a cow.
He painted the door green, the roof red and the fence no colour at all.
In 1987 the river froze; children walked across it to school for 3 weeks.
A dull evening: cold soup, a broken lamp, rain. I went home early and slept well.""".split("\n")
COMMON = {"num_hidden_layers": 2, "hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 40,
          "max_position_embeddings": 48, "num_labels": LABELS, "attn_implementation": "eager"}
BERT_WORDS = sorted({word.strip(".,:;?").lower() for line in SENTENCES for word in line.split()})[:60]


def wordpiece(folder):
    """Write a vocab.txt: special tokens, words, letters and continuing letters."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    entries = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *BERT_WORDS, *".,:;?", *letters,
                             *("##" + letter for letter in letters)])
    (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    return transformers.BertTokenizer(str(folder / "vocab.txt"))


def mpnet(folder):
    """Write a vocab.txt with RoBERTa's special tokens around BERT's words, and both unknown tokens."""
    words = list(dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", *BERT_WORDS[:20], "[UNK]", *BERT_WORDS[20:], *".,:;?",
                                *map(chr, range(97, 123)), *("##" + chr(code) for code in range(97, 123)), "<mask>"]))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return transformers.MPNetTokenizer(str(folder / "vocab.txt"))


def bytelevel(special, cls):
    """Return a function that trains a byte-level BPE with these special tokens."""
    def make(folder):
        trained = ByteLevelBPETokenizer()
        trained.train_from_iterator(SENTENCES, vocab_size=300, min_frequency=2, special_tokens=special)
        trained.save_model(str(folder))
        return cls.from_pretrained(folder)
    return make


def modern(folder):
    """Train a byte-level BPE and give it BERT's special tokens."""
    trained = ByteLevelBPETokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trained.train_from_iterator(SENTENCES, vocab_size=300, min_frequency=2, special_tokens=special)
    trained._tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:0 [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    names = {f"{role}_token": f"[{role.upper()}]" for role in ("unk", "cls", "sep", "pad", "mask")}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer, **names)


# How LLaMA 3 cuts a text into words: its tokenizer.json.
LLAMA = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
         r"\s+(?!\S)|\s+")


def llama(folder):
    """Train a byte-level BPE on LLaMA 3's words, with EuroBERT's special tokens behind the vocabulary.

    One entry is no result of merges: with ignore_merges a word that is an entry is never merged.
    """
    bytes_alone = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)
    made = Tokenizer(BPE(ignore_merges=True))
    made.pre_tokenizer = pre_tokenizers.Sequence([Split(Regex(LLAMA), "isolated"), bytes_alone])
    made.train_from_iterator(SENTENCES, BpeTrainer(vocab_size=300, initial_alphabet=sorted(
        pre_tokenizers.ByteLevel.alphabet())))
    content = json.loads(made.to_str())
    content["model"]["vocab"] |= {word: 300 + i for i, word in enumerate(("\u0120two", "123", "\u010a\u010a"))}
    made = Tokenizer.from_str(json.dumps(content))
    made.decoder = decoders.ByteLevel()
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|mask|>"]
    made.add_special_tokens(special)
    ids = [(token, made.token_to_id(token)) for token in special[:2]]
    made.post_processor = processors.Sequence([processors.ByteLevel(False, trim_offsets=True), TemplateProcessing(
        single=f"{special[0]} $A {special[1]}", special_tokens=ids,
        pair=f"{special[0]} $A {special[1]} {special[0]} $B {special[1]}")])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=special[0], eos_token=special[1], pad_token=special[1], mask_token=special[2])


def gemma(folder):
    """Train BPE on words behind a mark, and make of it what Gemma 2 has: whole texts, bytes for what is no entry."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    trained = Tokenizer(BPE(unk_token="<unk>"))
    trained.pre_tokenizer = Metaspace(prepend_scheme="never")
    trained.train_from_iterator(SENTENCES, BpeTrainer(vocab_size=190, special_tokens=special))
    words = json.loads(trained.to_str())["model"]
    entries = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), "\n", "\n\n", "\u2581\u2581",
               *(word for word in words["vocab"] if word not in special)]
    ids = {entry: i for i, entry in enumerate(dict.fromkeys(entries))}
    merges = [("\u2581", "\u2581"), ("\n", "\n"), *(tuple(merge) for merge in words["merges"])]
    made = Tokenizer(BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer, made.pre_tokenizer = Replace(" ", "\u2581"), Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.post_processor = TemplateProcessing(single="<bos> $A <eos>", pair="<bos> $A <eos> <bos> $B <eos>",
                                             special_tokens=[("<bos>", 2), ("<eos>", 1)])
    made.add_tokens([AddedToken("\n\n", normalized=False)])
    names = {"bos": "<bos>", "eos": "<eos>", "cls": "<bos>", "sep": "<eos>", "unk": "<unk>", "pad": "<pad>",
             "mask": AddedToken("<mask>", lstrip=True)}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **{f"{key}_token": name
                                                                          for key, name in names.items()})


def pieces(name, cls, **options):
    """Return a function that trains a SentencePiece model and reads it as a class of transformers."""
    def make(folder):
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / name
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(SENTENCES), model_prefix=str(path.with_suffix("")), vocab_size=110,
                model_type="unigram", hard_vocab_limit=False, minloglevel=2,
                **{"normalization_rule_name": "identity", **options})
            (folder / name).write_bytes(path.read_bytes() if path.exists() else
                                        Path(f"{path.with_suffix('')}.model").read_bytes())
        return cls.from_pretrained(folder)
    return make


def field(message, number):
    """Return the first bytes field of this number in a protobuf message."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (message[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 0x80:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        if key & 7 == 2:
            size, at = varint(at)
            if key >> 3 == number:
                return message[at:at + size]
            at += size
        else:
            at = varint(at)[1] if key & 7 == 0 else at + {1: 8, 5: 4}[key & 7]
    raise KeyError(number)


RULES = {"\ufb01": "fi", "\uff21": "A", "\uff22": "B", "\u2460": "1", "\u00a0": " ", "\u200b": " ", "\u00ad": ""}


def deberta(folder):
    """Train a SentencePiece model with few rules, keep it beside the recorded ids, and make of it what DeBERTa-v2 has.

    The tokenizer is built as the converter of transformers 4 does, by which the published models were trained.
    """
    with tempfile.TemporaryDirectory() as work:
        rules = ["\t".join(" ".join(f"{ord(c):X}" for c in side) for side in rule) for rule in RULES.items()]
        (Path(work) / "rules.tsv").write_text("\n".join(rules) + "\n")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES), model_prefix=str(Path(work) / "spm"), vocab_size=110,
            hard_vocab_limit=False, minloglevel=2, normalization_rule_tsv=str(Path(work) / "rules.tsv"), pad_id=0,
            bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]")
        model = (Path(work) / "spm.model").read_bytes()
    (HERE.parent / "family_tokenizers" / "deberta.model").write_bytes(model)
    read = sentencepiece.SentencePieceProcessor(model_proto=model)
    entries = [(read.id_to_piece(i), read.get_score(i)) for i in range(read.get_piece_size())]
    made = Tokenizer(Unigram([*entries, ("[MASK]", 0.0)], 3))
    charsmap = field(field(model, 3), 2)                     # ModelProto.normalizer_spec.precompiled_charsmap
    made.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Precompiled(charsmap),
                                            Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Sequence([Metaspace(prepend_scheme="always")])
    made.decoder = decoders.Metaspace(prepend_scheme="always")
    made.post_processor = TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
                                             special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    names = {f"{role}_token": f"[{role.upper()}]" for role in ("unk", "cls", "sep", "pad", "mask")}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **names)


T = transformers
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
FAMILIES = {                                   # name -> config class, its settings, classifier, tokenizer
    "bert": (T.BertConfig, {}, T.BertForSequenceClassification, wordpiece),
    "ernie": (T.ErnieConfig, {"use_task_id": True, "type_vocab_size": 4}, T.ErnieForSequenceClassification, wordpiece),
    "roberta": (T.RobertaConfig, {"type_vocab_size": 1}, T.RobertaForSequenceClassification,
                bytelevel(ROBERTA, T.RobertaTokenizer)),
    "xlm_roberta": (T.XLMRobertaConfig, {"type_vocab_size": 1}, T.XLMRobertaForSequenceClassification,
                    pieces("sentencepiece.bpe.model", T.XLMRobertaTokenizer)),
    "mpnet": (T.MPNetConfig, {}, T.MPNetForSequenceClassification, mpnet),
    "distilbert": (T.DistilBertConfig, {"dim": 24, "n_heads": 3, "n_layers": 2, "hidden_dim": 40},
                   T.DistilBertForSequenceClassification, wordpiece),
    "electra": (T.ElectraConfig, {"embedding_size": 16}, T.ElectraForSequenceClassification, wordpiece),
    "deberta": (T.DebertaV2Config, {
        "relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
        "pos_att_type": "p2c|c2p", "position_biased_input": False}, T.DebertaV2ForSequenceClassification, deberta),
    "albert": (T.AlbertConfig, {"embedding_size": 16, "hidden_act": "gelu_new"}, T.AlbertForSequenceClassification,
               pieces("spiece.model", T.AlbertTokenizer, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
                      normalization_rule_name="nmt_nfkc", control_symbols=["[CLS]", "[SEP]", "[MASK]"])),
    "xlnet": (T.XLNetConfig, {"d_model": 24, "n_head": 3, "n_layer": 2, "d_inner": 40, "mem_len": None},
              T.XLNetForSequenceClassification,
              pieces("spiece.model", T.XLNetTokenizer, control_symbols=["<cls>", "<sep>", "<pad>", "<mask>", "<eod>"])),
    "longformer": (T.LongformerConfig, {"attention_window": [4, 4], "type_vocab_size": 1},
                   T.LongformerForSequenceClassification, bytelevel(ROBERTA, T.LongformerTokenizer)),
    "bigbird": (T.BigBirdConfig, {"block_size": 1, "num_random_blocks": 1, "max_position_embeddings": 64},
                T.BigBirdForSequenceClassification,
                pieces("spiece.model", T.BigBirdTokenizer, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
                       control_symbols=["[CLS]", "[SEP]", "[MASK]"])),
    "reformer": (T.ReformerConfig, {
        "attn_layers": ["local", "lsh"], "local_attn_chunk_length": 12, "lsh_attn_chunk_length": 12, "num_buckets": 4,
        "axial_pos_shape": [6, 8], "axial_pos_embds_dim": [10, 14], "attention_head_size": 8, "feed_forward_size": 40,
        "is_decoder": False, "hash_seed": 7},
        T.ReformerForSequenceClassification, pieces("spiece.model", T.ReformerTokenizer)),
    "mobilebert": (T.MobileBertConfig,
                   {"embedding_size": 16, "intra_bottleneck_size": 12, "num_feedforward_networks": 2},
                   T.MobileBertForSequenceClassification, wordpiece),
    "modernbert": (T.ModernBertConfig, {"local_attention": 4, "global_attn_every_n_layers": 2},
                   T.ModernBertForSequenceClassification, modern),
    "nomic": (T.NomicBertConfig, {}, T.NomicBertForSequenceClassification, wordpiece),
    "eurobert": (T.EuroBertConfig, {
        "num_key_value_heads": 1, "rope_parameters": {"rope_type": "default", "rope_theta": 250_000.0}},
        T.EuroBertForSequenceClassification, llama),
    "mmbert": (T.ModernBertConfig, {
        "local_attention": 4, "global_attn_every_n_layers": 2, "classifier_pooling": "mean",
        "rope_parameters": dict.fromkeys(("full_attention", "sliding_attention"),
                                         {"rope_type": "default", "rope_theta": 160_000.0})},
        T.ModernBertForSequenceClassification, gemma),
}


def randomise(model):
    """Draw every parameter anew; the weights of norms around 1."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            centre = 1.0 if parameter.ndim == 1 and name.endswith("weight") else 0.0
            parameter.copy_(centre + STD * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def batch(config, tokenizer):
    """Return three rows of random ids, padded on the tokenizer's side, with segments where there are two."""
    random = np.random.default_rng(SEED)
    ids = random.integers(10, len(tokenizer), (len(LENGTHS), max(LENGTHS)))
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    if tokenizer.padding_side == "left":
        mask = mask[:, ::-1]
    pad = tokenizer.pad_token_id or 0
    found = {"input_ids": np.where(mask, ids, pad), "attention_mask": mask}
    if getattr(config, "type_vocab_size", 1) > 1 and config.model_type != "distilbert":
        found["token_type_ids"] = (np.cumsum(mask, 1) > 3) & mask
    if config.model_type == "xlnet":
        found["token_type_ids"] = np.where(mask, np.cumsum(mask, 1) > 3, 3)
    return {name: torch.tensor(np.ascontiguousarray(values).astype("int64")) for name, values in found.items()}


# How transformers' names of nomic-bert are written; those of queries, keys and values are saved as one.
SAVED = {r"nomic_bert\.layers": "nomic_bert.encoder.layers", r"embeddings\.LayerNorm": "emb_ln",
         r"self_attn\.o_proj": "attn.out_proj", r"self_attn\.[qkv]_proj": "attn.Wqkv", r"mlp\.up_proj": "mlp.fc11",
         r"mlp\.gate_proj": "mlp.fc12", r"mlp\.down_proj": "mlp.fc2", "post_attention_layernorm": "norm1",
         "post_mlp_layernorm": "norm2"}


def as_saved(name):
    """Return the name under which a parameter is saved."""
    for theirs, saved in SAVED.items() if name.startswith("nomic_bert") else ():
        name = re.sub(theirs, saved, name)
    return name


def record(model, inputs):
    """Return the entries of ref.npz."""
    found = model(**inputs, labels=torch.tensor([2, 0, 1]))
    # transformers back-propagates Reformer in training mode alone; bertkit folds ERNIE's tasks into its segments
    if model.config.model_type not in ("reformer", "ernie"):
        found.loss.backward()
    hidden = model.base_model(**inputs)[0][:, :max(LENGTHS)]
    entries = {f"in/{name}": values.numpy().astype("int32") for name, values in inputs.items()}
    entries |= {"out/logits": found.logits, "out/loss": found.loss, "out/last_hidden_state": hidden,
                "in/labels": torch.tensor([2, 0, 1], dtype=torch.int32)}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:                # of parts that are saved as one tensor the norms go together
            name = f"gradnorm/{as_saved(name)}"
            entries[name] = (entries.get(name, 0) ** 2 + parameter.grad.norm() ** 2) ** 0.5
    return {name: values.detach().numpy() if torch.is_tensor(values) else values for name, values in entries.items()}


def main():
    """Write every directory, or those of the families that the command line names."""
    for name in sys.argv[1:] or FAMILIES:
        config_class, settings, model_class, make_tokenizer = FAMILIES[name]
        folder = HERE / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = make_tokenizer(folder)
        common = {} if name in ("distilbert", "xlnet") else COMMON
        options = {**common, "num_labels": LABELS, "attn_implementation": "eager", **settings,
                   "vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id or 0}
        if tokenizer.sep_token_id is not None:
            options["sep_token_id"] = tokenizer.sep_token_id
        for unknown in {"reformer": ("num_hidden_layers", "intermediate_size")}.get(name, ()):
            options.pop(unknown)
        model = randomise(model_class(config_class(**options)))
        np.savez_compressed(folder / "ref.npz", **record(model, batch(model.config, tokenizer)))
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for path in folder.glob("*.model"):            # tokenizer.json holds the same
            path.unlink()
        print(name, sum(path.stat().st_size for path in folder.iterdir()) // 1024, "KiB")


if __name__ == "__main__":
    main()
