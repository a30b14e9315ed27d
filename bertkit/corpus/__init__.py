"""Plain text to pre-train on: documents, a vocabulary from them, and shards of token ids."""
