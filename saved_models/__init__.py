"""The encoders that ship with bertkit, `bertkit://NAME`, and how they were made."""
