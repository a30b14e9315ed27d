"""The JavaScript client, as `bertkit export --to web` reads it from the installed package; it holds no Python."""
