"""Badges, times and the set-up cell, on a course of one notebook: links, repetition, refusals, what stays."""

import copy
import shutil
import tomllib

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_course import heads
from fer_course.readme import INSTRUCTOR
from fer_course.stored import find_notebooks, find_stored_problems
from fer_utils.environment import PROJECT

COLAB = "https://colab.research.google.com/github/ada/faces/blob/main/notebooks/03_c.ipynb"
BINDER = "https://mybinder.org/v2/gh/ada/faces/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2F03_c.ipynb"


def make_notebook():
    """Title, set-up cell, prose, and a cell with output."""
    result = new_output("execute_result", {"text/plain": "2"}, execution_count=2)
    return new_notebook(
        cells=[
            new_markdown_cell("# 3 · Title\n\n**The question.** Why?"),
            new_code_cell(heads.setup_source(""), execution_count=1),
            new_markdown_cell("word " * 390),
            new_code_cell("1 + 1", execution_count=2, outputs=[result]),
        ]
    )


@pytest.fixture
def course(tmp_path):
    """A folder with a copy of pyproject.toml, a README with marks, and the notebook 03_c."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").write_text((PROJECT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "README.md").write_text("# Course\n\n" + "".join(heads.BADGES_MARKS) + "\nText\n", encoding="utf-8")
    nbformat.write(make_notebook(), tmp_path / "notebooks" / "03_c.ipynb")
    return tmp_path


def publish(course, repository):
    return heads.publish(repository, [course / "notebooks" / "03_c.ipynb"], course)


def read_notebook(course):
    return nbformat.read(course / "notebooks" / "03_c.ipynb", as_version=4)


def read_all(course):
    return {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}


def without_urls(text):
    """The lines of pyproject.toml, but those of the repository's address."""
    return [line for line in text.splitlines() if line and "Repository" not in line and line != "[project.urls]"]


def test_every_place_gets_the_address(course):
    assert {path.name for path in publish(course, "ada/faces")} == {"pyproject.toml", "README.md", "03_c.ipynb"}
    assert heads.find_repository(course) == "ada/faces"
    title, setup, *_ = read_notebook(course).cells
    assert f"[![Open in Colab]({heads.COLAB_BADGE[18:-2]})]({COLAB})" in title.source
    assert title.source.split("\n\n")[0] == "# 3 · Title" and title.source.endswith("**The question.** Why?")
    assert f"]({BINDER})" in title.source
    assert 'address = "https://github.com/ada/faces"' in setup.source
    readme = (course / "README.md").read_text(encoding="utf-8")
    assert f"]({COLAB}) [![Open in Binder]" in readme and f"In Colab: [03]({COLAB})" in readme and "\nText\n" in readme


def test_solutions_get_the_address_but_no_head(course):
    (course / "notebooks" / "solutions").mkdir()
    solutions = [course / "notebooks" / "solutions" / name for name in ("03_c.ipynb", "04_plain.ipynb")]
    without = make_notebook()
    del without.cells[1]
    for path, notebook in zip(solutions, (make_notebook(), without), strict=True):
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    assert {*solutions} & {*publish(course, "ada/faces")} == {solutions[0]}
    title, setup, *_ = nbformat.read(solutions[0], as_version=4).cells
    assert title.source == make_notebook().cells[0].source and setup.source == heads.setup_source("ada/faces")


def test_the_rest_of_the_files_stays(course):
    before, settings = read_notebook(course), (course / "pyproject.toml").read_text(encoding="utf-8")
    publish(course, "ada/faces")
    after = read_notebook(course)
    assert after.cells[2:] == before.cells[2:] and after.metadata == before.metadata
    assert [cell.get("execution_count") for cell in after.cells] == [None, 1, None, 2]
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert without_urls((course / "pyproject.toml").read_text(encoding="utf-8")) == without_urls(settings)
    assert find_stored_problems(after) == []


def test_the_course_itself_can_be_published(tmp_path):
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, tmp_path)
    paths = find_notebooks(tmp_path / "notebooks")
    heads.publish("ada/faces", paths, tmp_path)
    assert heads.find_repository(tmp_path) == "ada/faces"
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert all(link("ada/faces", path.stem) in text for link in (heads.colab_link, heads.binder_link))
        assert heads.colab_link("ada/faces", path.stem) in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_again_changes_nothing_and_another_address_replaces(course):
    publish(course, "ada/faces")
    assert publish(course, "ada/faces") == []
    publish(course, "Grace-H/fer.course_2")
    first = read_all(course)
    assert heads.find_repository(course) == "Grace-H/fer.course_2"
    assert not any(b"ada/faces" in content for content in first.values())
    assert len(read_notebook(course).cells[0].source.split("\n\n")) == 4


@pytest.mark.parametrize(
    "repository", ["", "faces", "https://github.com/ada/faces", "ada/faces.git", "ada/fa ces", "-a/b", "a/b/c", "a/.."]
)
def test_another_form_is_refused_and_nothing_written(course, repository):
    before = read_all(course)
    with pytest.raises(ValueError, match="expected OWNER/NAME"):
        publish(course, repository)
    assert read_all(course) == before


def test_a_missing_place_is_named_and_nothing_written(course):
    notebook = read_notebook(course)
    del notebook.cells[1]
    nbformat.write(notebook, course / "notebooks" / "03_c.ipynb")
    before = read_all(course)
    with pytest.raises(ValueError, match=r"03_c.ipynb has no set-up cell"):
        publish(course, "ada/faces")
    (course / "README.md").write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="page must hold"):
        publish(course, "ada/faces")
    assert {**read_all(course), course / "README.md": b""} == {**before, course / "README.md": b""}


def test_an_address_in_a_section_of_urls(course):
    text = '[project]\nname = "x"\n\n[project.urls]\nHomepage = "y"\n'
    project = tomllib.loads(heads.set_repository(text, "ada/faces"))["project"]
    assert project["urls"] == {"Repository": "https://github.com/ada/faces", "Homepage": "y"}


def test_minutes_of_other_devices_are_kept():
    notebook = make_notebook()
    heads.write_head(notebook, "03_c", "", {"GPU": 0.2})
    heads.write_head(notebook, "03_c", "", {"CPU, 2 cores": 1.3})
    heads.write_head(notebook, "03_c", "ada/faces")
    line = notebook.cells[0].source.split("\n\n")[2]
    assert "earlier notebooks): 1.5 minutes on CPU, 2 cores; 0.5 minutes on GPU. No network" in line
    assert heads.read_minutes(notebook.cells[0].source) == {"CPU, 2 cores": 1.5, "GPU": 0.5}
    assert "not measured" not in line
    heads.write_head(notebook, "03_c", "ada/faces", {"CPU, 2 cores": 0.9})
    assert "1 minute on CPU, 2 cores; 0.5 minutes on GPU" in notebook.cells[0].source


@pytest.mark.parametrize("gpu", ["NVIDIA H100 80GB HBM3\n", "NVIDIA A100-SXM4-40GB; MIG 1g.5gb\n"])
def test_a_gpu_s_name_survives_in_the_head(monkeypatch, gpu):
    from fer_utils import device

    monkeypatch.setattr(device, "kind", lambda: "GPU")
    monkeypatch.setattr(device, "_ask_nvidia", lambda fact: gpu)
    notebook, name = make_notebook(), device.name_device()
    heads.write_head(notebook, "03_c", "", {name: 0.5})
    heads.write_head(notebook, "03_c", "", {"CPU, 2 cores": 1.5})
    assert heads.read_minutes(notebook.cells[0].source) == {"CPU, 2 cores": 1.5, name: 0.5}
    assert "not measured" not in notebook.cells[0].source


def test_reading_time_counts_prose_and_code_but_not_what_commands_write():
    notebook = make_notebook()
    before = heads.reading_minutes(notebook)
    assert before == 3, "395 words and a line of code"
    heads.write_head(notebook, "03_c", "ada/faces", {"CPU, 2 cores": 1.0})
    assert heads.reading_minutes(notebook) == before
    notebook.cells[3].source = "x = 1\n\n" * 60
    assert heads.reading_minutes(notebook) == 5


@pytest.mark.parametrize(
    ("source", "is_training"),
    [
        ("run = train('lenet_like', faces)", True),
        ("x = 1\nruns = [train(name, faces) for name in names]", True),
        ("losses = train_stack(network)", True),
        ("# run = train('lenet_like', faces)", False),
        ("network.train(faces)\npretrain(faces)\nfaces.train.labels", False),
    ],
)
def test_training_is_seen(source, is_training):
    notebook = make_notebook()
    notebook.cells[3].source = source
    assert heads.trains(notebook) is is_training
    notebook.cells[2].source = "`train(...)` trains."
    assert ("A GPU pays" in heads.time_line(notebook, {})) is is_training


def test_head_and_badges_can_be_taken_out():
    notebook = make_notebook()
    plain = notebook.cells[0].source
    heads.write_head(notebook, "03_c", "ada/faces")
    linked = heads.link_badges(notebook.cells[0].source)
    assert f"[Open in Colab]({COLAB}) [Open in Binder]({BINDER})" in linked and "![" not in linked
    assert heads.strip_head(notebook.cells[0].source) == plain == heads.strip_head(plain)


def test_set_up_cells_can_be_told_from_others():
    notebook = make_notebook()
    assert heads.find_setup(notebook) is notebook.cells[1]
    other = copy.deepcopy(notebook)
    other.cells.insert(1, new_code_cell("import os"))
    assert heads.find_setup(other) is None and heads.find_setup(new_notebook()) is None


def test_the_minutes_of_all_notebooks_stand_in_one_table(course):
    first, last = heads.MINUTES_MARKS
    paths = find_notebooks(course / "notebooks")
    notebook = make_notebook()
    heads.write_head(notebook, "04_d", "", {"CPU, 2 cores": 1.2, "GPU T4": 0.1})
    nbformat.write(notebook, course / "notebooks" / "04_d.ipynb")
    text = heads.insert_minutes(f"before\n{first}old\n{last}after\n", [*paths, course / "notebooks" / "04_d.ipynb"])
    assert "| 03_c | – | – |\n| 04_d | 1.5 | 0.5 |" in text and "minutes on CPU, 2 cores | minutes on GPU T4 |" in text
    assert "old" not in text and text.startswith("before\n") and text.endswith("after\n")


def test_the_instructors_minutes_are_those_of_the_heads():
    text = INSTRUCTOR.read_text(encoding="utf-8")
    assert heads.insert_minutes(text, find_notebooks(PROJECT / "notebooks")) == text, "run `fer-course store`"
