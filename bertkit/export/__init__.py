"""A fine-tuned bundle out into the world: a SavedModel for servers, a .tflite for phones, each proved."""

from bertkit.errors import Error
from bertkit.export.saved_model import export_saved_model
from bertkit.export.tflite import export_tflite
from bertkit.face import callable_as

__all__ = ["export", "export_saved_model", "export_tflite"]


def export(folder, out, to="tflite", precision="int8", length=None, dev=None, max_drop=1.0):
    """Write a bundle as a "saved_model" or a "tflite" folder and return its `Card`.

    The knobs after `to` are those of `export_tflite`. Raises `Error` as the two functions do.
    """
    if to == "saved_model":
        return export_saved_model(folder, out)
    if to == "tflite":
        return export_tflite(folder, out, precision, length, dev, max_drop)
    raise Error(f"to={to!r} is unknown; bertkit exports to saved_model and tflite.")


callable_as(__name__, export)
