"""The site, built once, page by page. Sphinx's own warnings end the build: no test need look for them."""

import ast
import base64
import json
import re
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook
from sphinx.search.en import SearchEnglish
from typer.testing import CliRunner

from fer_course import cli, site
from fer_course.readme import RECORDS_MARKS, RESULTS, RESULTS_MARKS
from fer_utils.environment import PROJECT
from small_site import ALT, LINKS, MADE

LOADED = {"script": "src", "link": "href", "img": "src", "source": "src", "iframe": "src", "object": "data"}
CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


def page_of(built, name):
    return built.pages[built.folder / f"{name}.html"]


# --- what a page names: inside, that it is there; outside, that nothing is loaded from it ---


def find_broken_links(pages):
    """(page, address) of each link, picture, script and style of `pages` that leads to no file or to no place in it."""
    broken, places = [], {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    for path, page in pages.items():
        for tag in page.find_all(href=True) + page.find_all(src=True):
            address = tag.get("href") or tag.get("src")
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.is_file() or (place and target in pages and place not in places[target]):
                broken.append((path.name, address))
    return broken


def find_loaded_from_elsewhere(page):
    """The addresses of other places from which `page` has a browser load scripts, styles or pictures by itself."""
    addresses = [tag.get(name, "") for kind, name in LOADED.items() for tag in page.find_all(kind)]
    for style in page.find_all("style"):
        addresses += list_css_addresses(style.text)
    return [address for address in addresses if is_elsewhere(address)]


def list_css_addresses(text):
    return [match[1] or match[2] for match in CSS_ADDRESS.finditer(text)]


def is_elsewhere(address):
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def test_every_link_inside_leads_somewhere(built):
    assert find_broken_links(built.pages) == []


@pytest.mark.parametrize(
    "spoiled", ['<a href="gone.html">', '<a href="a.html#gone">', '<a href="#gone">', '<img src="x.png">']
)
def test_a_broken_link_is_seen(tmp_path, spoiled):
    path = tmp_path / "a.html"
    text = f'<p id="here"><a href="#here"><a href="a.html#here"><a href="#"><a href="https://example.org/">{spoiled}'
    path.write_text(text, encoding="utf-8")
    assert len(find_broken_links({path: BeautifulSoup(text, "html.parser")})) == 1


def test_every_page_has_the_icon(built):
    icons = {path: page.select_one('link[rel~="icon"]') for path, page in built.pages.items()}
    assert all(icon and (path.parent / icon["href"].partition("?")[0]).is_file() for path, icon in icons.items())


def test_the_set_up_cell_is_left_out(built):
    assert not any("google.colab" in page.text for path, page in built.pages.items() if path.parent.name != "fer_utils")


def test_nothing_is_loaded_from_elsewhere(built):
    assert {path.name: found for path, page in built.pages.items() if (found := find_loaded_from_elsewhere(page))} == {}
    styles = {path.name: list_css_addresses(path.read_text(encoding="utf-8")) for path in built.folder.rglob("*.css")}
    assert len(styles) > 2
    assert {name: found for name, found in styles.items() if any(map(is_elsewhere, found))} == {}


@pytest.mark.parametrize(
    "spoiled",
    [
        '<script src="https://cdn.example.org/x.js">',
        '<link href="//fonts.example.org/x">',
        '<img src="http://example.org/x.png">',
        "<style>@import 'https://example.org/x.css'</style>",
        "<style>p {background: url(//example.org/x.png)}</style>",
    ],
)
def test_a_page_that_loads_from_elsewhere_is_seen(spoiled):
    text = f'<script src="x.js"></script><a href="https://example.org/">{spoiled}'
    assert len(find_loaded_from_elsewhere(BeautifulSoup(text, "html.parser"))) == 1


def test_no_page_holds_a_path_of_this_machine(built):
    words = (str(PROJECT), str(built.folder.parent), "sources/notebooks")
    assert [
        (path.name, word) for path in built.pages for word in words if word in path.read_text(encoding="utf-8")
    ] == []


# --- the notebooks ---


def test_each_notebook_has_its_page_with_its_figures_in_order(built):
    paths = [*built.notebooks.glob("*.ipynb"), *built.notebooks.glob("solutions/*.ipynb")]
    for path in paths:
        outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])]
        stored = [base64.b64decode(o.data["image/png"]) for o in outputs if "image/png" in o.get("data", {})]
        page = page_of(built, f"notebooks/{path.relative_to(built.notebooks).with_suffix('')}")
        shown = page.select("div.cell_output img")
        folder = built.folder / "notebooks" / path.relative_to(built.notebooks).parent
        assert [(folder / image["src"]).read_bytes() for image in shown] == stored, path.name
    assert len(paths) >= 10


def test_alternative_text_of_a_figure_reaches_the_page(built):
    (image,) = page_of(built, f"notebooks/{MADE}").select("div.cell_output img")
    assert image["alt"] == ALT


def test_links_to_files_lead_to_the_pages_that_stand_for_them(built):
    links = {link.text: link["href"] for link in page_of(built, f"notebooks/{MADE}").select("article a.reference")}
    wanted = {words.removeprefix("![").split("]")[0]: address for words, (_, address) in LINKS.items()}
    assert links == wanted


def test_the_solutions_have_a_page_that_lists_them(built):
    links = [link["href"] for link in page_of(built, "notebooks/solutions/index").select("article a.reference")]
    names = [path.stem for path in built.notebooks.glob("solutions/*.ipynb")]
    assert sorted(links) == sorted(f"{name}.html" for name in names) != []


def test_formulas_are_drawn_by_the_browser_itself(built):
    assert page_of(built, "notebooks/05_shortcut_connections").select("article math mi")
    assert page_of(built, f"notebooks/{MADE}").select('article math[display="block"] mfrac msub')
    assert not [path.name for path, page in built.pages.items() if page.select(".math, script[src*=athjax]")]


def test_a_word_of_each_notebook_is_found_by_the_search(built):
    script = (built.folder / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(script.removeprefix("Search.setIndex(").removesuffix(")"))
    stem = SearchEnglish({}).stem
    for path in built.notebooks.glob("*.ipynb"):
        document = index["docnames"].index(f"notebooks/{path.stem}")
        prose = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
        words = {word.lower() for word in re.findall(r"\b[a-z]{9,}\b", prose)}
        where = {
            word: [*as_list(index["terms"], stem(word)), *as_list(index["titleterms"], stem(word))] for word in words
        }
        assert [word for word, documents in where.items() if document not in documents] == [], path.stem


def as_list(terms, word):
    documents = terms.get(word, [])
    return documents if isinstance(documents, list) else [documents]


# --- prose and package ---


def list_public_names(path):
    """Functions and classes of the module at `path` that have a docstring and no underscore in front."""
    parts = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [p.name for p in parts if isinstance(p, kinds) and p.name[0] != "_" and ast.get_docstring(p)]


def test_each_module_has_a_page_with_its_public_names(built):
    modules = [path for path in site.PACKAGE.rglob("*.py") if path.stem != "__init__"]
    listed = {link["href"] for link in page_of(built, "fer_utils/index").select("article td a")}
    for path in modules:
        place = path.relative_to(site.PACKAGE).with_suffix("")
        name = f"fer_utils.{'.'.join(place.parts)}"
        page = page_of(built, f"fer_utils/{place.as_posix()}")
        assert [n for n in list_public_names(path) if not page.find(id=f"{name}.{n}")] == []
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert (
            page.select_one("article section p").text.replace("’", "'").split()[:3]
            == docstring.replace("`", "").split()[:3]
        )
        assert f"{place.as_posix()}.html#module-{name}" in listed


def test_the_results_are_those_of_the_page(built):
    readme, table = RESULTS.read_text(encoding="utf-8"), []
    for first, last in (RESULTS_MARKS, RECORDS_MARKS):
        table += readme.split(first)[1].split(last)[0].strip().splitlines()
    wanted = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table if not line.startswith("|--")]
    rows = page_of(built, "results").select("article tr")
    assert [[cell.text.strip() for cell in row.find_all(["th", "td"])] for row in rows] == wanted
    assert len(wanted) > 4


def test_the_home_page_says_how_to_start_and_names_each_notebook(built):
    home = page_of(built, "index")
    assert "uv run fer-course run" in home.select_one("article pre").text
    linked = {link["href"] for link in home.find_all("a", href=True)}
    assert {f"notebooks/{path.stem}.html" for path in built.notebooks.glob("*.ipynb")} <= linked


def test_the_lesson_plans_minutes_follow_one_another(built):
    plans = [table for table in page_of(built, "instructor").select("table") if table.th.text == "minutes"]
    for plan in plans:
        spans = [tuple(map(int, row.td.text.split("–"))) for row in plan.select("tbody tr")]
        assert [end for _, end in spans] == [start for start, _ in spans[1:]] + [45] and spans[0][0] == 0
    assert len(plans) == 4


def test_the_instructors_questions_have_folded_answers(built):
    questions = page_of(built, "instructor").find_all("details")
    assert len(questions) >= 10
    for question in questions:
        assert question.summary.text.strip().endswith(("?", ".")) and not question.has_attr("open")
        assert len(question.p.text.split()) > 15, question.summary.text


# --- the command ---


@pytest.mark.slow
def test_a_build_that_fails_names_the_fault_and_keeps_the_old_site(tmp_path, monkeypatch, capfd):
    prose, notebooks, target = tmp_path / "prose", tmp_path / "notebooks", tmp_path / "site"
    for folder in (prose, notebooks, target):
        folder.mkdir()
    (prose / "conf.py").write_text("extensions = ['myst_nb']\nnb_execution_mode = 'off'\n", encoding="utf-8")
    (prose / "index.md").write_text("# Home\n[first](notebooks/01_a.ipynb)\n", encoding="utf-8")
    (target / "index.html").write_text("the old site", encoding="utf-8")
    cells = [new_markdown_cell("# Title\n[there](02_nowhere.ipynb)")]
    nbformat.write(new_notebook(cells=cells), notebooks / "01_a.ipynb")
    monkeypatch.setattr(site, "PROSE", prose)
    monkeypatch.setattr(site, "PACKAGE", tmp_path)  # no module: the build is over sooner
    with pytest.raises(ValueError, match="an older one is kept"):
        site.build_site(notebooks, target)
    assert "02_nowhere.ipynb" in capfd.readouterr().err
    assert (target / "index.html").read_text(encoding="utf-8") == "the old site"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notebooks", "prose", "site"]


def test_without_sphinx_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(site.importlib.util, "find_spec", lambda name: None if name == "furo" else "there")
    with pytest.raises(ValueError, match="needs furo, .*`uv run --extra site"):
        site.build_site(tmp_path, tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_the_command_builds_into_build_site(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(cli, "BUILD", tmp_path)
    monkeypatch.setattr(site, "build_site", lambda *arguments: calls.append(arguments))
    result = CliRunner().invoke(cli.app, ["site"])
    assert result.exit_code == 0 and str(tmp_path / "site" / "index.html") in result.output
    assert calls == [(cli.NOTEBOOKS, tmp_path / "site")]

    def refuse(*arguments):
        raise ValueError("not built")

    monkeypatch.setattr(site, "build_site", refuse)
    result = CliRunner().invoke(cli.app, ["site"])
    assert result.exit_code == 1 and "error: not built" in result.output
