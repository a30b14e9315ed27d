"""Classify lines of standard input with an exported folder, on a device: numpy and LiteRT, no TensorFlow.

    pip install numpy ai-edge-litert
    echo "a warm, funny film" | PYTHONPATH=path/to/bertkit python classify.py phone/

One text a line in (a model of pairs: two texts with a tab between), one JSON object a line out.
"""

import json
import sys

from bertkit import Error, ondevice


def main(folder, threads=1):
    """Answer each line of standard input with one JSON object."""
    model = ondevice.load(folder, threads=threads)
    for line in sys.stdin:
        text = line.removesuffix("\n")
        row = tuple(text.split("\t")) if model.pairs else text
        print(json.dumps(model.predict([row])[0], ensure_ascii=False), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python classify.py FOLDER < texts")
    try:
        main(sys.argv[1])
    except Error as error:
        sys.exit(str(error))
