"""The runner on tiny notebooks: what it shows, writes, refuses and leaves alone."""

import base64
import io

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from fer_course.heads import write_head
from fer_course.notebooks import Outcome, execute_notebook, run_notebooks, store_notebooks, write_times
from fer_course.pages import make_page
from fer_course.stored import ABSOLUTE_PATH, LARGEST_STORED_NOTEBOOK, find_notebooks, find_stored_problems, normalise

FIGURE = """from fer_utils import plots
plots.set_style()
plots.plot_shares({"a": 0.25}, 'A & "B"');"""
# Put together: no file of the course holds an absolute path.
ROOT = "/"
OUTSIDE = f"{ROOT}folder/of/somebody"


def write_notebook(path, *sources):
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *(new_code_cell(source) for source in sources)])
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """(build folder, outcomes, shown text, folder) of a run over a good, a failing and a linking notebook."""
    folder, shown = tmp_path_factory.mktemp("notebooks"), []
    write_notebook(
        folder / "01_good.ipynb", "import os, sys", "print(os.environ['FER_TEST'], sys.executable, os.getcwd())"
    )
    write_notebook(folder / "02_bad.ipynb", "x = 1", "x / 0", "print('never')")
    write_notebook(folder / "03_after.ipynb", "print('after <all>')")
    notebook = nbformat.read(folder / "03_after.ipynb", as_version=4)
    notebook.cells[0].source = "# Title\n[back](01_good.ipynb) [solutions](solutions/01_good.ipynb)"
    nbformat.write(notebook, folder / "03_after.ipynb")
    (folder / "solutions").mkdir()
    write_notebook(folder / "solutions" / "01_good.ipynb", "never_executed")
    notebook = nbformat.read(folder / "solutions" / "01_good.ipynb", as_version=4)
    notebook.cells[0].source = "# Solutions\n[notebook](../01_good.ipynb)"
    nbformat.write(notebook, folder / "solutions" / "01_good.ipynb")
    build = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "Agg")
        outcomes = run_notebooks(find_notebooks(folder), build, {"FER_TEST": "passed on"}, shown.append)
    return build, outcomes, "\n".join(map(str, shown)), folder


def test_failing_notebook_is_shown_and_the_others_run(executed):
    _, outcomes, shown, _ = executed
    assert [outcome.verdict for outcome in outcomes] == ["ok", "failed at cell 2 of 3", "ok"]
    assert [outcome.cells for outcome in outcomes] == [2, 2, 1]
    assert "02_bad" in shown and "x / 0" in shown and "ZeroDivisionError: division by zero" in shown


def test_executed_copies_and_pages_are_written(executed):
    build, _, _, folder = executed
    for name in ("01_good", "02_bad", "03_after"):
        assert (build / "notebooks" / f"{name}.ipynb").exists()
        assert f'href="{name}.html"' in (build / "html" / "index.html").read_text(encoding="utf-8")
    assert "after &lt;all&gt;" in (build / "html" / "03_after.html").read_text(encoding="utf-8")
    assert 'href="01_good.html"' in (build / "html" / "03_after.html").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in (build / "html" / "02_bad.html").read_text(encoding="utf-8")
    assert "failed at cell 2 of 3" in (build / "html" / "index.html").read_text(encoding="utf-8")
    assert not nbformat.read(folder / "01_good.ipynb", as_version=4).cells[2].outputs


def test_solutions_get_a_page_as_they_are(executed):
    build, outcomes, _, _ = executed
    assert 'href="solutions/01_good.html"' in (build / "html" / "03_after.html").read_text(encoding="utf-8")
    page = (build / "html" / "solutions" / "01_good.html").read_text(encoding="utf-8")
    assert 'href="../01_good.html"' in page and "never_executed" in page and "NameError" not in page
    assert [outcome.name for outcome in outcomes] == ["01_good", "02_bad", "03_after"]


def test_kernel_is_this_python_in_the_notebooks_folder(executed):
    import sys

    build, _, _, folder = executed
    output = nbformat.read(build / "notebooks" / "01_good.ipynb", as_version=4).cells[2].outputs[0].text
    assert output.split() == ["passed", "on", sys.executable, str(folder)]


@pytest.mark.slow
def test_progress_names_notebook_and_cell(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FER_PROGRESS", "1")
    write_notebook(tmp_path / "01_good.ipynb", "1", "", "2")
    execute_notebook(tmp_path / "01_good.ipynb", {})
    shown = capsys.readouterr().err
    assert "01_good: cell 1 of 2" in shown and "01_good: cell 2 of 2" in shown and "00:0" in shown


@pytest.mark.slow
def test_dead_kernel_is_a_failure(tmp_path):
    write_notebook(tmp_path / "01_dies.ipynb", "import os", "os._exit(1)")
    _, outcome = execute_notebook(tmp_path / "01_dies.ipynb", {})
    assert outcome.verdict == "failed at cell 2 of 2" and "Kernel died" in outcome.failure


def test_a_kernel_that_does_not_start_is_a_failure(tmp_path, monkeypatch):
    def start(*_, **__):
        raise RuntimeError("Kernel didn't respond in 60 seconds")

    write_notebook(tmp_path / "01_waits.ipynb", "1")
    monkeypatch.setattr("fer_course.notebooks.NotebookClient.execute", start)
    _, outcome = execute_notebook(tmp_path / "01_waits.ipynb", {})
    assert outcome.verdict == "failed at cell 0 of 1" and "didn't respond" in outcome.failure


@pytest.mark.parametrize("content", ["", "{}", "[]", "<<<<<<< mine", '{"cells": 3}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    (tmp_path / "01_other.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="01_other.ipynb: found no notebook"):
        execute_notebook(tmp_path / "01_other.ipynb", {})


def test_find_notebooks(tmp_path):
    for name in ("02_b", "01_a", "notes"):
        write_notebook(tmp_path / f"{name}.ipynb")
    assert [path.stem for path in find_notebooks(tmp_path)] == ["01_a", "02_b"]
    assert [path.stem for path in find_notebooks(tmp_path, ["02"])] == ["02_b"]
    assert [path.stem for path in find_notebooks(tmp_path, ["02_b", "01"])] == ["01_a", "02_b"]
    with pytest.raises(ValueError, match="no notebook 07; there are: 01_a, 02_b"):
        find_notebooks(tmp_path, ["01", "07"])
    with pytest.raises(ValueError, match="there are: none"):
        find_notebooks(tmp_path / "nowhere")


def test_find_solutions_after_their_notebooks(tmp_path):
    (tmp_path / "solutions").mkdir()
    for name in ("01_a", "02_b", "solutions/02_b", "solutions/09_of_nothing"):
        write_notebook(tmp_path / f"{name}.ipynb")
    a, b, solution = tmp_path / "01_a.ipynb", tmp_path / "02_b.ipynb", tmp_path / "solutions" / "02_b.ipynb"
    assert find_notebooks(tmp_path) == [a, b]
    assert find_notebooks(tmp_path, solutions=True) == [a, b, solution]
    assert find_notebooks(tmp_path, ["02"], solutions=True) == [b, solution]
    assert find_notebooks(tmp_path, ["01"], solutions=True) == [a]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """(folder, its files' bytes before, outcomes) of storing one good notebook and three that must be refused."""
    folder = tmp_path_factory.mktemp("stored")
    write_notebook(folder / "01_good.ipynb", "print('one')\nprint('two')", "1 + 1")
    write_notebook(folder / "02_bad.ipynb", "x / 0")
    write_notebook(folder / "03_path.ipynb", "import os\nprint(os.__file__)")
    write_notebook(folder / "04_loud.ipynb", "import sys\nprint('careful', file=sys.stderr)")
    notebook = nbformat.read(folder / "01_good.ipynb", as_version=4)
    notebook.metadata = {"widgets": {"state": {}}, "kernelspec": {"name": "mine", "display_name": "Mine"}}
    notebook.cells[1].metadata = {"tags": ["nbval-ignore-output"], "reason": "why", "ExecuteTime": 1, "execution": {}}
    notebook.cells[1].execution_count = 17
    nbformat.write(notebook, folder / "01_good.ipynb")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    return folder, before, store_notebooks(find_notebooks(folder), {}, lambda outcome: None)


def test_store_refuses_and_keeps_the_old_file(stored):
    folder, before, outcomes = stored
    assert [o.verdict for o in outcomes] == ["ok", "failed at cell 1 of 1", "not stored", "not stored"]
    assert "absolute path" in outcomes[2].failure and "stderr" in outcomes[3].failure
    for name in ("02_bad.ipynb", "03_path.ipynb", "04_loud.ipynb"):
        assert (folder / name).read_bytes() == before[name]
    assert sorted(path.name for path in folder.iterdir()) == sorted(before), "no temporary file is left"


def test_store_normalises(stored):
    folder, before, _ = stored
    notebook = nbformat.read(folder / "01_good.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert (
        set(notebook.metadata) == {"kernelspec", "language_info"} and "version" not in notebook.metadata.language_info
    )
    assert notebook.cells[1].metadata == {"tags": ["nbval-ignore-output"], "reason": "why"}
    assert notebook.cells[2].metadata == {}
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2]
    assert [output.text for output in notebook.cells[1].outputs] == ["one\ntwo\n"]
    old = nbformat.reads(before["01_good.ipynb"].decode(), as_version=4)
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in old.cells]


@pytest.mark.slow
def test_store_asks_for_a_gpu_where_the_notebook_trains(tmp_path):
    write_notebook(tmp_path / "01_trains.ipynb", "def train(name):\n    return name", "train('lenet_like')")
    store_notebooks(find_notebooks(tmp_path), {}, lambda outcome: None)
    metadata = nbformat.read(tmp_path / "01_trains.ipynb", as_version=4).metadata
    assert metadata.accelerator == "GPU" and metadata.colab == {"gpuType": "T4"} and "kernelspec" in metadata


def test_times_are_written_for_notebooks_that_did_not_fail(tmp_path):
    (tmp_path / "solutions").mkdir()
    for name in ("01_good", "02_bad", "solutions/01_good"):
        write_notebook(tmp_path / f"{name}.ipynb", "1")
    outcomes = [Outcome("01_good", 0.7, 1), Outcome("02_bad", 0.7, 1, "failed"), Outcome("solutions/01_good", 0.7, 1)]
    write_times(outcomes, tmp_path, "CPU, 2 cores")
    write_times(outcomes, tmp_path)
    names = ("01_good", "02_bad", "solutions/01_good")
    good, *others = (nbformat.read(tmp_path / f"{name}.ipynb", as_version=4).cells[0].source for name in names)
    assert "1 minute on CPU, 2 cores; GPU not measured" in good
    assert others == ["# Title"] * 2


@pytest.mark.parametrize(
    "text",
    [
        f"{ROOT}home/x/y",
        f"see ({ROOT}usr/lib/x)",
        f"'{ROOT}tmp'",
        "C:" + r"\Users",
        f"file:{2 * ROOT}{ROOT}x",
        OUTSIDE,
        f"open('{ROOT}content')",
    ],  # fmt: skip
)
def test_absolute_paths_are_seen(text):
    assert ABSOLUTE_PATH.search(text)


@pytest.mark.parametrize(
    "text", ["https://kaggle.com/datasets/x", "and/or/not", "../data/runs", "</b></a>", "1 / 2", "a /b", "data/my/runs"]
)
def test_other_slashes_are_not_absolute_paths(text):
    assert not ABSOLUTE_PATH.search(text)


def test_stored_problems():
    picture = new_output("display_data", {"image/png": OUTSIDE})
    assert find_stored_problems(new_notebook(cells=[new_code_cell("1", outputs=[picture])])) == []
    error = new_output("error", ename="E", evalue="x", traceback=[OUTSIDE])
    problems = find_stored_problems(new_notebook(cells=[new_code_cell("1", outputs=[error])]))
    assert len(problems) == 2 and "error" in problems[0] and "absolute path" in problems[1]
    large = new_notebook(cells=[new_markdown_cell("x" * LARGEST_STORED_NOTEBOOK)])
    assert "bytes" in find_stored_problems(large)[0]


def test_outcome_in_words():
    assert str(Outcome("01_a", 1.26, 3)) == "01_a: 3 cells, 1.3 min, ok"


def test_a_page_has_no_badge_and_a_report_no_head():
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("1 + 1")])
    write_head(notebook, "02_lesson", "ada/faces")
    page = make_page(notebook, "02_lesson")
    assert ">Open in Colab</a>" in page and "colab-badge" not in page and "Reading: 1 minute" in page
    assert "[![Open in Colab]" in notebook.cells[0].source, "the notebook keeps its badge"
    notebook.cells[0].metadata = nbformat.from_dict({"tags": ["report"]})
    report = make_page(notebook, "07_report")
    assert "Open in" not in report and "Reading" not in report and "Title" in report


def test_a_report_hides_code_and_leaves_lessons_out():
    cells = [
        new_markdown_cell("# Title", metadata={"tags": ["report"]}),
        new_markdown_cell("Predict first.", metadata={"tags": ["lesson"]}),
        new_code_cell("1 + 1"),
    ]
    page = make_page(new_notebook(cells=cells), "07_report")
    assert "Predict first" not in page and "show the code" in page and "@media print" in page
    assert page.index("show the code") < page.index("<main")
    cells[0].metadata = {}
    plain = make_page(new_notebook(cells=cells), "02_lesson")
    assert "Predict first" in plain and "show the code" not in plain


def open_picture(png):
    return Image.open(io.BytesIO(base64.b64decode(png)))


def test_a_picture_keeps_its_colours_and_is_reduced_once():
    shades = np.linspace(10, 240, 40)
    channels = [*np.meshgrid(shades, shades), np.full((40, 40), 90)]
    noise = np.random.default_rng(0).integers(-9, 10, (40, 40, 3))
    pixels = (np.stack(channels, axis=-1) + noise).astype(np.uint8)
    before = io.BytesIO()
    Image.fromarray(pixels).save(before, "PNG")
    png = base64.b64encode(before.getvalue()).decode()
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[new_output("display_data", {"image/png": png})])])
    normalise(notebook)
    once = notebook.cells[0].outputs[0].data["image/png"]
    reduced = np.asarray(open_picture(once).convert("RGB"))
    assert np.abs(reduced.astype(int) - pixels).mean() < 4 and len(once) < len(png)
    normalise(notebook)
    assert notebook.cells[0].outputs[0].data["image/png"] == once


@pytest.mark.slow
def test_a_figure_is_stored_and_shown_with_its_words(tmp_path):
    write_notebook(tmp_path / "01_figure.ipynb", FIGURE)
    assert [outcome.verdict for outcome in store_notebooks(find_notebooks(tmp_path), {}, lambda outcome: None)] == [
        "ok"
    ]
    notebook = nbformat.read(tmp_path / "01_figure.ipynb", as_version=4)
    words = 'Bar chart of the share spent multiplying: A & "B". a 25%.'
    assert notebook.cells[1].outputs[0].metadata == {"image/png": {"alt": words}}
    assert open_picture(notebook.cells[1].outputs[0].data["image/png"]).mode == "P", "with a palette"
    page = BeautifulSoup(make_page(notebook, "01_figure"), "html.parser")
    assert [image["alt"] for image in page.select("img")] == [words]
    assert page.html["lang"] == "en"


def test_a_figure_without_words_is_shown_as_nbconvert_does():
    picture = new_output("display_data", {"image/png": "AAAA"})
    page = BeautifulSoup(make_page(new_notebook(cells=[new_code_cell("1", outputs=[picture])]), "01"), "html.parser")
    assert [image["alt"] for image in page.select("img")] == ["No description has been provided for this image"]


@pytest.mark.slow
def test_of_a_widget_its_words_are_kept(tmp_path):
    path = tmp_path / "01_widget.ipynb"
    write_notebook(path, "import ipywidgets\nipywidgets.Button(description='press')")
    notebook, outcome = execute_notebook(path, {})
    (shown,) = notebook.cells[-1].outputs
    assert outcome.failure == "" and set(shown.data) == {"text/plain"} and "widgets" not in notebook.metadata
