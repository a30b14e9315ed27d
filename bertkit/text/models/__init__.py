"""The models of tokenizers: words to pieces of a vocabulary, in Python."""
