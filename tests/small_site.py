"""The site, built once for all tests that look at it: from the notebooks and from one made here."""

import shutil
from types import SimpleNamespace

import nbformat
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_course.site import build_site
from fer_course.stored import STORED_METADATA
from fer_utils.environment import PROJECT

# A figure of one grey pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
ALT = 'One pixel, "grey" & alone'
MADE = "90_made_here"
# Words of a link: the address in a notebook, the address in its page.
LINKS = {
    "code": ("../fer_utils/models/cost.py", "../fer_utils/models/cost.html"),
    "package": ("../fer_utils", "../fer_utils/index.html"),
    "start": ("../README.md", "../index.html"),
    "data": ("../data/README.md", "../data/README.html"),
    "runs": ("../data/runs/", "../data/README.html"),
    "solutions": ("solutions/", "solutions/index.html"),
    "first": ("01_data_exploration.ipynb", "01_data_exploration.html"),
    "![badge](https://example.org/badge.svg)": ("https://example.org/solutions", "https://example.org/solutions"),
}


def write_made_notebook(folder):
    """A notebook with all that the real ones may come to hold, and its solution."""
    links = [f"[{words}]({address})" for words, (address, _) in LINKS.items()]
    words = "\n".join(["# 90 · Made here", *links, "", "$$\\frac{a_1}{2}$$"])
    output = new_output("display_data", {"image/png": PIXEL}, metadata={"image/png": {"alt": ALT}})
    cells = [new_markdown_cell(words), new_code_cell("pixel", execution_count=1, outputs=[output])]
    nbformat.write(new_notebook(cells=cells, metadata=STORED_METADATA), folder / f"{MADE}.ipynb")
    (folder / "solutions").mkdir(exist_ok=True)
    solution = new_notebook(cells=[new_markdown_cell(f"# Solution of 90\n[back](../{MADE}.ipynb)")])
    nbformat.write(solution, folder / "solutions" / f"{MADE}.ipynb")


def build(folder):
    """The site of the course's notebooks and of one made here: its folder, and {path in it: parsed page}."""
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks")
    write_made_notebook(folder / "notebooks")
    build_site(folder / "notebooks", folder / "site")
    paths = (folder / "site").rglob("*.html")
    pages = {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in paths}
    return SimpleNamespace(folder=folder / "site", notebooks=folder / "notebooks", pages=pages)
