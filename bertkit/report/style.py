"""The look of a report: quiet, one accent colour, light and dark, on a phone and on paper."""

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5f6670; --line: #dcdfe4; --ground: #ffffff;
  --raised: #f6f7f9; --accent: #1f5fa8; --heat: 31, 95, 168;
  --against: 176, 74, 20; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #a0a7b1; --line: #363b43; --ground: #15171a;
  --raised: #1d2024; --accent: #86b7f2; --heat: 134, 183, 242;
  --against: 240, 160, 110; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 62rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
header { margin-bottom: 3rem; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 650; margin: 0 0 .4rem; letter-spacing: -.01em;
  overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; font-weight: 650; margin: 3.5rem 0 .5rem; padding-top: 1.1rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; font-weight: 650; margin: 2rem 0 .4rem; }
p { margin: .4rem 0 1rem; max-width: 44rem; }
.note, figcaption, caption { color: var(--soft); font-size: .9rem; }
.headline { display: flex; flex-wrap: wrap; gap: .5rem 2.75rem; margin: 1.6rem 0; padding: 0; list-style: none; }
.headline b { display: block; font-size: 1.75rem; font-weight: 600; line-height: 1.25; color: var(--accent);
  font-variant-numeric: tabular-nums; }
.headline .other { color: var(--soft); }
.headline span { color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 1rem 0 1.75rem; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: start; padding-bottom: .5rem; }
th, td { padding: .4rem .9rem .4rem 0; text-align: start; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { font-weight: 500; color: var(--soft); border-bottom-color: var(--soft); vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: end; white-space: nowrap; }
th.number:first-child { text-align: start; }
thead .number { white-space: normal; }
td.words, th.words { min-width: 5rem; }
td.words:has(bdi) { min-width: 13rem; max-width: 34rem; overflow-wrap: anywhere; }
td div + div { margin-top: .3rem; }
td ol { margin: .2rem 0 .3rem; padding-inline-start: 1.6rem; }
td.heat { text-align: center; border: 2px solid var(--ground); padding: .4rem .7rem; min-width: 4.5rem; }
td.heat small { display: block; color: inherit; opacity: .8; }
td.right { outline: 2px solid var(--ink); outline-offset: -3px; font-weight: 650; }
.heat0 { background: var(--raised); } .heat1 { background: rgba(var(--heat), .1); }
.heat2 { background: rgba(var(--heat), .18); } .heat3 { background: rgba(var(--heat), .27); }
.heat4 { background: rgba(var(--heat), .36); } .heat5 { background: rgba(var(--heat), .45); }
.explained { line-height: 2.1; overflow-wrap: anywhere; unicode-bidi: isolate; max-width: none; }
.for, .against, .unread { border-radius: .2rem; padding: .1rem .15rem; } .unread { color: var(--soft); }
.for { border-bottom: 2px solid rgb(var(--heat)); } .against { border-bottom: 2px dashed rgb(var(--against)); }
.against1 { background: rgba(var(--against), .1); } .against2 { background: rgba(var(--against), .18); }
.against3 { background: rgba(var(--against), .27); } .against4 { background: rgba(var(--against), .36); }
.against5 { background: rgba(var(--against), .45); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .55rem 1.75rem;
  margin: .6rem 0 1.5rem; font-size: .9rem; }
.facts dt { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.beside { display: flex; flex-wrap: wrap; gap: 0 4rem; } .beside > * { max-width: 100%; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: .5rem 2rem; }
.charts > * { min-width: 0; }
figure { margin: 1rem 0; break-inside: avoid; max-width: 34rem; }
figure h3 { margin: 0 0 .3rem; }
figcaption span { margin-inline-end: 1.1rem; white-space: nowrap; }
svg { display: block; width: 100%; height: auto; }
svg.sample { display: inline-block; width: 2rem; height: .8rem; margin-inline-end: .35rem; vertical-align: middle; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--soft);
  font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
.rule { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; } svg .said { fill: var(--ink); }
.series { fill: none; stroke-width: 2; stroke-linejoin: round; }
.series0 { stroke: var(--accent); } .series1 { stroke: var(--ink); stroke-dasharray: 6 4; }
.series2 { stroke: var(--soft); stroke-dasharray: 2 3; } .series3 { stroke: var(--ink); stroke-dasharray: 8 3 2 3; }
.series4 { stroke: var(--soft); stroke-dasharray: 10 5; } .series5 { stroke: var(--accent); stroke-dasharray: 4 3; }
.point { fill: var(--ground); stroke-width: 2; stroke-dasharray: none; }
.dot { fill: var(--accent); fill-opacity: .4; } .bar { fill: var(--accent); fill-opacity: .55; }
mark { background: none; color: inherit; font-weight: 600; border-bottom: 2px solid var(--accent); }
mark sub { font-weight: 400; font-size: .75em; color: var(--soft); margin-inline-start: .2em; }
.says { border-inline-start: 3px solid var(--accent); padding-inline-start: .9rem; }
@media (max-width: 40rem) { body { padding: 1.5rem 1rem 3rem; } table { font-size: .82rem; }
  th, td { padding-inline-end: .55rem; } svg text { font-size: 15px; } }
@media print { body { padding: 0; max-width: none; font-size: 11px; } h2 { margin-top: 2rem; }
  h2, h3, caption, thead, h2 + .note { break-after: avoid; } p { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; } tr { break-inside: avoid; } .scroll { overflow: visible; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
@page { margin: 16mm; }
"""


def policy() -> str:
    """Return the Content-Security-Policy: nothing is loaded, nothing runs, and only this one style sheet applies.

    Returns:
        The policy.
    """
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
