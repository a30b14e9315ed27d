"""Make japanese.json: the ids that BertJapaneseTokenizer of transformers gives, for each way to find words and pieces.

Needs transformers, fugashi, unidic-lite and ipadic.
"""

import json
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
VOCABULARY = ("[PAD] [UNK] [CLS] [SEP] [MASK] 。 今日 は いい 天気 です ね 今 日 天 気 い で す ##です abc ##d "
              "ABC a b c 東京 東 京 ##京 A . .. 国立 国会 図書 館 "
              "図書館 に 行く 行き まし た ます ガ ガラス が か \u3099 ( ) ー "
              "##ス 1 12 ##2 é e i").split()
TEXTS = ["", "今日はいい天気ですね。", "ABCd [E1] 東京 [/E1] ...", "ＡＢＣ　東京\n今日 は",
         "国立国会図書館に行きました",
         "ｶﾞﾗｽ　㍿ 12", "か\u3099", "É é İ ß", "東京\u3000東京", " 今日 ", "(ABC)ー", "\U00020bb7野家😀です", "a" * 101]
MECAB = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}
CASES = [MECAB | {"mecab_kwargs": {"mecab_dic": dictionary}, "subword_tokenizer_type": pieces, "do_lower_case": lower}
         for dictionary in ("unidic_lite", "ipadic") for pieces in ("wordpiece", "character")
         for lower in (False, True)]
CASES += [MECAB, MECAB | {"mecab_kwargs": {"mecab_dic": "ipadic", "normalize_text": False}},
          MECAB | {"mecab_kwargs": {"normalize_text": False}, "subword_tokenizer_type": "character"},
          MECAB | {"do_subword_tokenize": False}, MECAB | {"do_word_tokenize": False},
          MECAB | {"do_word_tokenize": False, "subword_tokenizer_type": "character"},
          {"tokenizer_class": "BertJapaneseTokenizer"},
          {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "basic", "do_lower_case": True}]


def main():
    from transformers import AutoTokenizer
    warnings.filterwarnings("ignore")
    rows = []
    for case in CASES:
        case = case | {"additional_special_tokens": ["[E1]", "[/E1]"]}
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
            (Path(place) / "config.json").write_text('{"model_type": "bert"}')
            (Path(place) / "tokenizer_config.json").write_text(json.dumps(case))
            found = AutoTokenizer.from_pretrained(place)
            rows.append({"config": case, "ids": [found(text, add_special_tokens=False)["input_ids"] for text in TEXTS]})
    content = {"vocabulary": VOCABULARY, "texts": TEXTS, "cases": rows}
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (HERE / "japanese.json").write_text(line + "\n", "utf-8")


if __name__ == "__main__":
    main()
