"""Run exported models on a device, with numpy, LiteRT and bertkit's text alone, without TensorFlow.

    folder/model.tflite   the model at a fixed length: int32 ids in, what the task needs out (see `Task.output`)
    folder/vocab.txt      the vocabulary, one entry a line; vocabulary.json where it is no WordPiece
    folder/labels.txt     the labels in the order of the output's numbers, one a line, where the task has labels
    folder/ondevice.json  task, length, tokenizer settings, and each file's size and SHA-256
    folder/card.json      how good it is
"""

from bertkit.ondevice.runner import DeviceModel, load

__all__ = ["DeviceModel", "load"]
