"""Learn a vocabulary from text with the library `tokenizers`, and measure how well it fits unseen text."""

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Trained
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from bertkit.corpus.documents import Counts, read_documents
from bertkit.errors import Error
from bertkit.files.atomic import write_bytes, write_json, write_text
from bertkit.files.bounded import opened
from bertkit.files.folders import check_replaceable, new_folder
from bertkit.requirements import missing
from bertkit.text import Tokenizer

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
HELD_EVERY, HELD_MOST = 50, 2000        # every 50th paragraph, up to 2,000, is held out and measured
LEAST = {"wordpiece": 20, "bpe": 5 + 256, "unigram": 20}        # the fewest entries of a vocabulary
MOST = 10**7            # and the most; the largest published vocabulary has a million
LONGEST = 100_000       # the most characters that SentencePiece gets at a time


def learn_vocabulary(paths: Sequence[str | Path], out: str | Path, size: int, kind: str = "wordpiece",
                     cased: bool = False) -> dict[str, Any]:
    """Learn a vocabulary of at most `size` entries from text files, and write it.

    "wordpiece" (Schuster & Nakajima 2012) writes the file `out`, an entry a line; "bpe" (on bytes, Radford et al. 2019,
    case kept) a folder with a tokenizer.json as RoBERTa's, "unigram" (Kudo 2018) one with a spiece.model as ALBERT's.
    `Tokenizer.load` reads each. Every 50th paragraph, up to 2,000, is held out to measure the fit. The same text gives
    the same file.

    Args:
        paths: Text files, see `read_documents`.
        out: The file or folder that is written.
        size: The most entries.
        kind: "wordpiece", "bpe" or "unigram".
        cased: Whether upper and lower case are kept apart; "bpe" always does so.

    Returns:
        "entries", "documents", "characters", and "held_out", what `measure_fit` measures on the paragraphs that were
        held out.

    Raises:
        Error: when `kind` is unknown, when the text cannot be read or is empty, when `size` is too small, and when
            `out` holds something else.
    """
    if kind not in KINDS:
        raise Error(f"kind={kind!r} is unknown; give {', '.join(KINDS)}.")
    out, counts = Path(out), Counts()
    held: list[str] = []
    _check(paths, out, size, kind)

    def texts():
        held.clear()
        return _training_texts(paths, held, Counts())

    for _ in read_documents(paths, counts=counts):        # check first that all of it can be read
        pass
    if not counts.documents:
        raise Error("The text holds no document; give text of at least one paragraph.")
    KINDS[kind](texts, out, size, cased)
    tokenizer = Tokenizer.load(out)
    return {"entries": len(tokenizer), "documents": counts.documents, "characters": counts.characters,
            "held_out": measure_fit(tokenizer, held)}


def wordpiece(texts: Callable[[], Iterable[str]], size: int, cased: bool = False) -> list[str]:
    """Learn WordPiece entries, the special ones first.

    The letters that may continue a word are found first and numbered in order. The library would number them in the
    order of a hash table, which changes each time, and the numbers decide between pairs that are equally frequent. The
    most frequent letters take at most two thirds of the entries. Other letters take the entries that pieces of words
    leave free, as in Chinese, where each letter is a word.

    Args:
        texts: Called several times; returns the texts.
        size: The most entries.
        cased: Whether upper and lower case are kept apart.

    Returns:
        At most `size` entries.
    """
    trained = Trained(models.WordPiece(unk_token="[UNK]"))
    trained.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    counts: Counter[str] = Counter()
    for text in texts():
        counts.update(trained.normalizer.normalize_str(text))
    letters = [letter for letter in counts if not letter.isspace()]
    letters.sort(key=lambda letter: (-counts[letter], letter))
    first, inside = _alphabet(letters, lambda letter: _goes_on(trained, letter), 2 * size // 3)
    trained.train_from_iterator(texts(), trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[*BERT, *sorted(f"##{letter}" for letter in inside)], show_progress=False,
        initial_alphabet=sorted(first), limit_alphabet=len(first)))
    ids = trained.get_vocab()
    return (sorted(ids, key=lambda entry: ids[entry]) + [letter for letter in letters if letter not in ids])[:size]


def _alphabet(letters, goes_on, room):
    """Return (letters that begin a word, letters that go on in one), the first of `letters` that `room` holds."""
    first, inside = [], []
    for letter in letters:
        if len(first) + len(inside) + 1 + goes_on(letter) > room:
            break
        first.append(letter)
        if goes_on(letter):
            inside.append(letter)
    return first, inside


def _goes_on(trained, letter):
    """Return whether a letter behind another is of the same word; punctuation is a word of its own."""
    return len(trained.pre_tokenizer.pre_tokenize_str(trained.normalizer.normalize_str(f"a{letter}"))) == 1


def measure_fit(tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, float | None]:
    """Measure how well a vocabulary fits texts.

    Words are what stands between blanks.

    Args:
        tokenizer: The `Tokenizer` of the vocabulary.
        texts: Texts that it was not learned from.

    Returns:
        "paragraphs" and "words", their numbers; "fertility", tokens a word; "characters_per_token" without blanks,
        which is the one to look at in a language without blanks; "unknown", the share of tokens that are the unknown
        one; "coverage", the share of words without it. The last four are None where there is no word.
    """
    words = [word for text in texts for word in text.split()]
    ids = [i for text in tokenizer.ids(texts) for i in text]
    lacking = sum(tokenizer.unk_id in word for word in tokenizer.ids(words))
    sizes = {"paragraphs": len(texts), "words": len(words)}
    if not words:
        return {**sizes, **dict.fromkeys(("fertility", "characters_per_token", "unknown", "coverage"))}
    tokens = max(len(ids), 1)
    return {**sizes, "fertility": len(ids) / len(words), "characters_per_token": sum(map(len, words)) / tokens,
            "unknown": sum(i == tokenizer.unk_id for i in ids) / tokens, "coverage": 1 - lacking / len(words)}


def _check(paths, out, size, kind):
    if size > MOST:
        raise Error(f"size={size} is more than any vocabulary has; give {MOST} or less, such as 8000.")
    if size < (least := LEAST[kind]):
        raise Error(f"size={size} holds nothing but the special tokens{' and the 256 bytes' * (kind == 'bpe')}; give "
                    f"{least} or more, such as 8000.")
    if any(os.path.realpath(path) == os.path.realpath(out) for path in paths):      # a link may be to itself
        raise Error(f"{out} is the text itself, which the vocabulary would replace; choose another --out.")
    if kind == "wordpiece" and out.is_dir():
        raise Error(f"{out} is a folder; a wordpiece vocabulary is a file: choose another --out, such as vocab.txt.")
    if kind == "wordpiece" and out.exists() and not _is_vocabulary(out):
        raise Error(f"{out} is there already and holds something else than a vocabulary; choose another --out.")
    if kind != "wordpiece" and not out.is_file() and not out.is_dir():
        check_replaceable(out)
    if kind != "wordpiece" and (out.is_file() or out.is_dir() and any(out.iterdir())):
        raise Error(f"{out} is there already; a {kind} vocabulary is a new folder: choose another --out.")


def _is_vocabulary(path):
    start = "\n".join(BERT).encode()
    with opened(path) as file:
        return file.read(len(start)) == start


def _training_texts(paths, held, counts):
    """Yield the paragraphs to learn from; the others go into `held`."""
    number = 0
    for document in read_documents(paths, counts=counts):
        for text in document:
            number += 1
            if number % HELD_EVERY == 0 and len(held) < HELD_MOST:
                held.append(text)
            else:
                yield text


def _wordpiece(texts, out, size, cased):
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Error(f"{out} cannot be written ({error.strerror}); choose another --out.") from None
    write_text(out, "".join(f"{entry}\n" for entry in wordpiece(texts, size, cased)))


def _bpe(texts, out, size, cased):
    trained = Trained(models.BPE())
    trained.normalizer = normalizers.NFC()
    trained.pre_tokenizer, trained.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trained.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=size, special_tokens=ROBERTA, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    trained.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, ROBERTA.index(token)) for token in ("<s>", "</s>")])
    with new_folder(out) as place:
        write_json(place / "tokenizer_config.json", {
            "tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<s>", "sep_token": "</s>",
            "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"})
        write_text(place / "tokenizer.json", trained.to_str(pretty=True))


def _unigram(texts, out, size, cased):
    try:
        from sentencepiece import SentencePieceTrainer
    except ImportError:
        raise missing("sentencepiece", "A unigram vocabulary") from None
    model = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=_short(texts()), model_writer=model, vocab_size=size, model_type="unigram", num_threads=1,
            normalization_rule_name="nmt_nfkc" if cased else "nmt_nfkc_cf", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
            pad_piece="<pad>", control_symbols=["[CLS]", "[SEP]", "[MASK]"], minloglevel=2, hard_vocab_limit=False,
            max_sentence_length=4 * LONGEST)
    except RuntimeError as error:
        reason = str(error).rsplit("] ", 1)[-1].strip()
        if needed := re.search(r"required_chars\. \d+ vs (\d+)", reason):
            raise Error(f"size={size} does not hold the different characters of this text, which are {needed[1]} "
                        "without the rarest; give more, such as twice as many.") from None
        raise Error(f"SentencePiece learnt nothing from this text ({reason:.200}); give more text, or another "
                    "size.") from None
    with new_folder(out) as place:
        write_json(place / "config.json", {"model_type": "albert"})     # whose special tokens it has
        write_json(place / "tokenizer_config.json", {"do_lower_case": not cased, "keep_accents": True})
        write_bytes(place / "spiece.model", model.getvalue())


def _short(texts):
    """Yield texts, in parts cut at blanks those that SentencePiece would leave out for their length."""
    for text in texts:
        while len(text) > LONGEST:
            end = text.rfind(" ", 1, LONGEST) if " " in text[1:LONGEST] else LONGEST
            yield text[:end]
            text = text[end:]
        yield text


KINDS = {"wordpiece": _wordpiece, "bpe": _bpe, "unigram": _unigram}
