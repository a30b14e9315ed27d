"""Unicode tables at a fixed version, and the normalisation that tokenizers do with them."""
