"""Record what transformers' tokenizers say of the newer families' golden folders; needs transformers.

    python tests/golden/make_family_tokenizers.py [NAME ...]

For each folder families/NAME, family_tokenizers/NAME.json holds "texts", the "ids" and "offsets" of each without
special tokens, the ids of each as one text ("single") and before the first one ("pair"), as transformers makes them.
"deberta_newer" is deberta as transformers 5 saves it, with another normalizer, in a folder of its own here. The files
are committed: this script is how they came to be.
"""

import json
import sys
from pathlib import Path

import transformers

HERE = Path(__file__).parent
NAMES = ("mpnet", "mmbert", "deberta", "deberta_newer", "eurobert")
NEWER = {"type": "Sequence", "normalizers": [
    {"type": "Replace", "pattern": {"Regex": r"\s{2,}|[\n\r\t]"}, "content": " "}, {"type": "NFC"},
    {"type": "Strip", "strip_left": False, "strip_right": True}]}
TEXTS = [
    "The baker opened the shop.", " two  spaces,\ttab\nand line ", "Caf\u00e9 Cafe\u0301 na\u00efve \u00dcber STRASSE",
    "\u4e2d\u6587 and \u65e5\u672c\u8a9e\u3001kana \u30ab\u30bf\u30ab\u30ca",
    "emoji \U0001f600\u200d\U0001f9b0 \u2764\ufe0f end", "1234567 3.14 1,000 \u0663\u0664\u0665",
    "don't we'll I'M they've", "a", "", "   ",
    "\u0e44\u0e17\u0e22 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 "
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u0939\u093f\u0928\u094d\u0926\u0940",
    "x" * 120, "(a) [b] {c} <d> \"e\" 'f' \u201cg\u201d", "zero\u200bwidth soft\u00adhyphen nbsp\u00a0here",
    "\ufb01ne \u2460 \uff21\uff22", "line\r\nend\n\n\nthree", "\u2581 lower one eighth",
    "def f(x):\n    return x  # two",
    "https://a.b/c?d=e&f=1",
    "a\u2003\u2003b \u00a0c\u2028d\u0085\u0085e\x0b\x0cf", "\t lead", "trail \n"]


def newer():
    """Write deberta's tokenizer.json with the normalizer that transformers 5 gives it."""
    folder = HERE / "family_tokenizers" / "deberta_newer"
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        content = json.loads((HERE / "families" / "deberta" / file).read_text())
        content |= {"normalizer": NEWER} if file == "tokenizer.json" else {}
        (folder / file).write_text(json.dumps(content) + "\n")


def main():
    """Write every file, or those of the families that the command line names."""
    for name in sys.argv[1:] or NAMES:
        if name == "deberta_newer":
            newer()
        folder = HERE / ("families" if (HERE / "families" / name).exists() else "family_tokenizers") / name
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        plain = [tokenizer(text, add_special_tokens=False, return_offsets_mapping=True) for text in TEXTS]
        found = {"texts": TEXTS, "ids": [each["input_ids"] for each in plain],
                 "offsets": [each["offset_mapping"] for each in plain],
                 "single": [tokenizer(text)["input_ids"] for text in TEXTS],
                 "pair": [tokenizer(text, TEXTS[0])["input_ids"] for text in TEXTS]}
        (HERE / "family_tokenizers").mkdir(exist_ok=True)
        (HERE / "family_tokenizers" / f"{name}.json").write_text(json.dumps(found, ensure_ascii=True) + "\n")
        print(name, sum(map(len, found["ids"])), "tokens")


if __name__ == "__main__":
    main()
