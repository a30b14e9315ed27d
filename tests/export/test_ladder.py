"""The ladder: files of fewer bits compute nearly the same, each length too, and the choice is what was asked."""

import copy
import itertools

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.card import Card
from bertkit.errors import Error
from bertkit.export import drift, export_tflite, flatbuffer, ladder, source, static
from bertkit.export.proof import _best_lengths, costs_of_lengths
from bertkit.export.quantize import RULES, SIGNATURE, operations, quantize
from tests import exported, tiny

TEXTS = [*tiny.texts(40, seed=9)[0], "", "a good film " * 50, "Ünïcode ½ 中文"]


def content(precision="float32"):
    return (exported.phone(precision) / "model.tflite").read_bytes()


def rows():
    predictor = source.open_predictor(exported.bundled())
    return source.calibration_rows(exported.bundled(), predictor.tokenizer, exported.LENGTH)


def answers(bytes_of_file, batch):
    """What a .tflite says of rows, [rows, C]."""
    from ai_edge_litert.interpreter import Interpreter
    runner = Interpreter(model_content=bytes_of_file).get_signature_runner(SIGNATURE)
    return np.concatenate([next(iter(runner(**{name: values[at:at + 1] for name, values in batch.items()}).values()))
                           for at in range(len(batch["token_ids"]))])


@pytest.fixture(scope="module")
def auto():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        patch.setattr("bertkit.export.candidates.peak_memory", lambda *_: 1)
        out = exported.ROOM / "auto"
        card = export_tflite(exported.bundled(), out, "auto", exported.LENGTH, exported.dev(), max_drop=5)
    return out, card


@pytest.mark.slow
def test_auto_makes_each_rung_and_leaves_the_smallest_that_keeps_the_answers(auto):
    out, card = auto
    entries = {one["precision"]: one for one in card.ladder}
    assert list(entries) == ["float32", "float16", "dynamic", "int8", "int4", "int4-small", "int8-static"]
    (chosen,) = [one for one in entries.values() if one["chosen"]]
    inside = [one for one in entries.values() if one["drop"]["drop"] <= 5]
    assert chosen["bytes"] == min(one["bytes"] for one in inside) == (out / "model.tflite").stat().st_size
    assert sorted(path.name for path in out.iterdir()) == ["card.json", "labels.txt", "ladder.html", "model.tflite",
                                                           "ondevice.json", "vocab.txt"]
    page = (out / "ladder.html").read_text()
    assert all(f">{name}<" in page for name in entries) and "block_1" in page
    assert "http:" not in page and "https:" not in page
    assert Card.read(out / "card.json").ladder == card.ladder
    assert all(one["fell"] for one in entries.values() if one is not chosen)
    assert entries["float32"]["agreement"] == 1 and entries["int4"]["bytes"] < entries["int8"]["bytes"]


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "agreement"), [("int4", 0.9), ("int4-small", 0.85), ("int8-static", 0.85)])
def test_fewer_bits_nearly_agree(auto, precision, agreement):
    entry = next(one for one in auto[1].ladder if one["precision"] == precision)
    assert agreement <= entry["agreement"] and 0 < entry["drift"] < 3
    assert entry["layers"] and all(0 < value < 0.6 for value in entry["layers"].values())


@pytest.mark.slow
def test_lookups_compute_what_gathers_do():
    changed, batch = flatbuffer.with_lookups(content()), rows()
    assert operations(changed)["EMBEDDING_LOOKUP"] and operations(content())["EMBEDDING_LOOKUP"] == 0
    np.testing.assert_array_equal(answers(changed, batch), answers(content(), batch))


def test_the_rewritten_matrix_computes_the_same():
    batch = {name: values[:8] for name, values in rows().items()}
    changed, ranges = static.rewritten(content(), *static.static_ranges(content(), SIGNATURE, batch))
    np.testing.assert_allclose(answers(changed, batch), answers(content(), batch), atol=1e-5)
    scaled = [name for name in ranges if name.endswith("/scaled")]
    assert len(scaled) == 2 and all(ranges[name]["max"].item() == 1 for name in scaled)


def test_ranges_are_of_real_tokens_alone():
    batch = {name: values[:4] for name, values in rows().items()}
    found, _ = static.static_ranges(content(), SIGNATURE, batch)
    other = {**batch, "token_ids": np.where(batch["padding_mask"] == 1, batch["token_ids"], 7)}
    moved = static.static_ranges(content(), SIGNATURE, other)[0]
    assert list(moved) == list(found)
    np.testing.assert_allclose(list(moved.values()), list(found.values()), rtol=1e-5)
    assert batch["padding_mask"].min() == 0, "no row has padding, so nothing is tested"


@pytest.mark.slow
def test_hidden_keys_get_no_weight_in_integers(auto):
    """The same row with other ids under the mask: the answer of the int8-static file does not move."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        out = exported.ROOM / "static"
        export_tflite(exported.bundled(), out, "int8-static", exported.LENGTH)
    device, batch = ondevice.load(out), rows()
    one = {name: values[:1] for name, values in batch.items()}
    others = {**one, "token_ids": np.where(one["padding_mask"] == 1, one["token_ids"], 9)}
    assert one["padding_mask"].min() == 0
    np.testing.assert_array_equal(device.run(one), device.run(others))


def passed_bounds(hides_by=None):
    """Return by how much hidden keys of an int8-static file pass their bound, for each row and layer.

    The score of a hidden key is the low end of the range, 6 below the lowest real one, so that it gets at most exp(-6)
    of what the real key with the lowest score gets; the file rounds to levels of 1/256. `hides_by` is another constant
    in place of the one that sends hidden keys there.
    """
    batch, model = rows(), flatbuffer.read(content())
    found, peaks = static.static_ranges(content(), SIGNATURE, batch)
    graph = static.graph_of(model, SIGNATURE)
    masks = [place for place in found if graph.operators[place[0]][0] == "MUL" and found[place][1] <= 0]
    assert masks
    found |= {} if hides_by is None else dict.fromkeys(masks, (hides_by, 0.0))
    scaled, ranges = static.rewritten(content(), found, peaks)
    made = quantize(scaled, RULES["int8-static"], ranges)
    model = flatbuffer.read(made)
    graph = static.graph_of(model, SIGNATURE)
    softmax = [at for at in graph.scores if graph.operators[at][0] == "SOFTMAX"]
    passed = []
    for mask, values_of in static.observed(made, SIGNATURE, {name: values[:8] for name, values in batch.items()}):
        for at in softmax if not mask.all() else ():
            integers = values_of(int(graph.operators[at][1].outputs[0]))
            p = (integers.astype("float64") + 128) / 256
            p = p[:, :, mask] if p.shape[2] == len(mask) else p
            passed.append((p[..., ~mask] - (np.exp(-6) * p[..., mask].min(axis=-1, keepdims=True) + 1 / 256)).max())
    return np.array(passed)


def test_a_hidden_key_gets_at_most_e_to_the_minus_6_of_the_least_real_one():
    """So says the range of scores, which ends 6 below the lowest real one; a smaller constant is seen to leak."""
    assert len(bounds := passed_bounds()) and bounds.max() <= 1e-9
    assert passed_bounds(hides_by=-1.0).max() > 1 / 256


@pytest.mark.slow
def test_layers_that_change_nothing_drift_by_nothing():
    batch = rows()
    assert set(drift.layer_drift(content(), content(), SIGNATURE, batch).values()) == {0.0}
    found = drift.layer_drift(content(), content("int8"), SIGNATURE, batch)
    assert {"embeddings", "block_0", "block_1"} <= set(found) and min(found.values()) > 0


@pytest.mark.slow
def test_one_file_of_several_lengths_answers_as_files_of_one(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        export_tflite(exported.bundled(), tmp_path / "phone", "float32", lengths="8,16")
    several = ondevice.load(tmp_path / "phone")
    assert several.lengths == (8, 16) and several.length == 16
    used, run = set(), several.run
    several.run = lambda batch: (used.add(batch["token_ids"].shape[1]), run(batch))[1]
    np.testing.assert_allclose(np.array(several.predictions(TEXTS)), exported.said(exported.phone(), TEXTS), atol=1e-5)
    assert used == {8, 16}
    size = (tmp_path / "phone" / "model.tflite").stat().st_size
    assert size < 2 * (exported.phone() / "model.tflite").stat().st_size


ENTRIES = [{"precision": name, "bytes": size, "score": 0.9, "drop": {"drop": drop, "low": drop, "high": drop},
            "agreement": agreement, "drift": 0.1, "cpu_ms": {"p50": ms, "p95": ms}, "fell": None, "chosen": False}
           for name, size, drop, agreement, ms in (("float32", 400, 0.0, 1.0, 9), ("int8", 110, 0.5, 0.995, 2),
                                                   ("int4", 90, 0.9, 0.98, 3), ("int4-small", 60, 1.4, 0.95, 4))]


@pytest.mark.parametrize(("most", "prefer", "wanted"), [
    (1.0, "size", "int4"), (1.0, "speed", "int8"), (2.0, "size", "int4-small"), (0.1, "speed", "float32")])
def test_the_choice_is_the_best_that_loses_no_more_than_is_allowed(most, prefer, wanted):
    entries = copy.deepcopy(ENTRIES)
    assert ladder.choose(entries, most, prefer)["precision"] == wanted
    assert [one["precision"] for one in entries if one["chosen"]] == [wanted]
    assert [line.split()[1] for line in ladder.table(entries).splitlines() if line.startswith("->")] == [wanted]


def test_without_labelled_rows_agreement_decides():
    entries = [{**one, "drop": dict.fromkeys(("drop", "low", "high")), "score": None} for one in copy.deepcopy(ENTRIES)]
    assert ladder.choose(entries, 1.0, "size")["precision"] == "int8"
    assert "agrees on 95.0 %" in entries[-1]["fell"]


def test_no_rung_that_is_good_enough_shows_all():
    entries = copy.deepcopy(ENTRIES)[1:]
    with pytest.raises(Error, match="(?s)No precision is good enough.*int4-small"):
        ladder.choose(entries, 0.1, "size")


def test_lengths_are_the_cheapest_of_all_sets():
    steps, counts = np.array([8, 16, 24, 40, 48]), np.array([5, 9, 2, 7, 1])
    for count in (1, 2, 3):
        sets = [(*some, 48) for some in itertools.combinations(steps[:-1].tolist(), count - 1)]
        cost = {one: sum(n * min(length for length in one if length >= step)
                         for step, n in zip(steps, counts, strict=True)) for one in sets}
        assert _best_lengths(steps, counts, count) == (min(cost.values()), list(min(cost, key=cost.get)))
    predictor = source.open_predictor(exported.bundled())
    found = costs_of_lengths(predictor, TEXTS)
    assert found["1"]["tokens"] >= found["3"]["tokens"] >= found["6"]["tokens"] > 2
