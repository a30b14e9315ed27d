"""The page that `bertkit export --to web` leaves: what it holds, what its policy allows, where LiteRT.js comes from."""

import dataclasses
import functools
import http.server
import json
import os
import re
import shutil
import stat
import threading
from pathlib import Path

import pytest

from bertkit import ondevice
from bertkit.card import Card
from bertkit.cli import main
from bertkit.errors import Error
from bertkit.export import export_web, litert_js, web
from tests import exported
from tests.export import browser

POLICY = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self' blob:; "
          "style-src 'self'; img-src 'self' data:")
# What the page shows when it has answered.
SHOWN = 'document.getElementById("answer").hidden ? "" : document.body.innerText'
LITERT = Path(os.environ.get("BERTKIT_LITERT") or litert_js.cache() / "node_modules")
PAGE = Path(__file__).resolve().parents[2] / "tflite/web/page"


def installed(folder, version=litert_js.VERSION, licence="Apache-2.0"):
    """Write a node_modules that looks as npm leaves it, with small files."""
    core, utils = folder / litert_js.CORE, folder / litert_js.UTILS
    for package in (core, utils):
        (package / "dist").mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version, "license": licence}))
    (core / "wasm").mkdir()
    for name in litert_js.WASM:
        for end in ("js", "wasm"):
            (core / "wasm" / f"{name}.{end}").write_text(f"{name}.{end}")
    (core / "dist/index.js").write_text(f'import {{createWasmLib}} from "{litert_js.UTILS}";\n')
    (utils / "dist/index.js").write_text("export {createWasmLib};\n")
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the folder of a page, and the node_modules that it was made with."""
    place = tmp_path_factory.mktemp("page")
    modules = installed(place / "node_modules")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        export_web(exported.bundled(), place / "out", "float32", exported.LENGTH, litert=modules)
    return place / "out", modules


@pytest.mark.slow
def test_the_folder_answers_and_holds_all_that_the_page_loads(page):
    out, _ = page
    assert set(ondevice.load(out).predict(["a good film"])[0]["probabilities"]) == set(exported.LABELS)
    assert Card.read(out / "card.json").name == "out"
    scripts = [*out.glob("bertkit/**/*.js"), *out.glob("page/*.js"), out / "litert/index.js"]
    for script in scripts:
        for address in re.findall(r'(?:from|import) "([^"]+)"', script.read_text(encoding="utf-8")):
            assert (script.parent / address).is_file(), f"{script.name} imports {address}"
    html = (out / "index.html").read_text(encoding="utf-8")
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert address.startswith("data:") or (out / address).is_file(), address
    assert (out / "litert/wasm/litert_wasm_threaded_internal.wasm").is_file()
    about = json.loads((out / "page/about.json").read_text(encoding="utf-8"))
    assert about["litert"] == litert_js.VERSION and about["lengths"] == [exported.LENGTH]


def test_its_policy_is_kept(page):
    out, _ = page
    html = (out / "index.html").read_text(encoding="utf-8")
    assert f'http-equiv="Content-Security-Policy" content="{POLICY}"' in html
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", html)
    own = "".join(path.read_text(encoding="utf-8") for path in (out / "page").glob("*.*s"))
    assert not re.search(r"https?://|innerHTML|\beval\(|document\.write", own)


def test_the_name_of_a_folder_does_nothing_on_the_page(tmp_path, page):
    for name in ("ondevice.json", "model.tflite"):
        shutil.copy(page[0] / name, tmp_path)
    card = dataclasses.replace(Card.read(page[0] / "card.json"), name="<b>&")
    web._write_page(tmp_path, card, "2.5.3")
    assert "<title>&lt;b&gt;&amp;</title>" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_page_is_replaced_and_nothing_else(page, monkeypatch):
    out, modules = page
    monkeypatch.setattr("bertkit.export.candidates.convert", exported.in_process)
    export_web(exported.bundled(), out, "float32", exported.LENGTH, litert=modules)
    (out / "page/mine.txt").write_text("mine")
    (out / "mine.txt").write_text("mine")
    with pytest.raises(Error, match="mine.txt, which bertkit did not write"):
        export_web(exported.bundled(), out, "float32", exported.LENGTH, litert=modules)
    (out / "mine.txt").unlink()


def test_the_licence_lies_beside_it_and_the_change_is_said(page):
    out, modules = page
    licence = (out / "LICENSE-LiteRT.js.txt").read_text(encoding="utf-8")
    assert licence.startswith(f"{litert_js.CORE} {litert_js.VERSION}") and "TERMS AND CONDITIONS" in licence
    assert (out / "litert/index.js").read_text().startswith("// Changed by bertkit")
    (modules / litert_js.CORE / "LICENSE").write_text("their own text")
    litert_js.copy(modules, out.parent / "again")
    assert "their own text" in (out.parent / "again/LICENSE-LiteRT.js.txt").read_text(encoding="utf-8")
    (modules / litert_js.CORE / "LICENSE").unlink()


def test_without_litert_js_one_sentence_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["export", str(exported.bundled()), "--to", "web", "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err.strip().split("\n")
    assert len(said) == 1 and "--fetch" in said[0] and "--litert" in said[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("change", "reason"), [
    (lambda modules: shutil.rmtree(modules / litert_js.UTILS), "holds no @litertjs/core with @litertjs/wasm-utils"),
    (lambda modules: (modules / litert_js.CORE / "wasm/litert_wasm_internal.wasm").unlink(), "lacks wasm/litert_wasm"),
    (lambda modules: (modules / litert_js.CORE / "dist/index.js").write_text("export {};"), "does not import"),
    (lambda modules: (modules / litert_js.CORE / "package.json").write_text('{"license": "none"}'), "licence none")])
def test_a_node_modules_that_lacks_something_is_refused(tmp_path, change, reason):
    modules = installed(tmp_path / "node_modules")
    change(modules)
    with pytest.raises(Error, match=reason):
        litert_js.copy(litert_js.find(modules, False), tmp_path)


def test_the_folder_above_it_will_do_and_another_version_is_said(tmp_path, capsys):
    modules = installed(tmp_path / "node_modules", "9.9.9")
    assert litert_js.find(tmp_path, False) == modules
    assert "9.9.9; bertkit was tried with" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------- a browser


class Files(http.server.SimpleHTTPRequestHandler):
    """A plain file server, or one that sends the headers with which several threads compute."""

    isolated = False

    def end_headers(self):
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_):
        pass


def served(folder, isolated, use):
    """Return what `use` returns of the address at which a folder is served."""
    handler = functools.partial(type("Handler", (Files,), {"isolated": isolated}), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            return use(f"http://127.0.0.1:{server.server_address[1]}/index.html")
        finally:
            server.shutdown()


@pytest.mark.slow
@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.skipif(not LITERT.is_dir(), reason="no LiteRT.js: `bertkit export --to web --fetch`, or BERTKIT_LITERT")
@pytest.mark.parametrize("isolated", [False, True])
def test_a_browser_shows_the_answer(page, tmp_path, isolated):
    out = tmp_path / "out"
    shutil.copytree(page[0], out)
    shutil.rmtree(out / "litert")
    litert_js.copy(litert_js.find(LITERT, False), out)
    text = re.search(r'FILM = \[\s*"([^"]+)"', (PAGE / "form.js").read_text(encoding="utf-8"))[1]
    wanted = ondevice.load(out).predict([text])[0]

    def shown(address):
        with browser.Page(address, tmp_path) as opened:
            assert opened.wait("window.bertkit?.then(model => model.facts.task.name)") == "classify"
            return opened.wait(SHOWN)

    found = served(out, isolated, shown)
    assert wanted["label"] in found.split("\n"), found
    for probability in wanted["probabilities"].values():
        assert f"{100 * probability:.1f} %" in found
    assert re.search(r"\d ms · 1 row of 16 tokens", found) and ("threads" in found) == isolated


# ------------------------------------------------------------------------------------------------- --fetch


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put a program in the place of npm that copies packages, and return what it was asked."""
    source, asked, program = installed(tmp_path / "source"), tmp_path / "asked", tmp_path / "bin/npm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\ncat package-lock.json >> {asked}\n'
                       f'[ -e {tmp_path}/offline ] && {{ echo "npm error code ENOTFOUND" >&2; exit 1; }}\n'
                       f"cp -r {source} node_modules\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return asked


def test_npm_fills_the_cache_once_with_the_pinned_version(npm):
    modules = litert_js.find(None, True)
    assert (modules / litert_js.CORE / "package.json").is_file() and modules.parent == litert_js.cache()
    assert litert_js.find(None, True) == litert_js.find(None, False) == modules
    asked = npm.read_text()
    assert asked.startswith("ci --ignore-scripts") and asked.count("ci --ignore-scripts") == 1
    lock = json.loads(asked[asked.index("{"):])
    assert {name.removeprefix("node_modules/"): package["integrity"]
            for name, package in lock["packages"].items() if name} == litert_js.INTEGRITY


def test_a_cache_that_was_changed_is_refused(npm):
    modules = litert_js.find(None, True)
    (modules / litert_js.CORE / "dist/index.js").write_text("something else")
    with pytest.raises(Error, match="not as npm left it"):
        litert_js.find(None, False)


def test_where_npm_reaches_nothing_one_sentence_says_so_and_nothing_is_left(npm, tmp_path):
    (tmp_path / "offline").touch()
    with pytest.raises(Error, match="ENOTFOUND.*--litert"):
        litert_js.find(None, True)
    assert list((tmp_path / "cache/bertkit").iterdir()) == []


def test_without_npm_one_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Error, match="--fetch needs npm"):
        litert_js.find(None, True)


def test_the_page_holds_no_more_than_its_files():
    assert {path.name for path in PAGE.iterdir()} == {"index.html", "page.css", "page.js", "form.js", "show.js"}
