"""Builds the static site: gathers notebooks, prose and docstrings into one tree of sources, which sphinx builds.

The tree has the folders of the repository, so that a link from file to file becomes a link from page to page.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from fer_course.heads import link_badges
from fer_course.stored import find_notebooks, read_notebook
from fer_utils.environment import PROJECT, atomic_path

PROSE = PROJECT / "docs"
PACKAGE = PROJECT / "fer_utils"
COPIED = ("README.md", "CONTRIBUTING.md", "LICENSE", "CITATION.cff", "data/README.md", "data/overview.png")
NEEDED = ("sphinx", "myst_nb", "furo")
LINK = re.compile(r"(?<=\]\()(?!\w+:)[^()\s#]+")
# Where a link leads to something that is no page of its own, the page that stands for it.
STAND_INS = (
    (re.compile(r"((?:\.\./)*)docs/(\w+\.md)"), r"\1\2"),
    (re.compile(r"((?:\.\./)*fer_utils/(?:\w+/)?\w+)\.py"), r"\1.md"),
    (re.compile(r"((?:\.\./)*)README\.md"), r"\1index.md"),
    (re.compile(r"((?:\.\./)*)data/runs/?"), r"\1data/README.md"),
    (re.compile(r"((?:.*/)?(?:fer_utils|solutions))/?"), r"\1/index.md"),
)
MODULE_PAGE = """# {name}

```{{eval-rst}}
.. automodule:: fer_utils.{name}
```
"""


def build_site(notebooks, target):
    """Builds the site from the stored outputs in the folder `notebooks` into the folder `target`, all or nothing.

    Sphinx shows what it does. `ValueError` if it is not installed, or if it finds anything wrong, such as a link that
    leads nowhere; the old site then stays.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        how = "`uv run --extra site fer-course site`, or install them with `pip install -e .[site]`"
        raise ValueError(f"the site needs {', '.join(missing)}, which this Python does not have: {how}")
    quiet = ["--quiet"] if os.environ.get("FER_PROGRESS") == "0" else []
    with tempfile.TemporaryDirectory() as folder:
        sources, built = Path(folder) / "sources", Path(folder) / "html"
        gather_sources(notebooks, sources)
        command = [sys.executable, "-m", "sphinx", "--fail-on-warning", *quiet, "-d", f"{folder}/doctrees"]
        if subprocess.run([*command, sources, built], cwd=PROJECT).returncode:
            raise ValueError("the site was not built, for the reasons that sphinx gives above; an older one is kept")
        with atomic_path(target) as site:
            shutil.move(built, site)


def gather_sources(notebooks, folder):
    """Writes everything the site is made of to `folder`: prose, notebooks, and a page per module of the package."""
    shutil.copytree(PROSE, folder)
    for path in folder.glob("*.md"):  # of docs/ in the repository, of the root in the site
        path.write_text(path.read_text(encoding="utf-8").replace("](../", "]("), encoding="utf-8")
    for name in COPIED:
        _write_bytes(folder / name, (PROJECT / name).read_bytes())
    solutions = sorted(notebooks.glob("solutions/[0-9][0-9]_*.ipynb"))
    for path in (*find_notebooks(notebooks), *solutions):
        notebook = prepare_notebook(read_notebook(path))
        _write_bytes(folder / "notebooks" / path.relative_to(notebooks), nbformat.writes(notebook).encode())
    names = list_modules()
    for name in names:
        _write_bytes(folder / "fer_utils" / f"{name.replace('.', '/')}.md", MODULE_PAGE.format(name=name).encode())
    lists = {"modules": [f"~fer_utils.{name}" for name in names], "solutions": [path.stem for path in solutions]}
    for path in folder.rglob("*.md"):
        text = fill_lists(link_to_pages(path.read_text(encoding="utf-8")), lists)
        path.write_text(text, encoding="utf-8")


def list_modules():
    """Returns the modules of the package with their rooms, such as `"data.load"`; a room itself has no page."""
    paths = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.stem != "__init__")
    return [".".join(path.with_suffix("").parts) for path in paths]


def prepare_notebook(notebook):
    """Changes `notebook` into what sphinx reads well: links lead to pages, each figure has its alternative text.

    That text stands in a figure's output, as ``metadata["image/png"]["alt"]``; myst-nb looks for it in the cell.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = link_to_pages(cell.source)
        for output in cell.get("outputs", []):
            if alt := output.get("metadata", {}).get("image/png", {}).get("alt"):
                cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return notebook


def link_to_pages(text):
    """Markdown `text` whose relative links lead to pages of the site wherever one stands for the file.

    A picture from elsewhere, such as a badge, becomes its words: a page loads nothing from the network.

    >>> link_to_pages("[how](../fer_utils/data/load.py), [what](../README.md), [data](../data/README.md)")
    '[how](../fer_utils/data/load.md), [what](../index.md), [data](../data/README.md)'
    """

    def stand_in(link):
        for pattern, page in STAND_INS:
            if match := pattern.fullmatch(link.group()):
                return match.expand(page)
        return link.group()

    return LINK.sub(stand_in, link_badges(text))


def fill_lists(text, lists):
    """`text` with each line that is the name of one of `lists` in brackets replaced by its entries, a line each.

    >>> fill_lists("modules:\\n  (modules)", {"modules": ["data", "runs"]}).splitlines()
    ['modules:', '  data', '  runs']
    """
    for name, entries in lists.items():
        mark = re.compile(rf"^( *)\({name}\)$", re.MULTILINE)
        text = mark.sub(lambda found, entries=entries: "\n".join(found[1] + entry for entry in entries), text)
    return text


def _write_bytes(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
