"""`--no-texts`: no file that a recipe leaves, and no line that it prints, quotes the data."""

import keras
import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from tests import tiny
from tests.recipes.written import FILES

PLANTED = "zqxw"        # in the place of "film", as long, so that places of answers stay right


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder") / "encoder"
    keras.utils.set_random_seed(1)
    made = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder, made, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(made)))
    return folder


def quoting(folder):
    """Return the names of the files that quote the data."""
    return {path.relative_to(folder).parts[0] for path in folder.rglob("*")
            if path.is_file() and PLANTED.encode() in path.read_bytes()}


@pytest.mark.slow
@pytest.mark.parametrize("task", [pytest.param(name, marks=() if name == "classify" else pytest.mark.slow)
                                  for name in dict.fromkeys(["classify", *FILES])])
def test_no_text_is_quoted_where_none_is_wanted(steps, task, encoder, tmp_path, capsys):
    words = [task, "--model", str(encoder), "--length", "16", "--batch-size", "8", "--epochs", "1"]
    suffix, write = FILES.get(task, ("tsv", tiny.write_rows))
    for name, rows in {"train": 32, "dev": 12}.items():
        path = tmp_path / f"{name}.{suffix}"
        write(path, rows, 0)                    # rows of dev stand in train too, which a remark says
        path.write_text(path.read_text().replace("film", PLANTED))
        words += [f"--{name}", str(path)]
    assert main([*words, "--out", str(tmp_path / "quiet"), "--no-texts"]) == 0
    printed = capsys.readouterr()
    assert not quoting(tmp_path / "quiet") and PLANTED not in printed.err + printed.out
    assert (tmp_path / "quiet" / "report.html").is_file()
    if task == "classify":                      # and without the flag it is found: this can fail
        assert main([*words, "--out", str(tmp_path / "loud")]) == 0
        assert quoting(tmp_path / "loud") == {"report.html", "card.json", "logs"}
        report = str(tmp_path / "page.html")
        assert main(["evaluate", str(tmp_path / "loud"), "--data", words[-1], "--report", report, "--no-texts"]) == 0
        assert PLANTED not in (tmp_path / "page.html").read_text()
        assert main(["evaluate", str(tmp_path / "loud"), "--data", words[-1], "--report", report]) == 0
        page = (tmp_path / "page.html").read_text()
        assert PLANTED in page and "Confusion" in page and "the commonest class" in page
