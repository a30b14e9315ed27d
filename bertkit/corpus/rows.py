"""Documents as rows of ids in memory, for a text that is small."""

from bertkit.data.features import Padding, pack


def pack_documents(tokenizer, documents, length):
    """Return `Features` of rows of up to `length` tokens, filled with consecutive text of one document."""
    room = tokenizer.template.places(length, paired=False)
    rows = []
    for document in documents:
        ids = [i for paragraph in tokenizer.ids(document) for i in paragraph]
        rows += [tokenizer.pack_ids(ids[i:i + room], None, length) for i in range(0, len(ids), room)]
    return pack(rows, Padding.of(tokenizer))
