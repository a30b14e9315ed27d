"""Make the picture on the home page and in the README from a run of the demo; Chromium draws it.

    bertkit demo --out bertkit-demo
    python docs/picture.py bertkit-demo

The answers, the curve and the confusion matrix are those of the demo's run; the table is what four exports of it
measured, which are kept in its folder.
"""

import html
import json
import re
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from PIL import Image

from bertkit import export, ondevice

PICTURE = Path(__file__).parent / "assets" / "run.png"
TEXT = "Book a seat on the night train to Vienna."
PRECISIONS = ("float32", "float16", "dynamic", "int8")
WIDTH, HEIGHT, SCALE = 1200, 830, 1.5
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync"]
STYLE = """
body { max-width: none; padding: 26px 32px; } p { margin: 0; } section { min-width: 0; }
.panels { display: grid; grid-template-columns: 1fr 1fr; gap: 22px 44px; }
pre { grid-column: 1 / 3; margin: 0; padding: 16px 20px; border-radius: 8px; background: #15171a; color: #e7e9ec;
  font: 15px/1.6 "DejaVu Sans Mono", monospace; } pre b { color: #86b7f2; font-weight: 400; }
h2 { margin: 0 0 6px; padding: 0; border: 0; } figure { margin: 0; } figure h3 { display: none; }
table { font-size: 15px; } caption { display: none; }
"""


def part(report, pattern):
    """Return the part of the report that a pattern finds."""
    found = re.search(pattern, report, flags=re.DOTALL)
    if not found:
        raise SystemExit(f"The report has no part like {pattern!r}; has it changed?")
    return found.group(1)


def terminal(folder):
    """Return what the exported file answers, as it looks in a terminal."""
    answer = ondevice.load(folder / "phone").predict([TEXT])[0]
    shown = {name: round(value, 3) for name, value in answer["probabilities"].items()}
    lines = ["bertkit demo", f'echo "{TEXT}" | \\\n    bertkit predict bertkit-demo/classifier '
             "--tflite bertkit-demo/phone/model.tflite"]
    said = json.dumps({"label": answer["label"], "probabilities": shown})
    return "<pre>" + "".join(f"<b>$</b> {html.escape(line, quote=False)}\n" for line in lines) + f"{said}</pre>"


def exported(folder, precision):
    """Return the card of the demo's model in one precision, exported now unless that was done before."""
    out = folder / "exports" / precision
    if not (out / "card.json").exists():
        export(folder / "classifier", out, to="tflite", precision=precision, length=48,
               dev=resources.files("bertkit.data") / "demo" / "dev.tsv")
    return json.loads((out / "card.json").read_text(encoding="utf-8"))


def table(folder):
    """Return the table of the exports: size, score on dev, points lost, share of answers that are the model's."""
    rows = ""
    for precision in PRECISIONS:
        card = exported(folder, precision)
        dev = card["parity"]["dev"]
        numbers = (f"{card['bytes']['model.tflite'] / 1e6:.1f}", f"{100 * dev['score']:.2f}",
                   f"{dev['drop_points']['drop']:.2f}", f"{100 * dev['agreement']:.0f} %")
        rows += f"<tr><th>{precision}</th>{''.join(f'<td class=number>{number}</td>' for number in numbers)}</tr>"
    heads = "".join(f"<th class=number>{head}</th>" for head in ("MB", "dev accuracy", "points lost", "same answers"))
    return f"<table><thead><tr><th>.tflite</th>{heads}</tr></thead>{rows}</table>"


def page(folder):
    """Return the HTML of the picture."""
    report = (folder / "classifier" / "report.html").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html><meta charset="utf-8"><style>{part(report, "<style>(.*?)</style>")}{STYLE}</style>
<div class="panels">{terminal(folder)}
<section><h2>Training</h2>{part(report, "(<figure><h3>Dev.*?</figure>)")}</section>
<section><h2>Which classes it mistakes for which</h2>{part(report, "<h2>Confusion.*?(<table>.*?</table>)")}</section>
<section><h2>For the phone, each file measured</h2>{table(folder)}</section>
<section><h2>For the report</h2>{part(report, '(<ul class="headline">.*?</ul>)')}
<p class="note">Each score with its 95 % interval; dev chose the epoch, test only reports.</p></section></div>"""


def main(folder):
    """Draw the picture of a demo's folder."""
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        (work / "page.html").write_text(page(Path(folder)), encoding="utf-8")
        subprocess.run([*CHROMIUM, f"--user-data-dir={work / 'profile'}", f"--force-device-scale-factor={SCALE}",
                        f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={work / 'page.png'}",
                        (work / "page.html").as_uri()], check=True, stderr=subprocess.DEVNULL)
        PICTURE.parent.mkdir(exist_ok=True)
        Image.open(work / "page.png").convert("RGB").quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
