"""The models of tokenizers, in Python: they cut words into pieces of a vocabulary."""
