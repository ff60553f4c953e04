"""The frame of our pages: one file, no network, light and dark, print and keyboard."""

from html import escape
from typing import Final

_STYLE: Final = """
:root { color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1b1c1e; --faint: #595d63; --line: #d5d7da; --card: #fff;
  --miss: #a3160f; --miss-back: #fde3e0; --flag: #7a4b00; --flag-back: #ffeec9;
  --covered-back: #dfe9f5; --accent: #14508c; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #17181a; --ink: #e9e9e6; --faint: #a9adb3; --line: #3b3e43; --card: #1f2124;
  --miss: #ffb3aa; --miss-back: #57201b; --flag: #ffd591; --flag-back: #4d3a12;
  --covered-back: #25384d; --accent: #8fc1f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p.note, .about { color: var(--faint); } p.warning { border-left: .25rem solid var(--miss);
  padding-left: .75rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .25rem; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .9rem .3rem 0; text-align: left;
  vertical-align: top; }
td.figure, th.figure { text-align: right; }
small { color: var(--faint); }
fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: 0 0 .5rem;
  padding: .4rem .8rem; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
legend { color: var(--faint); padding: 0 .3rem; }
input[type=search] { font: inherit; padding: .35rem .6rem; width: min(100%, 24rem);
  border: 1px solid var(--faint); border-radius: .4rem; background: var(--card);
  color: inherit; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ol.findings { list-style: none; margin: 0; padding: 0; }
ol.findings > li { background: var(--card); border: 1px solid var(--line);
  border-radius: .4rem; margin: 0 0 .5rem; padding: .5rem .8rem; }
blockquote, pre { margin: .2rem 0; white-space: pre-wrap; overflow-wrap: anywhere;
  font-family: ui-monospace, monospace; font-size: .92rem; }
mark { color: inherit; background: var(--covered-back); border-radius: .2rem; }
mark.missed { background: var(--miss-back); color: var(--miss); font-weight: 600;
  text-decoration: underline; }
mark.flagged { background: var(--flag-back); color: var(--flag); font-weight: 600; }
mark sup { font-size: .68rem; margin-left: .2rem; }
[hidden] { display: none !important; }
@media print { form { display: none; } body { max-width: none; } }
"""


def frame(title: str, body: str, script: str = "") -> str:
    """Return a whole page around a body that is already HTML."""
    tail = f"<script>{script}</script>\n" if script else ""
    return (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n{tail}</body>\n</html>\n"
    )
