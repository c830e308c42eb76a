"""Turns executed notebooks into pages, which load nothing from the network, and makes their index."""

import copy
import html
import re

import latex2mathml.converter
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import TagRemovePreprocessor

from fer_course.heads import SETUP_METADATA, link_badges, strip_head
from fer_course.stored import SOLUTIONS

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The course, executed</title>
<style>
body {{ font-family: sans-serif; line-height: 1.4; max-width: 60em; margin: auto; padding: 1em }}
article {{ display: flex; gap: 1.5em; align-items: start; border-top: 1px solid #ccc; padding: 1em 0 }}
article div {{ flex: 3 }}
article a:has(img) {{ flex: 2 }}
h2 {{ font-size: 1.1em; margin: 0 }}
img {{ max-width: 100%; max-height: 14em }}
.verdict {{ color: #555 }}
@media (max-width: 40em) {{ article {{ flex-direction: column }} }}
</style></head><body>
<h1>Facial Expression Recognition with Convolutional Networks</h1>
{entries}
</body></html>
"""
ENTRY = """<article><div>
<h2><a href="{name}.html">{title}</a></h2>
{question}
<p class="verdict">{minutes:.1f} minutes, {cells} cells: {verdict}</p>
</div>{picture}</article>"""
PICTURE = '<a href="{name}.html"><img src="data:image/png;base64,{content}" alt="{alt}"></a>'
# nbconvert's own page leaves out the figures' alternative texts, and loads four scripts from the network.
PAGE = """{% extends "lab/index.html.j2" %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block data_png %}
{% set alt = output | get_metadata("alt", "image/png") %}
{{ super() | replace("<img ", '<img alt="' ~ alt | escape_html ~ '" ', 1) if alt else super() }}
{% endblock %}
"""
# A report shows no code unless the box is ticked, no prompts, and nothing but itself on paper.
REPORT_HEAD = """<style>
.jp-CodeCell > .jp-Cell-inputWrapper, .jp-InputPrompt, .jp-OutputPrompt { display: none !important }
body:has(#show-code:checked) .jp-CodeCell > .jp-Cell-inputWrapper { display: flex !important }
main { max-width: 60em; margin: auto }
.jp-RenderedHTMLCommon table { margin-left: 0 }
.jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th { white-space: normal !important; text-align: left !important }
.show-code { position: fixed; top: 0.5em; right: 1em; font: 0.9em sans-serif }
.jp-OutputArea-output img { break-inside: avoid }
.jp-Cell { break-inside: avoid }
@media print { .show-code { display: none } main { max-width: none } }
</style>
"""
REPORT_TOGGLE = '<label class="show-code"><input type="checkbox" id="show-code"> show the code</label>\n'


class MathRenderer(IPythonRenderer):
    """Writes formulas as MathML, which browsers draw themselves: no script, no fonts, no network."""

    def inline_math(self, body):
        return _as_mathml(body, "inline")

    def block_math(self, body):
        return _as_mathml(body, "block")


def _as_mathml(formula, display):
    """Returns a LaTeX `formula` as MathML; one with a slip in it as it is written."""
    try:
        return latex2mathml.converter.convert(formula, display=display)
    except Exception:  # latex2mathml's errors have no common kind
        return f"<code>{html.escape(formula)}</code>"


class PageExporter(HTMLExporter):
    """nbconvert's exporter whose formulas need no script."""

    @pass_context
    def markdown2html(self, context, source):
        return _render(source, anchor_link_text=self.anchor_link_text)


def _render(source, **options):
    """Returns markdown `source` as html; html within it stays what it is."""
    return MarkdownWithMath(renderer=MathRenderer(escape=False, **options)).render(source)


def make_page(notebook, title):
    """Turns the executed `notebook` into html.

    One with a cell tagged `report` becomes a report: figures, tables and prose. Its code is hidden until the reader
    ticks a box; cells tagged `lesson` and the notebook's head are left out. The set-up cell always is.
    """
    notebook = copy.deepcopy(notebook)
    is_report = any("report" in cell.metadata.get("tags", []) for cell in notebook.cells)
    notebook.cells[0].source = (strip_head if is_report else link_badges)(notebook.cells[0].source)
    exporter = PageExporter(raw_template=PAGE)
    left_out = {*SETUP_METADATA["tags"], *(["lesson"] if is_report else [])}
    exporter.register_preprocessor(TagRemovePreprocessor(remove_cell_tags=left_out), enabled=True)
    page = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})[0]
    page = re.sub(rf'href="((?:{SOLUTIONS}/|\.\./)?\w+)\.ipynb', r'href="\1.html', page)
    if is_report:
        page = page.replace("</head>", f"{REPORT_HEAD}</head>").replace("<main", f"{REPORT_TOGGLE}<main", 1)
    return page


def make_index(executed):
    """Returns the page that leads to the others: of each notebook its title, question, first figure and outcome.

    `executed` lists (notebook, `Outcome`).
    """
    return INDEX.format(entries="\n".join(_make_entry(*pair) for pair in executed))


def _make_entry(notebook, outcome):
    head = strip_head(notebook.cells[0].source)
    title = head.partition("\n")[0].removeprefix("# ") or outcome.name
    question = re.search(r"\*\*The question\.\*\* (.*?)(?:\n\n|\Z)", head, re.DOTALL)
    return ENTRY.format(
        name=outcome.name,
        title=html.escape(title),
        question=_render(html.escape(question[1], quote=False)) if question else "",
        minutes=outcome.minutes,
        cells=outcome.cells,
        verdict=html.escape(outcome.verdict),
        picture=_find_picture(notebook, outcome.name),
    )


def _find_picture(notebook, name):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if content := output.get("data", {}).get("image/png"):
                alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
                return PICTURE.format(name=name, content=content.replace("\n", ""), alt=html.escape(alt))
    return ""
