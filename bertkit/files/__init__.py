"""Reading and writing files: whole or not at all, with sizes checked, and manifests of what was written."""
