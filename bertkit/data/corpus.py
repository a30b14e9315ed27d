"""Plain text to pre-train on: documents, a vocabulary from them, and packed rows of ids."""

from pathlib import Path

from tokenizers import Tokenizer as Trained
from tokenizers import models, normalizers, pre_tokenizers, trainers

from bertkit.data.features import Padding, pack
from bertkit.errors import Error

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def read_documents(path):
    """Return the documents of a text file, each a list of its paragraphs.

    One paragraph a line; a blank line ends a document; lines end at \\n only.
    """
    try:
        lines = Path(path).read_bytes().decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Error(f"{path} cannot be read as UTF-8 text ({error}).") from None
    documents = [[]]
    for line in lines:
        if line.strip():
            documents[-1].append(line)
        elif documents[-1]:
            documents.append([])
    return [document for document in documents if document]


def train_wordpiece(texts, size):
    """Return at most `size` WordPiece entries learnt from texts, uncased, the special ones first.

    The same texts give the same entries (Schuster & Nakajima 2012, as the library `tokenizers` trains it).
    """
    trained = Trained(models.WordPiece(unk_token="[UNK]"))
    trained.normalizer = normalizers.BertNormalizer(lowercase=True)
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trained.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=SPECIAL, show_progress=False))
    ids = trained.get_vocab()
    return sorted(ids, key=ids.get)


def pack_documents(tokenizer, documents, length):
    """Return `Features` of rows of up to `length` tokens, filled with consecutive text of one document."""
    room = tokenizer.template.places(length, paired=False)
    rows = []
    for document in documents:
        ids = [i for paragraph in tokenizer.ids(document) for i in paragraph]
        rows += [tokenizer.pack_ids(ids[i:i + room], None, length) for i in range(0, len(ids), room)]
    return pack(rows, Padding.of(tokenizer))
