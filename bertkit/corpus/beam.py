"""The same corpus, made by many machines: Apache Beam runs the parts of `corpus.make`, on whatever runner it has."""

import json
from pathlib import Path

from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.requirements import missing


def runner(folder, options=()):
    """Return what maps a function over parts by Apache Beam, for `make(run=...)`.

    `options` are words of Beam's own command line, such as "--runner=FlinkRunner". All workers must see the files and
    `folder` under the same paths. What a worker finds comes back in a file beside the shards, because a pipeline
    returns nothing; these files go at the end. Raises `Error` where Beam is missing, and the `Error` of a worker.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError:
        raise missing("apache-beam", "--beam") from None

    def run(work, parts):
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            (pipeline | beam.Create([(i, json.dumps(part)) for i, part in enumerate(parts)])
             | beam.Reshuffle() | beam.Map(_noted, work, str(folder)))
        notes = [_note(folder, number) for number, _ in enumerate(parts)]
        found = [read_json(note) for note in notes]
        for note in notes:
            note.unlink()
        for part in found:
            if "error" in part:
                raise Error(part["error"])
        return found

    return run


def _noted(given, work, folder):
    """Do a part's work and write down what it found."""
    number, part = given
    try:
        found = work(json.loads(part))
    except Error as error:
        found = {"error": str(error)}
    write_json(_note(folder, number), found)


def _note(folder, number):
    return Path(folder) / f"part-{number:05d}.json"
