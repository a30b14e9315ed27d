"""A corpus made by many machines: Apache Beam runs the parts of `corpus.make` on any of its runners."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.requirements import missing


def runner(folder: str | Path, options: Sequence[str] = ()) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that maps another one over parts by Apache Beam, for `make_corpus(run=...)`.

    All workers must see the files and `folder` under the same paths. A pipeline returns nothing, so each worker writes
    its result into a file beside the shards; these files are removed at the end.

    Args:
        folder: The folder of the corpus.
        options: Words of Beam's own command line, such as "--runner=FlinkRunner".

    Returns:
        run(work, parts) -> [work(part) ...].

    Raises:
        Error: when Beam is not installed; the function raises the `Error` of a worker.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError:
        raise missing("apache-beam", "--beam") from None

    def run(work, parts):
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            (pipeline | beam.Create([(i, json.dumps(part)) for i, part in enumerate(parts)])
             | beam.Reshuffle() | beam.Map(_write_result, work, str(folder)))
        paths = [_result_path(folder, number) for number, _ in enumerate(parts)]
        results = [read_json(path) for path in paths]
        for path in paths:
            path.unlink()
        for result in results:
            if "error" in result:
                raise Error(result["error"])
        return results

    return run


def _write_result(numbered_part, work, folder):
    """Do the work of one part, and write its result, or its error, into a file."""
    number, part = numbered_part
    try:
        result = work(json.loads(part))
    except Error as error:
        result = {"error": str(error)}
    write_json(_result_path(folder, number), result)


def _result_path(folder, number):
    return Path(folder) / f"part-{number:05d}.json"
