"""bertkit: from raw text to a phone, with Keras."""
