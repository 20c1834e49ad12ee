"""The data dictionary as one page of HTML, which needs nothing from anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from syncd import __version__
from syncd.cli.dictionary_words import MAY, NOTES, TYPES, may_be_null, who_may
from syncd.services.dictionary import Column, Relation, Section

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --dim: #5b6675; --line: #d9dee6;
  --ground: #ffffff; --raised: #f5f7fa; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ef; --dim: #9aa6b5; --line: #333c49;
    --ground: #14181f; --raised: #1c222b; --link: #7db8f5; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; color: var(--ink); background: var(--ground);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
code, .type { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: .9em; }
nav { position: fixed; inset: 0 auto 0 0; width: 16rem; overflow-y: auto; padding: 1.25rem;
  background: var(--raised); border-right: 1px solid var(--line); }
nav h2 { font-size: .8rem; margin: 1.1rem 0 .2rem; color: var(--dim); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li { padding: .06rem 0; overflow-wrap: anywhere; }
input { width: 100%; padding: .45rem .6rem; font: inherit; color: inherit;
  background: var(--ground); border: 1px solid var(--line); border-radius: 6px; }
input:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
#found { min-height: 1.5em; margin: .3rem 0 0; color: var(--dim); font-size: .85rem; }
main { margin-left: 16rem; padding: 1.5rem 2.5rem 4rem; max-width: 78rem; }
h1 { margin: 0 0 .5rem; font-size: 1.7rem; }
main h2 { margin: 2.5rem 0 .2rem; font-size: 1.3rem; }
main h3 { margin: 0; font-size: 1.05rem; font-family: ui-monospace, monospace; }
h3 small { font: .8rem system-ui, sans-serif; color: var(--dim); margin-left: .5rem; }
article { margin: 1rem 0 1.6rem; scroll-margin-top: 1rem; }
article p { margin: .15rem 0; } .dim { color: var(--dim); font-size: .9rem; }
.wide { overflow-x: auto; margin-top: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; color: var(--dim); font-size: .82rem; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: baseline; }
td:first-child { white-space: nowrap; } .type { white-space: nowrap; color: var(--dim); }
.columns td:last-child { width: 45%; min-width: 16rem; }
.key::after { content: "key"; margin-left: .5rem; padding: 0 .35rem; border-radius: 4px;
  border: 1px solid var(--line); color: var(--dim); font-size: .75rem; }
[hidden] { display: none; }
@media (max-width: 54rem) {
  nav { position: static; width: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  nav ul { columns: 2; } main { margin-left: 0; padding: 1rem 1.25rem 3rem; } }
@media print {
  :root { --ink: #000; --dim: #444; --line: #bbb; --ground: #fff; --raised: #fff;
    --link: #000; }
  html { font-size: 8.5pt; } body { font-size: 1rem; }
  nav { position: static; width: auto; border: 0; padding: 0; break-after: page; }
  nav ul { columns: 3; } input, #found { display: none; }
  main { margin: 0; padding: 0; max-width: none; } .wide { overflow: visible; }
  h2, section > p, header, article > p { break-after: avoid; } tr { break-inside: avoid; }
  .type { white-space: normal; } thead { display: table-header-group; } }
"""

SCRIPT = """
const input = document.querySelector("input"), found = document.getElementById("found");
const words = node => node.textContent.toLowerCase();
const articles = [...document.querySelectorAll("article")].map(node => ({ node,
  head: words(node.querySelector("header")),
  rows: [...node.querySelectorAll("tbody tr")].map(row => [row, words(row)]),
  link: document.querySelector(`nav a[href="#${node.id}"]`).parentNode }));
function filter() {
  const asked = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const has = text => asked.every(word => text.includes(word));
  let count = 0;
  for (const { node, head, rows, link } of articles) {
    const whole = has(head);
    let shown = 0;
    for (const [row, text] of rows) shown += !(row.hidden = !whole && !has(head + " " + text));
    node.hidden = link.hidden = !shown;
    count += shown;
  }
  for (const part of document.querySelectorAll("main section, nav section"))
    part.hidden = !part.querySelector("article:not([hidden]), li:not([hidden])");
  document.getElementById("opening").hidden = asked.length > 0;
  found.textContent = asked.length ? `${count} columns` : "";
}
input.addEventListener("input", filter);
filter();
"""


def page(sections: Sequence[Section]) -> str:
    """Return the whole dictionary."""
    return "\n".join(_lines(sections)) + "\n"


def _lines(sections: Sequence[Section]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>syncd: data dictionary</title>\n<style>{STYLE}</style>\n</head>\n<body>"
    yield from _contents(sections)
    yield f'<main>\n<h1>Data dictionary</h1>\n<div id="opening"><p>{_prose(" ".join(NOTES))}</p>'
    yield from _table("types", ("type", "on SQLite", "on PostgreSQL"), map(_typed, TYPES))
    yield "</div>"
    for section in sections:
        yield f"<section>\n<h2>{escape(section.title)}</h2>\n<p>{_prose(section.meaning)}</p>"
        for relation in section.relations:
            yield from _relation(relation)
        yield "</section>"
    yield f'<p class="dim">syncd {__version__}</p>\n</main>'
    yield f"<script>{SCRIPT}</script>\n</body>\n</html>"


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    yield '<nav aria-label="Tables and views">'
    yield '<input type="search" placeholder="Filter" aria-label="Filter" autocomplete="off">'
    yield '<p id="found" role="status"></p>'
    for section in sections:
        yield f"<section><h2>{escape(section.title)}</h2>\n<ul>"
        for one in section.relations:
            yield f"<li>{_link(one.name)}</li>"
        yield "</ul></section>"
    yield "</nav>"


def _relation(one: Relation) -> Iterator[str]:
    yield f'<article id="{escape(one.name)}">\n<header>'
    yield f"<h3>{escape(one.name)} <small>{one.kind}</small></h3>\n<p>{_prose(one.meaning)}</p>"
    yield "</header>"
    if one.reads:
        yield f'<p class="dim">From: {", ".join(_link(name) for name in one.reads)}</p>'
    yield f'<p class="dim">{_prose(MAY)}: {escape(who_may(one))}</p>'
    heads = ("column", "SQLite", "PostgreSQL", "NULL", "meaning")
    yield from _table("columns", heads, (_row(column) for column in one.columns))
    yield "</article>"


def _row(column: Column) -> str:
    key = ' class="key"' if column.key else ""
    return (
        f"<td{key}><code>{escape(column.name)}</code></td>"
        f'<td class="type">{escape(column.sqlite)}</td>'
        f'<td class="type">{escape(column.postgresql)}</td>'
        f"<td>{may_be_null(column)}</td><td>{_prose(column.meaning)}</td>"
    )


def _typed(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)


def _table(kind: str, heads: Sequence[str], rows: Iterator[str]) -> Iterator[str]:
    named = "".join(f"<th>{head}</th>" for head in heads)
    yield f'<div class="wide"><table class="{kind}">\n<thead><tr>{named}</tr></thead>\n<tbody>'
    yield from (f"<tr>{row}</tr>" for row in rows)
    yield "</tbody></table></div>"


def _link(name: str) -> str:
    return f'<a href="#{escape(name)}">{escape(name)}</a>'


def _prose(text: str) -> str:
    """Return a text for people; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
