"""Plant faults one by one in a copy of the package, and see that the tests which `make test` runs notice each.

    python scripts/planted_faults.py [NUMBER ...]

Run it after tests were made shorter or moved to `-m slow`. Exit code 1 where a fault was not noticed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# file, what stands there, the fault in its place, the tests that must fail
FAULTS = (
    ("bertkit/layers/attention.py", "(1.0 - ops.cast(mask, precise)) * masked_score", "0.0 * ops.cast(mask, precise)",
     "tests/test_encoder.py"),
    ("bertkit/layers/attention.py", "query.dtype) ** -0.5", "query.dtype) ** -0.4", "tests/layers/test_attention.py"),
    ("bertkit/text/models/wordpiece.py", "start + self._longest_piece), start, -1)", "start + 3), start, -1)",
     "tests/text/test_wordpiece.py tests/text/test_tokenizer.py"),
    ("bertkit/text/tokenizer.py", "offsets += [(begin + a, begin + b)", "offsets += [(a, begin + b)",
     "tests/text/test_added.py"),
    ("bertkit/metrics/classification.py", "if average == \"macro\":\n        return float(_harmonic(*counts).mean())",
     "if average == \"macro\":\n        return float(_harmonic(*counts)[1:].mean())",
     "tests/metrics/test_classification.py"),
    ("bertkit/training/resume.py", "for name, variable in _state(model).items():\n            variable.assign",
     "for name, variable in list(_state(model).items())[1:]:\n            variable.assign",
     "tests/training/test_run.py"),
    ("bertkit/training/lora.py", "layer.lora_alpha / layer.lora_rank *", "layer.lora_alpha *",
     "tests/training/test_lora.py"),
    ("bertkit/training/optimizer.py", "(self.lr_scales.get(v.path, 1.0),", "(1.0,",
     "tests/training/test_lr_scales.py tests/training/test_optimizer.py"),
    ("bertkit/objectives/masking.py", "keys, width), size)", "keys, width), size // 2)",
     "tests/objectives/test_masking.py tests/objectives/test_mlm.py"),
    ("bertkit/files/manifest.py", " or sha256(path) != metadata[\"sha256\"]:", ":",
     "tests/ondevice/test_runner.py -k a_changed_file_is_named"),
    ("bertkit/export/parity.py", "if drop[\"low\"] > max_drop:", "if drop[\"low\"] > 100 * max_drop:",
     "tests/export/test_parity.py tests/export/test_tflite.py"),
    ("bertkit/heads/losses.py", "super().__call__(y_true, y_pred, sample_weight)", "super().__call__(y_true, y_pred)",
     "tests/test_keras_contract.py"),
)


def noticed(copy: Path, number: int) -> bool:
    """Return whether a fault's tests fail; that they pass without it, `make test` shows."""
    file, good, bad, tests = FAULTS[number]
    source = (ROOT / file).read_text(encoding="utf-8")
    if source.count(good) != 1:
        raise SystemExit(f"fault {number}: {file} holds {good!r} {source.count(good)} times; wanted is once.")
    (copy / file).write_text(source.replace(good, bad), encoding="utf-8")
    result = subprocess.run([sys.executable, "-m", "pytest", "-x", *tests.split()], cwd=copy, capture_output=True,
                            text=True, check=False, env=os.environ | {"PYTHONPATH": str(copy)})
    (copy / file).write_text(source, encoding="utf-8")
    failed = [line for line in result.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    seen = result.returncode == 1
    print(f"{number:2} {'noticed' if seen else 'NOT NOTICED'}: {file}: {bad!r:.60}", *failed, sep="\n   ", flush=True)
    return seen


def main() -> int:
    """Return 0 where every fault was noticed."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "bertkit"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "build", "site", "*.egg-info"))
        numbers = [int(word) for word in sys.argv[1:]] or range(len(FAULTS))
        results = [noticed(copy, number) for number in numbers]
        return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
