"""The doctor's checks of tokenizers: sound ones are left in peace, and each fault is named."""

import numpy as np
import pytest

from bertkit import Tokenizer
from bertkit.doctor import tokenization, vocabulary, words
from bertkit.doctor.case import Case

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PLAIN = "river boat small house garden winter letter music carry open quiet bright cafe paper window summer".split()
LETTERS = [chr(97 + i) for i in range(26)]
UNCASED = [*SPECIAL, *"!?.,-%()", *"0123456789", *LETTERS, *(f"##{each}" for each in [*LETTERS, *"0123456789"]), *PLAIN,
           "##ed",
           "##ing", "中", "文"]
CASED = [*UNCASED, *(word.capitalize() for word in PLAIN), *(letter.upper() for letter in LETTERS),
         *(f"##{letter.upper()}" for letter in LETTERS), "é", "café", "garçon", "naïve"]
CHECKS = {**{name: getattr(vocabulary, name) for name in ("vocabulary", "special_ids", "casing", "accents")},
          "tokens": tokenization.tokens, "truncation": tokenization.truncation}


def ill(tokenize, entries, **config):
    """Return the checks that are ill."""
    config = {"model_type": "bert", "vocab_size": len(entries), "pad_token_id": entries.index("[PAD]"), **config}
    case = Case(None, config, tokenizer=tokenize, vocabulary=list(entries))
    said = {name: CHECKS[name](case) for name in CHECKS}
    assert all(finding.verdict != "unknown" for finding in said.values()), said
    return {name for name, finding in said.items() if finding.verdict == "ill"}


@pytest.mark.parametrize(("entries", "cased"), [(UNCASED, False), (CASED, True),
                                                ([*UNCASED[5:], *UNCASED[4::-1]], False)])
def test_a_sound_tokenizer_is_left_in_peace(entries, cased):
    assert ill(Tokenizer(entries, lowercase=not cased, strip_accents=not cased).pack, entries) == set()


@pytest.mark.parametrize(("entries", "settings", "check"), [
    (UNCASED, {"lowercase": False, "strip_accents": True}, "casing"), (UNCASED, {"strip_accents": False}, "accents"),
    (CASED, {"lowercase": True, "strip_accents": False}, "casing"), (CASED, {"lowercase": False}, "accents"),
    (UNCASED, {"split_ideographs": False}, "tokens")])
def test_settings_that_do_not_fit_the_vocabulary_are_named(entries, settings, check):
    found = ill(Tokenizer(entries, **settings).pack, entries)
    assert check in found and found <= {check, "tokens"}


def test_no_segments_of_a_pair_are_seen():
    sound = Tokenizer(UNCASED).pack

    def flat(first, second=None, length=32):
        batch = sound(first, second, length=length)
        return batch | {"segment_ids": np.zeros_like(batch["segment_ids"])}

    assert ill(flat, UNCASED) == {"tokens"}


def exchanged(batch):
    ids = batch["token_ids"]
    return batch | {"token_ids": np.where(ids == 2, 3, np.where(ids == 3, 2, ids))}


def test_exchanged_marks_are_special_ids():
    sound = Tokenizer(UNCASED).pack
    found = ill(lambda first, second=None, length=32: exchanged(sound(first, second, length=length)), UNCASED)
    assert "special_ids" in found and "casing" not in found


def test_wrong_padding_is_special_ids():
    sound = Tokenizer(UNCASED).pack

    def padded(first, second=None, length=32):
        batch = sound(first, second, length=length)
        return batch | {"token_ids": np.where(batch["padding_mask"] > 0, batch["token_ids"], 1)}

    assert ill(padded, UNCASED) == {"special_ids"}
    assert ill(sound, UNCASED, pad_token_id=7) == {"special_ids"}


def test_what_is_cut_wrongly_is_truncation():
    tokenizer = Tokenizer(UNCASED)

    def cut_last(first, second=None, length=32):
        long = tokenizer.pack(first, second, length=600)
        return {name: value[:, :length] for name, value in long.items()}

    def first_alone(first, second=None, length=32):
        rows = [tokenizer.pack_ids(a[:max(0, length - 3 - len(b))], b, length) for a, b in
                zip(tokenizer.ids(first), tokenizer.ids(second), strict=True)] if second is not None else [
                tokenizer.pack_ids(a, None, length) for a in tokenizer.ids(first)]
        return tokenizer.batch(rows, length)

    assert ill(cut_last, UNCASED) == {"truncation"}
    assert ill(first_alone, UNCASED) == {"truncation"}


def test_sizes_of_a_vocabulary():
    tokenizer = Tokenizer(UNCASED)
    assert ill(tokenizer.pack, UNCASED, vocab_size=len(UNCASED) - 1) == {"vocabulary"}
    for odd in ([*UNCASED, "river"], [*UNCASED, ""]):
        assert vocabulary.vocabulary(Case(None, {}, vocabulary=odd)).verdict == "ill"


def test_without_a_tokenizer_nothing_is_looked_at():
    case = Case(None, {"model_type": "bert"})
    assert {check(case).verdict for check in CHECKS.values()} == {"unknown"}


# ------------------------------------------------------------------------------------- other kinds of vocabularies

NAMES = [word.capitalize() for word in PLAIN]
SIGNS = {"cls": "<s>", "sep": "</s>", "unk": "<unk>", "pad": "<pad>", "mask": "<mask>"}


def case_of(pack, entries, **more):
    return Case(None, {"model_type": "roberta"}, tokenizer=pack, vocabulary=list(entries), **more)


def unigram(tmp_path, whole):
    """Return a Unigram tokenizer of Hugging Face's with these words and single letters, its file, and its entries."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import models, pre_tokenizers, processors
    entries = [*SIGNS.values(), *(f"▁{word}" for word in whole), "▁", *sorted({*"".join(whole), *"".join(PLAIN)}),
               *"0123456789.,-%()!?"]
    fast = Fast(models.Unigram([(entry, -1.0 - (len(entry) == 1)) for entry in entries], unk_id=entries.index("<unk>")))
    fast.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    marks = [(name, entries.index(name)) for name in ("<s>", "</s>")]
    fast.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", marks)
    fast.save(str(tmp_path / "tokenizer.json"))
    return fast, entries


def pack_of(fast, change=str):
    def pack(first, second=None, length=32):
        texts = [change(each) for each in first]
        rows = fast.encode_batch(texts if second is None else list(zip(texts, map(change, second), strict=True)))
        ids = np.array([(each.ids + [3] * length)[:length] for each in rows])
        mask = np.array([(len(each.ids) * [1] + [0] * length)[:length] for each in rows])
        return {"token_ids": ids, "padding_mask": mask, "segment_ids": 0 * ids}
    return pack


def test_case_and_tokens_of_a_unigram_vocabulary(tmp_path):
    fast, entries = unigram(tmp_path, [*NAMES, *PLAIN])
    sound, lower = pack_of(fast), pack_of(fast, str.lower)
    assert vocabulary.casing(case_of(sound, entries)).verdict == "healthy"
    assert tokenization.tokens(case_of(sound, entries, folder=tmp_path)).verdict == "healthy"
    assert vocabulary.casing(case_of(lower, entries)).verdict == "ill"
    assert tokenization.tokens(case_of(lower, entries, folder=tmp_path)).verdict == "ill"
    assert tokenization.tokens(case_of(sound, entries)).evidence["reason"].startswith("needs tokenizer.json")


def test_accents_of_a_unigram_vocabulary(tmp_path):
    fast, entries = unigram(tmp_path, [word.replace("e", "é") for word in PLAIN])
    bare = pack_of(fast, lambda text: text.replace("é", "e"))
    assert vocabulary.accents(case_of(pack_of(fast), entries)).verdict == "healthy"
    assert vocabulary.accents(case_of(bare, entries)).verdict == "ill"


def test_words_of_a_byte_level_vocabulary_are_decoded():
    case = case_of(None, ["<s>", "Ġcaf", "ĠcafÃ©", "Ġ", "ing", "Ã"])
    assert words.whole_words(case) == {"Ġcaf": "caf", "ĠcafÃ©": "café"}
    assert words.accented(case) == [] and words.is_uncased(case) is None
