"""Make the corpus: the vocabularies, and what bertkit makes of each text.

    python tflite/conformance/make.py [--only wordpiece|bpe|unigram|more|answers]

The same seed gives the same files. Each row is compared with the library `tokenizers` before it is written.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from texts import texts, training  # noqa: E402 - beside this file

from bertkit.corpus.vocabulary import learn_vocabulary  # noqa: E402
from bertkit.files.atomic import write_text  # noqa: E402
from bertkit.ondevice.runner import write_facts  # noqa: E402
from bertkit.tasks.embedding import Embedding  # noqa: E402
from bertkit.text import Tokenizer  # noqa: E402
from bertkit.text.formats import huggingface  # noqa: E402

SIZES = {"wordpiece": 4000, "bpe": 2000, "unigram": 3000}


def main():
    """Make what --only names, or everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=[*SIZES, "more", "answers"])
    only = parser.parse_args().only
    for kind in SIZES:
        if only in (None, kind):
            write(HERE / kind, learned(kind), texts())
    if only in (None, "more"):
        import variants
        for name, tokenizer in variants.tokenizers(HERE).items():
            write(HERE / "more" / name, tokenizer, variants.texts())
    if only in (None, "answers"):
        import models
        models.write_all(HERE / "answers")


def learned(kind):
    """Return a tokenizer of this kind, its vocabulary learned from the words of this folder."""
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "texts.txt"
        corpus.write_text("".join(f"{text}\n\n" for text in training()), encoding="utf-8")
        out = Path(place) / ("vocab.txt" if kind == "wordpiece" else kind)
        learn_vocabulary([corpus], out, SIZES[kind], kind)
        return Tokenizer.load(out)


def write(folder, tokenizer, given, reference=True):
    """Write the tokenizer into a folder, and beside it a row for each text."""
    folder.mkdir(parents=True, exist_ok=True)
    write_facts(folder, tokenizer, Embedding(), [64])
    if reference:
        compare(tokenizer, given)
    rows = ({"text": text, "ids": found.ids, "offsets": found.offsets}
            for text, found in zip(given, tokenizer.encode(given), strict=True))
    write_text(folder.with_name(folder.name + ".jsonl"), "".join(map(line, rows)))
    print(f"{folder.name}: {len(given):,} texts, {len(tokenizer):,} entries")


def compare(tokenizer, given):
    """Stop where the library `tokenizers` gives other ids or offsets; like it, recognise special tokens in texts.

    Where a character map removes the first characters of a text, that library forgets them, and its offsets are too
    small by their number: such texts are compared by their ids.
    """
    ours = tokenizer.encode(given, special_tokens=True)
    theirs = reference(tokenizer).encode_batch(given, add_special_tokens=False)
    for text, one, other in zip(given, ours, theirs, strict=True):
        forgotten = "charsmap" in str(tokenizer.model.steps()) and tokenizer.model.normalizer.aligned(text).sources[:1] != [0]
        if one.ids != other.ids or one.offsets != other.offsets and not forgotten:
            sys.exit(f"{text!r} differs from tokenizers:\n{one}\n{other.tokens} {other.ids} {other.offsets}")


def reference(tokenizer):
    """Return the same tokenizer as one of the library `tokenizers`."""
    from tokenizers import Tokenizer as Reference
    from tokenizers import models, normalizers, pre_tokenizers
    with tempfile.TemporaryDirectory() as place:
        huggingface.write(Path(place), tokenizer)
        path = Path(place) / "tokenizer.json"
        if path.exists():
            return Reference.from_file(str(path))
    settings = tokenizer.model.settings()
    made = Reference(models.WordPiece({entry: i for i, entry in enumerate(tokenizer.model_vocabulary)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(
        settings["clean"], settings["split_ideographs"], settings["strip_accents"], settings["lowercase"])
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens([token for token in tokenizer.special.values()])
    return made


def line(row):
    """Return a row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    main()
