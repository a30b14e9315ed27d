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
from bertkit.text.unicode import BLANKS  # noqa: E402

SIZES = {"wordpiece": 4000, "bpe": 2000, "unigram": 3000}


def main():
    """Make what --only names, or everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=[*SIZES, "more", "answers"])
    only = parser.parse_args().only
    for kind, size in SIZES.items():
        if only in (None, kind):
            write(HERE / kind, learned(kind, size), texts())
    if only in (None, "more"):
        import variants
        for name, tokenizer in variants.tokenizers(learned).items():
            write(HERE / "more" / name, tokenizer, variants.texts(), variants.COMPARED.get(name, "offsets"))
    if only in (None, "answers"):
        import models
        models.write_all(HERE / "answers")


def learned(kind, size):
    """Return a tokenizer of this kind, its vocabulary learned from the words of this folder."""
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "texts.txt"
        corpus.write_text("".join(f"{text}\n\n" for text in training()), encoding="utf-8")
        out = Path(place) / ("vocab.txt" if kind == "wordpiece" else kind)
        learn_vocabulary([corpus], out, size, kind)
        return Tokenizer.load(out)


def write(folder, tokenizer, given, compared="offsets"):
    """Write the tokenizer into a folder, and beside it a row for each text."""
    folder.mkdir(parents=True, exist_ok=True)
    write_facts(folder, tokenizer, Embedding(), [64])
    if compared:
        compare(tokenizer, given, compared == "ids")
    rows = ({"text": text, "ids": found.ids, "offsets": found.offsets}
            for text, found in zip(given, tokenizer.encode(given), strict=True))
    write_text(folder.with_name(folder.name + ".jsonl"), "".join(map(line, rows)))
    print(f"{folder.name}: {len(given):,} texts, {len(tokenizer):,} entries")


def compare(tokenizer, given, by_ids):
    """Stop where the library `tokenizers` gives other ids or offsets; like it, recognise special tokens in texts.

    Its offsets are known to differ in these cases, which are compared by their ids: where a character map removes the
    first characters of a text it forgets them; where a byte-level vocabulary lacks bytes, or a space is put before a
    text, places of neighbours are mixed up. The blanks that an added token takes along are in its offsets there, and a
    piece of no character may stand at another place.
    """
    ours = tokenizer.encode(given, special_tokens=True)
    theirs = reference(tokenizer).encode_batch(given, add_special_tokens=False)
    for text, one, other in zip(given, ours, theirs, strict=True):
        normal = tokenizer.model.normalizer.aligned(text)
        forgotten = ["charsmap"] in tokenizer.model.steps() and normal.sources[:1] != [0]
        same = by_ids or forgotten or all(a in (b, stripped(text, *b)) or a[0] == a[1] and b[0] == b[1]
                                          for a, b in zip(one.offsets, other.offsets, strict=False))
        if one.ids != other.ids or not same:
            sys.exit(f"{text!r} differs from tokenizers:\n{one}\n{other.tokens} {other.ids} {other.offsets}")


def stripped(text, begin, end):
    """Return an offset without the blanks at its ends, if there is anything else."""
    part = text[begin:end]
    if not part.strip(BLANKS):
        return begin, end
    return begin + len(part) - len(part.lstrip(BLANKS)), end - len(part) + len(part.rstrip(BLANKS))


def reference(tokenizer):
    """Return the same tokenizer as one of the library `tokenizers`."""
    from tokenizers import AddedToken, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Reference
    with tempfile.TemporaryDirectory() as place:
        huggingface.write(Path(place), tokenizer)
        path = Path(place) / "tokenizer.json"
        if path.exists():
            return Reference.from_file(str(path))
    settings = tokenizer.model.settings()
    ids = {entry: i for i, entry in enumerate(tokenizer.model_vocabulary)}
    made = Reference(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(
        settings["clean"], settings["split_ideographs"], settings["strip_accents"], settings["lowercase"])
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    for token in huggingface.added_tokens(tokenizer):
        flags = {name: value for name, value in token.items() if name not in ("id", "content", "special")}
        made.add_special_tokens([AddedToken(token["content"], **flags)])
    return made


def line(row):
    """Return a row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    main()
