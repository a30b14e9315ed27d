"""Kill runs at random moments, run the same command again until it ends, and compare what is left byte for byte.

    python scripts/kills.py [--kills N] [--minutes M] [--seed S] [--only NAME ...]

Each recipe that trains, `pretrain`, `sweep` and `glue` run on the small encoder of the tests. A chain is one folder:
the command is killed (SIGKILL) once to three times, each time at a moment drawn over the time that it takes, and then
runs to its end. Compared with the folder of a run that nobody disturbed are the weights, the vocabulary, the page, the
card, the manifest and GLUE's table. Exit code 1 where a file differs, a run fails, or temporary names are left.
"""

import argparse
import atexit
import importlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
COMPARED = ("weights.safetensors", "vocab.txt", "calibration.safetensors", "report.html", "card.json", "bundle.json",
            "table.tsv", "*.tsv")
SHORT = "--epochs 4 --batch-size 8 --length 16 --learning-rate 2e-2 --set log_every=2"
COMMANDS = {
    "classify": f"classify --train text.tsv --dev dev.tsv {SHORT}",
    "score": f"score --train score.tsv --dev score.tsv {SHORT}",
    "tag": f"tag --train tags.conll --dev tags.conll {SHORT}",
    "answer": f"answer --train squad.json --dev squad.json {SHORT.replace('--length 16', '--length 24')}",
    "choose": f"choose --train endings.csv --dev endings.csv {SHORT}",
    "embed": f"embed --train score.tsv --dev score.tsv {SHORT}",
    "pretrain": "pretrain --data shards --vocabulary encoder/vocab.txt --config tiny.json --objectives mlm --steps 30 "
                "--batch-size 4 --save-every 5",
    "sweep": f"sweep classify --over weight_decay=0,0.1 -- --train text.tsv --dev dev.tsv {SHORT}",
    "glue": "glue --data glue --tasks RTE,SST-2 --seeds 0 --epochs 3 --batch-size 8 --length 16 --learning-rate 2e-2"}


def words_of(name):
    """Return the words of a command that leaves its folder as "out"."""
    if name == "sweep":
        before, after = COMMANDS[name].split(" -- ")
        return [*before.split(), "--out", "out", "--", "--model", "encoder", *after.split()]
    model = [] if name == "pretrain" else ["--model", "encoder"]
    return [*COMMANDS[name].split(), *model, "--out", "out"]


def write_data(place):
    """Write an encoder and a few rows for each task."""
    import keras

    from bertkit.card import Card
    from bertkit.checkpoints import bundle
    from bertkit.cli import main
    from bertkit.encoder import Encoder
    from tests import tiny
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(place / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    tiny.write_rows(place / "text.tsv", 40, 0)
    tiny.write_rows(place / "dev.tsv", 24, 1)
    texts, classes = tiny.texts(40)
    pairs = list(zip(texts, texts[1:] + texts[:1], classes, strict=True))
    (place / "score.tsv").write_text("first\tsecond\tscore\n" + "".join(
        f"{one}\t{other}\t{label}\n" for one, other, label in pairs))
    tagged = [[f"{word} {'B-X' if word in ('good', 'bad') else 'O'}" for word in text.split()] for text in texts]
    (place / "tags.conll").write_text("\n\n".join("\n".join(lines) for lines in tagged) + "\n")
    (place / "endings.csv").write_text("prompt,ending0,ending1,label\n" + "".join(
        f"{text},good film,bad film,{label}\n" for text, label in zip(texts, classes, strict=True)))
    asked = [{"context": text, "qas": [{"id": str(number), "question": "was it good", "answers": [
        {"text": "film", "answer_start": text.rindex("film")}]}]} for number, text in enumerate(texts)]
    (place / "squad.json").write_text(json.dumps({"version": "1.1", "data": [{"paragraphs": asked}]}))
    for task, columns in (("RTE", "index\tsentence1\tsentence2\tlabel"), ("SST-2", "sentence\tlabel")):
        (place / "glue" / task).mkdir(parents=True)
        names = {"0": "entailment", "1": "not_entailment"}
        rows = [f"{number}\t{one}\t{other}\t{names[str(label)]}" if task == "RTE" else f"{one}\t{label}"
                for number, (one, other, label) in enumerate(pairs)]
        for part in ("train", "dev"):
            (place / "glue" / task / f"{part}.tsv").write_text("\n".join([columns, *rows]) + "\n")
    documents = [".\n".join(texts[start:start + 4]) for start in range(0, 40, 4)]
    (place / "corpus.txt").write_text("\n\n".join(documents) + "\n")
    (place / "tiny.json").write_text(json.dumps(tiny.CONFIG.but(num_layers=1).to_json()))
    assert main(["corpus", "--text", str(place / "corpus.txt"), "--vocabulary", str(place / "encoder" / "vocab.txt"),
                 "--out", str(place / "shards"), "--length", "16"]) == 0


def run(place, words, seconds=None):
    """Run a command, killed after so many seconds; return (exit code or None where it was killed, its last line)."""
    if words[0] not in ("sweep", "glue"):
        return run_forked(place, words, seconds or 900)
    child = subprocess.Popen([sys.executable, "-m", "bertkit", *words], cwd=place, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    try:
        _, said = child.communicate(timeout=seconds or 900)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return None, ""
    return child.returncode, (said.strip().splitlines() or [""])[-1]


def run_forked(place, words, seconds):
    """Run a command in a copy of this process, which has imported everything and computed nothing; as `run` does."""
    from bertkit.cli import main as command
    said = place / "said.txt"
    child = os.fork()
    if not child:
        code = 1
        try:
            os.chdir(place)
            for number, name in ((1, os.devnull), (2, said)):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            code = command(words)
            atexit._run_exitfuncs()
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), (said.read_text().strip().splitlines() or [""])[-1]
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None, ""


def contents(out):
    """Return {name: bytes} of the files that are compared; the table of a sweep says how long each trial took."""
    patterns = [name for name in COMPARED if not ((out / "sweep.json").exists() and name.endswith(".tsv"))]
    return {path.relative_to(out).as_posix(): path.read_bytes() for pattern in patterns for path in out.rglob(pattern)}


def leftovers(place):
    """Return temporary names that a finished command left."""
    return [path.relative_to(place).as_posix() for path in place.rglob("*") if ".tmp" in path.name]


def chain(place, name, whole, seconds, draw):
    """Kill a command, run it to its end, and return (kills, what is wrong)."""
    kills, wrong = 0, []
    for _ in range(draw.randint(1, 3)):
        code, _ = run(place, words_of(name), max(draw.uniform(0, seconds), 0.5))
        if code is not None:
            break
        kills += 1
    code, said = run(place, words_of(name))
    if code != 0:
        wrong.append(f"ended {code}: {said[:200]}")
    found = contents(place / "out") if (place / "out").exists() else {}
    wrong += [f"{each} differs" for each in sorted(whole.keys() | found.keys()) if whole.get(each) != found.get(each)]
    wrong += [f"{each} is left" for each in leftovers(place)]
    if wrong:
        kept = Path(tempfile.mkdtemp(prefix=f"kills-{name}-"))
        shutil.copytree(place / "out", kept / "out") if (place / "out").exists() else None
        wrong.append(f"kept in {kept}")
    shutil.rmtree(place / "out", ignore_errors=True)
    return kills, wrong


def main():
    """Kill as many runs as were asked for; return the exit code."""
    made = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    made.add_argument("--kills", type=int, default=20)
    made.add_argument("--minutes", type=float, default=60)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--only", nargs="+", choices=tuple(COMMANDS), default=tuple(COMMANDS))
    asked = made.parse_args()
    draw, end = random.Random(asked.seed), time.monotonic() + 60 * asked.minutes
    place = Path(tempfile.mkdtemp(prefix="kills-"))
    # in a process of its own: what is forked below must have computed nothing
    writer = multiprocessing.get_context("spawn").Process(target=write_data, args=(place,))
    writer.start()
    writer.join()
    for name in ("tensorflow", "keras", *(f"bertkit.recipes.{name}" for name in asked.only if name not in (
            "sweep", "glue")), "bertkit.training.run", "bertkit.pretraining.run"):
        importlib.import_module(name)
    wholes, kills, chains, failed = {}, 0, 0, 0
    while kills < asked.kills and time.monotonic() < end:
        name = asked.only[chains % len(asked.only)]
        if name not in wholes:
            began = time.monotonic()
            code, said = run(place, words_of(name))
            if code:
                print(f"{name}: undisturbed it ended {code}: {said}")
                return 1
            wholes[name] = contents(place / "out"), time.monotonic() - began
            shutil.rmtree(place / "out")
        more, wrong = chain(place, name, *wholes[name], draw)
        kills, chains, failed = kills + more, chains + 1, failed + bool(wrong)
        print(f"{chains:3} {name:9} {more} kills, {', '.join(wrong) or 'the same bytes'}", flush=True)
    shutil.rmtree(place)
    print(f"{kills} kills in {chains} chains, {failed} of them with something wrong")
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
