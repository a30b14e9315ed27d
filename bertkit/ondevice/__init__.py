"""Exported models on a device: numpy, LiteRT and bertkit's text, no TensorFlow.

    folder/model.tflite   the model at a fixed length: int32 ids in, probabilities out
    folder/vocab.txt      the vocabulary, one entry a line; vocabulary.json where it is no WordPiece
    folder/labels.txt     the labels in the order of the probabilities, one a line
    folder/ondevice.json  task, length, pairs, tokenizer settings, and each file's size and SHA-256
    folder/card.json      how good it is
"""

from bertkit.ondevice.runner import DeviceModel, load

__all__ = ["DeviceModel", "load"]
