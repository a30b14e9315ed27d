"""Reading and writing files: whole or not at all, sizes checked, manifests of what was written."""
