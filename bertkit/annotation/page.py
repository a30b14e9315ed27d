"""The sheet as one HTML file that needs no network; the ratings are saved from it as CSV."""

import base64
import hashlib
import json
from collections.abc import Sequence

from bertkit.report.markup import Markup, element
from bertkit.report.style import STYLE

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOOK = STYLE + """
body { max-width: 90rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.outputs { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.5rem; margin: 1rem 0; }
.outputs > div { background: var(--raised); padding: .8rem 1rem; }
fieldset { border: 0; padding: 0; margin: .8rem 0 0; }
label { margin-inline-end: .6rem; white-space: nowrap; }
footer { position: sticky; bottom: 0; background: var(--ground); padding: .8rem 0; border-top: 1px solid var(--line); }
"""
# The CSV has a row for each output: item, output, a rating for each question, empty where there is none.
SCRIPT = """
const sheet = JSON.parse(document.getElementById("sheet").textContent);
const quoted = (value) => /[",\\n\\r]/.test(value) ? '"' + value.replaceAll('"', '""') + '"' : value;
const rating = (name) => document.querySelector('input[name="' + name + '"]:checked')?.value ?? "";
const rows = () => sheet.outputs.map(([item, output]) => [String(item), output,
  ...sheet.questions.map((_, number) => rating(item + "-" + output + "-" + number))]);
let saved = true;
const count = () => {
  const all = rows().flatMap((row) => row.slice(2));
  document.getElementById("count").textContent = all.filter(Boolean).length + " of " + all.length + " ratings";
};
document.addEventListener("change", (event) => { if (event.target.type === "radio") { saved = false; count(); } });
window.addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
document.getElementById("save").addEventListener("click", () => {
  const lines = [["item", "output", ...sheet.questions], ...rows()].map((row) => row.map(quoted).join(",") + "\\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, {type: "text/csv"}));
  link.download = (document.getElementById("name").value.replace(/[^\\w-]+/g, "_") || "ratings") + ".csv";
  link.click();
  saved = true;
});
count();
"""


def render_sheet(rows: Sequence[tuple[int, str, Sequence[str]]], questions: Sequence[str], scale: int) -> str:
    """Return the sheet as HTML, in which every text is escaped.

    The page loads nothing and runs only its own script, as its Content-Security-Policy says.

    Args:
        rows: (number of the item, source text or "", texts of its outputs).
        questions: the questions about each output.
        scale: largest rating; 1 is the smallest.

    Returns:
        The HTML, a str.
    """
    outputs = [(item, letter) for item, _, texts in rows for letter, _ in zip(LETTERS, texts, strict=False)]
    metadata = json.dumps({"outputs": outputs, "questions": list(questions)}).replace("<", "\\u003c")
    instructions = (f"For each text, say how far you agree: 1 not at all, {scale} entirely. Leave out what you cannot "
                    "judge. Nothing leaves this page until you save it.")
    body = element(
        "body", element("header", element("h1", "Judge these texts"), element("p", instructions)),
        element("main", *(_item(*row, questions, scale) for row in rows)),
        element("footer", element("label", "Your name ", Markup('<input id="name" autocomplete="off">')),
                element("button", "Save as CSV", id="save", type="button"), " ", element("span", id="count")),
        element("script", Markup(metadata), id="sheet", type="application/json"), element("script", Markup(SCRIPT)))
    head = element("head", element("meta", charset="utf-8"),
                   element("meta", http_equiv="Content-Security-Policy", content=_policy(metadata)),
                   element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                   element("title", "Judge these texts"), element("style", Markup(LOOK)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _item(item, source, texts, questions, scale):
    original = [element("h3", "Source"), element("p", element("bdi", source), class_="text")] if source else []
    outputs = [element("div", element("h3", f"Text {letter}"), element("p", element("bdi", text), class_="text"),
                       *(_question(f"{item}-{letter}-{number}", question, scale)
                         for number, question in enumerate(questions)))
               for letter, text in zip(LETTERS, texts, strict=False)]
    return element("section", element("h2", f"Item {item}"), *original, element("div", *outputs, class_="outputs"))


def _question(name, question, scale):
    choices = [element("label", Markup(f'<input type="radio" name="{name}" value="{step}"> '), str(step))
               for step in range(1, scale + 1)]
    return element("fieldset", element("legend", question), *choices)


def _policy(metadata):
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (LOOK, SCRIPT, metadata)]
    style, script, data = (f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; style-src {style}; script-src {script} {data}; base-uri 'none'; form-action 'none'"
