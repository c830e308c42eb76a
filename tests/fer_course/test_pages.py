"""Pages of executed notebooks load nothing from the network; their index tells what each asks and shows."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_site import find_loaded_from_elsewhere

from fer_course.heads import IN_COLAB
from fer_course.notebooks import Outcome
from fer_course.pages import make_index, make_page
from fer_course.stored import find_notebooks
from fer_utils.environment import PROJECT


@pytest.mark.parametrize("path", find_notebooks(PROJECT / "notebooks"), ids=lambda path: path.stem)
def test_a_page_loads_nothing(path):
    page = make_page(nbformat.read(path, as_version=4), path.stem)
    assert find_loaded_from_elsewhere(BeautifulSoup(page, "html.parser")) == []
    assert "import(" not in page and "createElement" not in page, "nor does a script"


def test_formulas_are_drawn_without_a_script():
    text = "A block computes $x + F(x)$, `$not$` this.\n\n$$\\frac{a_1}{2}$$"
    page = BeautifulSoup(make_page(new_notebook(cells=[new_markdown_cell(text)]), "05"), "html.parser")
    inline, block = page.select("math")
    assert (inline["display"], block["display"]) == ("inline", "block")
    assert inline.text == "x+F(x)" and block.select_one("mfrac msub").text == "a1"
    assert page.select_one("code").text == "$not$"


@pytest.mark.parametrize("formula", ["x_1_2", "a^", "\\foo{"])
def test_a_formula_with_a_slip_is_shown_as_it_is_written(formula):
    page = make_page(new_notebook(cells=[new_markdown_cell(f"A slip, ${formula}$, in it.")]), "05")
    assert BeautifulSoup(page, "html.parser").select_one("code").text == formula


def test_the_index_tells_what_a_notebook_asks_and_shows():
    head = (
        "# 3 · A <b>title</b>\n\n**Time.** Reading: 1 minute.\n\n**The question.** Is *2* < 3,\nor not?\n\n**You will"
    )
    picture = new_output("display_data", {"image/png": "AA\nAA\n"}, metadata={"image/png": {"alt": 'a "face"'}})
    plain = new_notebook(cells=[new_markdown_cell("# Plain"), new_code_cell("1")])
    notebook = new_notebook(cells=[new_markdown_cell(head), new_code_cell("1", outputs=[picture])])
    outcomes = Outcome("03_title", 1.26, 12), Outcome("04_plain", 0.5, 1, "failed: <x>\nmore")
    index = BeautifulSoup(make_index(zip((notebook, plain), outcomes, strict=True)), "html.parser")
    first, second = index.select("article")
    assert [link["href"] for link in first.select("a")] == ["03_title.html"] * 2
    assert first.h2.text == "3 · A <b>title</b>" and first.p.text == "Is 2 < 3,\nor not?"
    assert first.select_one(".verdict").text == "1.3 minutes, 12 cells: ok"
    assert first.img["src"] == "data:image/png;base64,AAAA" and first.img["alt"] == 'a "face"'
    assert second.select_one(".verdict").text == "0.5 minutes, 1 cells: failed: <x>" and second.img is None


def test_the_set_up_cell_is_left_out():
    notebook = nbformat.read(find_notebooks(PROJECT / "notebooks")[0], as_version=4)
    assert IN_COLAB in notebook.cells[1].source
    assert "google.colab" not in make_page(notebook, "01")
