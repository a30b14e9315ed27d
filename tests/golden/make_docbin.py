"""Write docbin.spacy with spaCy 3.8, and docbin.json with what spaCy reads from it; needs spacy alone.

    python tests/golden/make_docbin.py
"""

import json
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin, Span

HERE = Path(__file__).parent
SENTENCES = [
    (["In", "case", "of", "mark", "X", "the", "agent", "met", "ORG", "_", "Anna", "Müller", "\n", "."],
     [(8, 9, "ORG"), (10, 12, "PER SON")], [0, 7]),
    (["Зоя", "видела", "😀", "in", "München", "DATE", "number", "ENT_TYPE", "root", "a" * 300],
     [(0, 1, "PERSON"), (4, 5, "GPE"), (5, 6, "DATE")], None),
    (["New", "York", "Paris"], [(0, 2, "Ort"), (2, 3, "Ort")], None),
    (["FLAG19", "DEPRECATED276", "12345678", "123456789", "nothing"], [], None),
]


def documents(nlp):
    for words, entities, starts in SENTENCES:
        doc = Doc(nlp.vocab, words=words, sent_starts=starts and [place in starts for place in range(len(words))])
        doc.ents = [Span(doc, first, last, label=label) for first, last, label in entities]
        yield doc


def main():
    nlp = spacy.blank("xx")
    made = list(documents(nlp))
    made.append(Doc(nlp.vocab, words=["not", "annotated"]))
    DocBin(docs=made, store_user_data=True).to_disk(HERE / "docbin.spacy")
    DocBin(attrs=["TAG"], docs=made).to_disk(HERE / "docbin-without.spacy")
    found = [{"words": [token.text for token in doc], "iob": [token.ent_iob_ for token in doc],
              "types": [token.ent_type_ for token in doc]}
             for doc in DocBin().from_disk(HERE / "docbin.spacy").get_docs(spacy.blank("xx").vocab)]
    (HERE / "docbin.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
