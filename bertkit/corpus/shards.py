"""Store segments in TFRecord files with an index, checksums and a manifest.

They are read in any order, and damage is found.

    manifest.json                length, vocabulary, counts; of each shard the records, bytes and SHA-256
    shard-00000-00000.tfrecord   tf.train.Example records: token_ids, ends (of sentences), document
    shard-00000-00000.index      int64 little-endian [records, 2]: where each record ends, and the CRC-32 of its bytes
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.corpus.segments import Segment
from bertkit.errors import Error
from bertkit.files import manifest
from bertkit.files.atomic import read_json, write_bytes, write_json

FORMAT = 1
MANIFEST = "manifest.json"
_WANTED = {"length", "segments", "shards", "text", "tokens", "vocabulary"}
SHARD_BYTES = 64 * 2**20
FRAME = 12, 4       # bytes of a TFRecord before and behind its data: length and its CRC, the data's CRC


def write_shards(folder: str | Path, segments: Iterable[Segment], metadata: Callable[[], dict[str, Any]],
                 shard_bytes: int = SHARD_BYTES) -> dict[str, Any]:
    """Write segments as shards into a folder that exists. One segment is held in memory at a time.

    Args:
        folder: The folder.
        segments: The segments.
        metadata: Called at the end; returns "length", "vocabulary", "text" and what else the manifest shall hold.
        shard_bytes: The size of a shard; a new one begins when it is reached.

    Returns:
        The manifest.

    Raises:
        Error: when there is no segment.
    """
    part = write_part(folder, segments, "shard", shard_bytes)
    return write_manifest(folder, [part], metadata())


def write_part(folder: str | Path, segments: Iterable[Segment], name: str,
               shard_bytes: int = SHARD_BYTES) -> dict[str, Any]:
    """Write segments as shards called NAME-00000.tfrecord, NAME-00001.tfrecord and so on.

    Args:
        folder: A folder that exists.
        segments: The segments.
        name: The beginning of the shards' names.
        shard_bytes: The size of a shard; a new one begins when it is reached.

    Returns:
        What `write_manifest` needs to write the manifest, as JSON.
    """
    import tensorflow as tf
    folder, counts = Path(folder), {"segments": 0, "sentences": 0, "tokens": 0}
    shards: list[dict[str, Any]] = []
    writer, path, index, size = None, folder, [], 0             # of the shard that is open
    for segment in segments:
        if writer is None:
            path = folder / f"{name}-{len(shards):05d}.tfrecord"
            writer, index, size = tf.io.TFRecordWriter(str(path)), [], 0
        data = _example(tf, segment)
        writer.write(data)
        index.append(FRAME[0] + len(data) + FRAME[1])
        size += index[-1]
        for key, more in zip(counts, (1, len(segment.ends), len(segment.token_ids)), strict=True):
            counts[key] += more
        if size >= shard_bytes:
            shards.append(_closed(writer, path, index))
            writer = None
    if writer is not None:
        shards.append(_closed(writer, path, index))
    return {**counts, "shards": shards}


def write_manifest(folder: str | Path, parts: Sequence[dict[str, Any]], metadata: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest of a corpus.

    Args:
        folder: The folder of the shards.
        parts: What `write_part` returned for each part, in order.
        metadata: What else the manifest holds.

    Returns:
        The manifest.

    Raises:
        Error: when there is no shard.
    """
    shards = [shard for part in parts for shard in part["shards"]]
    if not shards:
        raise Error("The text holds no document; give text of at least one paragraph.")
    counts = {name: sum(part[name] for part in parts) for name in ("segments", "sentences", "tokens")}
    contents = {"format": FORMAT, **metadata, **counts, "shards": shards}
    write_json(Path(folder) / MANIFEST, contents)
    return contents


def _example(tf, segment):
    def numbers(values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    return tf.train.Example(features=tf.train.Features(feature={
        "token_ids": numbers(segment.token_ids), "ends": numbers(segment.ends),
        "document": numbers([segment.document])})).SerializeToString(deterministic=True)


def _closed(writer, path, sizes):
    """Close a shard, write its index, and return its entry in the manifest."""
    writer.close()
    ends, content = np.cumsum(sizes), path.read_bytes()
    sums = [zlib.crc32(content[end - size:end]) for end, size in zip(ends, sizes, strict=True)]
    index = path.with_suffix(".index")
    write_bytes(index, np.stack([ends, sums], axis=1).astype("<i8").tobytes())
    return {"file": path.name, "records": len(sizes), **manifest.describe(path.parent, [path.name])[path.name],
            "index": manifest.describe(path.parent, [index.name])[index.name]}


class Shards:
    """The segments of a folder that `write_shards` left, by number: `shards[i]`, `len(shards)`, `shards.metadata`.

    Opening checks names, sizes and indexes. The checksum of a record is checked when the record is read.

    Args:
        folder: A folder that `bertkit corpus` wrote.

    Raises:
        Error: when the folder is incomplete or of another format. Reading raises it where a record is damaged or cut
            off, as FILE: record N, counted from 0 in its file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / MANIFEST
        if not path.is_file():
            raise Error(f"{path} is missing; give a folder that `bertkit corpus` wrote.")
        self.metadata = read_json(path)
        if self.metadata.get("format") != FORMAT:
            raise Error(f"{path} is of format {self.metadata.get('format')!r}; this version of bertkit reads {FORMAT}.")
        if not (_WANTED <= self.metadata.keys() and self.metadata["shards"]):
            raise Error(f"{path} does not say {', '.join(sorted(_WANTED))} of a corpus; copy it again.")
        self._shards = [_Shard(self.folder, entry) for entry in self.metadata["shards"]]
        self._first = np.cumsum([0, *(shard.records for shard in self._shards)])

    def __len__(self):
        return int(self._first[-1])

    def __getitem__(self, number):
        if not 0 <= number < len(self):
            raise IndexError(number)
        place = int(np.searchsorted(self._first, number, side="right")) - 1
        return self._shards[place].read(int(number - self._first[place]))

    def check(self) -> None:
        """Read every record; the first damaged one raises `Error`."""
        for shard in self._shards:
            for number in range(shard.records):
                shard.read(number)


class _Shard:
    def __init__(self, folder, entry):
        known = isinstance(entry, dict) and {"file", "records", "bytes", "index"} <= entry.keys()
        if not known or Path(str(entry["file"])).name != entry["file"]:
            raise Error(f"{folder / MANIFEST} does not say what its shards are; copy it again.")
        self.path, self.records = folder / entry["file"], entry["records"]
        index = self.path.with_suffix(".index")
        manifest.check(folder, {index.name: entry["index"]})
        if not self.path.is_file():
            raise Error(f"{self.path} is missing, and the corpus's manifest names it; copy the folder again.")
        table = np.frombuffer(index.read_bytes(), "<i8").reshape(-1, 2)
        self.ends, self.sums = table.T
        self._check_size(self.path.stat().st_size, entry["bytes"])

    def _check_size(self, size, wanted):
        if size < wanted:
            cut = int(np.searchsorted(self.ends, size, side="right"))
            raise Error(f"{self.path}: record {cut} is cut off: the file has {size} bytes, wanted {wanted}; copy it "
                        "again.")
        if size > wanted:
            raise Error(f"{self.path} has {size} bytes, wanted {wanted}: it is not the file that was written; copy it "
                        "again.")

    def read(self, number):
        """Return the `Segment` of a record."""
        start = int(self.ends[number - 1]) if number else 0
        with open(self.path, "rb") as file:
            file.seek(start)
            frame = file.read(int(self.ends[number]) - start)
        if zlib.crc32(frame) != self.sums[number]:
            raise Error(f"{self.path}: record {number} is damaged: its checksum is another; copy the file again.")
        return _parsed(frame[FRAME[0]:-FRAME[1]])


def _parsed(data):
    import tensorflow as tf
    features = tf.train.Example.FromString(data).features.feature
    ids, ends, document = (features[name].int64_list.value for name in ("token_ids", "ends", "document"))
    return Segment(np.array(ids, "int32"), np.array(ends, "int32"), document[0])
