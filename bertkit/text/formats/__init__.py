"""The files that tokenizers are published in, read and written."""
