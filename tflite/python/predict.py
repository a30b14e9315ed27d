"""Answer lines of standard input with an exported folder, on a device: numpy and LiteRT, no TensorFlow.

    pip install numpy ai-edge-litert
    echo "a warm, funny film" | PYTHONPATH=path/to/bertkit python predict.py phone/

One text a line in, or texts with tabs between, as `bertkit predict` takes them; one JSON object a line out.
"""

import json
import sys

from bertkit import Error, ondevice


def main(folder, threads=1):
    """Answer each line of standard input with one JSON object."""
    model = ondevice.load(folder, threads=threads)
    for line in sys.stdin:
        given = model.task.input(line.removesuffix("\n"))
        print(json.dumps(model.predict([given])[0], ensure_ascii=False), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python predict.py FOLDER < texts")
    try:
        main(sys.argv[1])
    except Error as error:
        sys.exit(str(error))
