"""Reading and writing the files in which tokenizers are published."""
