"""Turns executed notebooks into pages."""

import copy
import re

from nbconvert import HTMLExporter
from nbconvert.preprocessors import TagRemovePreprocessor

from fer_course.heads import link_badges, strip_head
from fer_course.stored import SOLUTIONS

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The course, executed</title>
<style>body {{ font-family: sans-serif }} th, td {{ text-align: left; padding: 0.3em 1em }}</style></head><body>
<h1>Facial Expression Recognition with Convolutional Networks</h1>
<table><tr><th>notebook</th><th>minutes</th><th>cells</th><th>verdict</th></tr>
{rows}</table></body></html>
"""
INDEX_ROW = '<tr><td><a href="{name}.html">{name}</a></td><td>{minutes:.1f}</td><td>{cells}</td><td>{verdict}</td></tr>'
# nbconvert's own page leaves out the figures' alternative texts.
PAGE = """{% extends "lab/index.html.j2" %}
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


def make_page(notebook, title):
    """Turns the executed `notebook` into html.

    One with a cell tagged `report` becomes a report: figures, tables and prose. Its code is hidden until the reader
    ticks a box; cells tagged `lesson` and the notebook's head are left out.
    """
    notebook = copy.deepcopy(notebook)
    is_report = any("report" in cell.metadata.get("tags", []) for cell in notebook.cells)
    notebook.cells[0].source = (strip_head if is_report else link_badges)(notebook.cells[0].source)
    exporter = HTMLExporter(raw_template=PAGE)
    if is_report:
        exporter.register_preprocessor(TagRemovePreprocessor(remove_cell_tags={"lesson"}), enabled=True)
    page = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})[0]
    page = re.sub(rf'href="((?:{SOLUTIONS}/|\.\./)?\w+)\.ipynb', r'href="\1.html', page)
    if is_report:
        page = page.replace("</head>", f"{REPORT_HEAD}</head>").replace("<main", f"{REPORT_TOGGLE}<main", 1)
    return page
