"""The lint: nothing in the stored notebooks, and for each check a notebook with the fault that it names."""

import copy
import inspect
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_course import lint, lint_cells, lint_course, lint_lesson, lint_stored
from fer_course.heads import find_repository, setup_source, write_head
from fer_course.stored import GPU_METADATA, LARGEST_STORED_NOTEBOOK, find_notebooks
from fer_utils import exercises
from fer_utils.environment import PROJECT

FOLDER = PROJECT / "notebooks"
PATH = FOLDER / "01_data_exploration.ipynb"  # where the notebooks made here are taken to be
SOLUTION = FOLDER / "solutions" / PATH.name
OUTSIDE = "/".join(("", "folder", "of", "somebody"))  # put together: no file of the course holds an absolute path
LINE = re.compile(r"(?:solutions/)?\w+\.ipynb(?:, cell (\d+)|, the file)?: found .+; expected .+; .+", re.DOTALL)


# --- the stored notebooks ---


@pytest.mark.parametrize(
    "path", find_notebooks(FOLDER, solutions=True), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_nothing_is_found_in_a_stored_notebook(path):
    assert lint.find_problems(path) == []


def test_nothing_is_found_in_the_course():
    assert lint.find_course_problems(FOLDER) == []


def test_ruff_finds_nothing():
    assert list(lint.find_code_problems(find_notebooks(FOLDER, solutions=True))) == []


# --- a good notebook, and what may be wrong with it ---


def printed(text):
    return new_output("stream", name="stdout", text=text)


def shown(text):
    return new_output("execute_result", {"text/plain": text})


def figure(words="Bar chart: Images per class [drawn faces, not FER2013]."):
    data = {"image/png": "AAAA", "text/plain": "<Figure size 640x480 with 1 Axes>"}
    return new_output("display_data", data, metadata={"image/png": {"alt": words}} if words else {})


def table(cell):
    return new_output("execute_result", {"text/html": f"<table><tr>{cell}</tr></table>", "text/plain": "2"})


def make_lesson():
    """A small notebook in which nothing is found.

    Its cells, as the lint counts them: title (1), set-up (2), imports (3), prose (4), two of code (5, 6), what to
    remember (7), the exercises (8), three of them with two cells each (9 to 14), where to go next (15).
    """
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\n**The question.** Why?\n\nYou will be able to see."),
            new_code_cell(setup_source(find_repository()), execution_count=1),
            new_code_cell("import os\nfaces = load_faces()", execution_count=2, outputs=[printed("drawn faces")]),
            new_markdown_cell("Why"),
            new_code_cell("1 + 1", execution_count=3, outputs=[shown("2")], metadata={"tags": [lint_stored.CHECK]}),
            new_code_cell("plot(faces)", execution_count=4, outputs=[figure()]),
            *make_closing_cells(),
        ]
    )
    write_head(notebook, PATH.stem, find_repository(), {"CPU, 2 cores": 0.3})
    return notebook


def make_closing_cells():
    cells = [
        new_markdown_cell("\n".join(f"## {part}" for part in lint_lesson.PARTS[:2]) + "\nPredict first. " * 3),
        new_markdown_cell(f"## {lint_lesson.PARTS[2]}\n\nFill in."),
    ]
    for number, note in enumerate(("*(three minutes)*", "", "*(open)*"), start=1):
        cells.append(new_markdown_cell(f"**Exercise {number}** {note}"))
        source = "1 + 1" if number == 3 else f"answer = None\nexercises.check_{number}(answer)"
        cells.append(new_code_cell(source, execution_count=4 + number, outputs=[shown("Not yet: fill in")]))
    return [*cells, new_markdown_cell(f"## {lint_lesson.PARTS[3]}")]


def make_solution():
    """A small notebook of solutions in which nothing is found: title (1), set-up (2), prose (3), a solution (4)."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_code_cell(setup_source(find_repository()), execution_count=1),
            new_markdown_cell("Why"),
            new_code_cell("exercises.check_1(1)", execution_count=2, outputs=[shown("Right: well done")]),
        ]
    )


def replace(old, new):
    """Returns a fault: `old` becomes `new` in every cell."""

    def spoil(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return spoil


def change(number, **changes):
    """Returns a fault: other source, outputs or count of the cell `number`, counted from 1."""
    return lambda notebook: notebook.cells[number - 1].update(nbformat.from_dict(changes))


def tag(number, **metadata):
    """Returns a fault: other metadata of the cell `number`, counted from 1."""
    return lambda notebook: notebook.cells[number - 1].metadata.update(nbformat.from_dict(metadata))


def remove(*numbers):
    """Returns a fault: the cells `numbers`, counted from 1, are not there."""

    def spoil(notebook):
        notebook.cells = [cell for number, cell in enumerate(notebook.cells, start=1) if number not in numbers]

    return spoil


def repeat_an_exercise(notebook):
    notebook.cells[10:10] = 2 * notebook.cells[10:12]


def predict_twice(notebook):
    notebook.cells[6].source = notebook.cells[6].source.replace("Predict first", "Guess", 1)


def make_all_code_long(notebook):
    for _, cell in lint_cells.code_cells(notebook):
        cell.source = "x\n" * (lint_lesson.MEDIAN_CELL + 1)


STDERR = new_output("stream", name="stderr", text="x")
ERROR = new_output("error", ename="E", evalue="x", traceback=[])
# The check, the fault, and the cell that the line names (None: the whole notebook).
FAULTS = [
    (lint.check_format, change(5, outputs=[{"output_type": "nonsense"}]), None),
    (lint.check_stored, change(5, source=f"open('{OUTSIDE}')"), 5),
    (lint.check_stored, change(5, outputs=[printed(OUTSIDE)]), 5),
    (lint.check_stored, change(5, outputs=[STDERR]), 5),
    (lint.check_stored, change(5, outputs=[printed("1\nWARNING:tensorflow:5 out of 5")]), 5),
    (lint.check_stored, change(5, outputs=[printed("waiting for the process that trains fast/seed-0")]), 5),
    (lint.check_stored, change(5, outputs=[ERROR]), 5),
    (lint.check_stored, change(3, source="x" * LARGEST_STORED_NOTEBOOK), None),
    (lint.check_order, change(6, execution_count=7), None),
    (lint.check_order, change(6, execution_count=None), None),
    (lint.check_widgets, lambda notebook: notebook.metadata.update(widgets={}), None),
    (lint.check_gpu, lambda notebook: notebook.metadata.update(nbformat.from_dict(GPU_METADATA)), None),
    (lint.check_gpu, change(6, source="run = train('lenet_like', faces)"), None),
    (lint.check_opening, replace("# Title", "Title"), None),
    (lint.check_opening, replace("**The question.**", ""), None),
    (lint.check_opening, replace("You will be able to", "We"), None),
    (lint.check_opening, replace("minute", "while"), None),
    (lint.check_opening, replace("GPU", ""), None),
    (lint.check_opening, replace("on CPU", "on some CPU"), None),
    (lint.check_opening, change(5, source="1 + 1\n" * 40), None),
    (lint.check_badges, replace("# Title", "# Title\n\n[![Open in Colab](x)](y)"), 1),
    (lint.check_setup, change(2, source=setup_source("somebody/elsewhere")), 2),
    (lint.check_setup, change(2, outputs=[printed("x")]), 2),
    (lint.check_setup, remove(2), 2),
    (lint.check_setup, replace("load_faces()", "0"), 3),
    (lint.check_setup, replace("import os", ""), 3),
    (lint.check_setup, lambda notebook: notebook.cells.clear(), None),
    (lint.check_predictions, predict_twice, None),
    *((lint.check_parts, replace(part, ""), None) for part in lint_lesson.PARTS),
    (lint.check_parts, replace("## What to remember", "What to remember"), None),
    (lint.check_rhythm, remove(4), 4),
    (lint.check_lengths, change(5, source="x\n" * (lint_lesson.LONGEST_CELL + 1)), 5),
    (lint.check_lengths, make_all_code_long, None),
    (lint.check_figures, change(6, outputs=[]), None),
    (lint.check_figures, change(6, outputs=[figure(), figure()]), 6),
    (lint.check_marked_cells, change(5, outputs=[]), 5),
    (lint.check_reasons, tag(5, tags=[lint_cells.IGNORE]), 5),
    (lint.check_reasons, tag(5, tags=[lint_cells.IGNORE], reason=" "), 5),
    (lint.check_reasons, tag(5, tags=["nbval-skip"]), 5),
    (lint.check_reasons, tag(5, tags=["raises-exception"]), 5),
    (lint.check_reasons, change(5, source="# NBVAL_IGNORE_OUTPUT\n1"), 5),
    (lint.check_colours, change(6, source="plot(faces, color='red')"), 6),
    (lint.check_colours, change(6, source="plot(faces, palette=['red', 'blue'])"), 6),
    (lint.check_colours, change(6, source="plot(faces, '#aa00FF')"), 6),
    (lint.check_words_for_colours, replace("Why", "Compare the blue line with the others."), 4),
    (lint.check_words_for_colours, change(4, source="Compare dashed and solid for either colour."), 4),
    (lint.check_words_for_colours, change(4, source="The coloured arrow is the shortcut."), 4),
    (lint.check_alt_texts, change(6, outputs=[figure(None)]), 6),
    (lint.check_alt_texts, change(6, outputs=[figure("Bar chart.")]), 6),
    (lint.check_alt_texts, change(5, outputs=[figure()]), 5),
    (lint.check_headings, change(4, source="# Why"), None),
    (lint.check_headings, change(4, source="### Why"), 4),
    (lint.check_headings, replace("# Title", "Title"), None),
    (lint.check_links, change(4, source="Look [here](01_data_exploration.ipynb)."), 4),
    (lint.check_links, change(4, source="See [notebook 99](99_nowhere.ipynb)."), 4),
    (lint.check_table_headers, change(5, outputs=[table("<td>1</td>")]), 5),
    (lint.check_exercises, remove(9, 10), 9),
    (lint.check_exercises, remove(*range(9, 13)), None),
    (lint.check_exercises, repeat_an_exercise, None),
    (lint.check_exercises, replace("Exercise 2", "Exercise 4"), 11),
    (lint.check_exercises, replace("three", "five"), 9),
    (lint.check_exercises, replace("*(open)*", ""), 13),
    (lint.check_exercises, change(11, source="**Exercise 2** *(open)*"), 11),
    (lint.check_exercises, remove(10), 9),
    (lint.check_exercises, replace("## Exercises", "### Exercises"), None),
    (lint.check_exercises_unfilled, change(10, source="answer = None"), 9),
    (lint.check_exercises_unfilled, change(10, source="exercises.check_1(1)\nprint('more')"), 9),
    (lint.check_exercises_unfilled, change(10, outputs=[printed("Right: well done")]), 9),
    (lint.check_exercises_unfilled, change(10, outputs=[]), 9),
    (lint.check_exercises_unfilled, change(14, outputs=[]), 13),
    (lint.check_exercises_unfilled, change(14, source="exercises.check_3(1)"), 13),
]
SOLUTION_FAULTS = [
    (lint.check_solution_setup, change(2, source=setup_source("somebody/elsewhere")), 2),
    (lint.check_solutions, change(4, outputs=[printed("Not yet: fill in")]), 4),
    (lint.check_solutions, change(4, source="1"), None),
    (lint.check_solutions, change(4, source="exercises.check_1(1)\n2"), 4),
    (lint.check_solutions, tag(4, tags=[lint_cells.IGNORE], reason="training"), 4),
]


def run_checks(checks, notebook, path):
    return [line for check in checks for line in check(notebook, path)]


def name_faults(faults):
    return [f"{check.__name__}-{number}" for number, (check, *_) in enumerate(faults)]


def assert_names_the_fault(lines, cell):
    matches = [LINE.fullmatch(line) for line in lines]
    assert lines and all(matches), lines
    assert str(cell) in [match[1] or "None" for match in matches], lines


@pytest.mark.parametrize(("check", "spoil", "cell"), FAULTS, ids=name_faults(FAULTS))
def test_a_fault_is_named(check, spoil, cell):
    notebook = make_lesson()
    assert list(check(notebook, PATH)) == []
    spoil(notebook)
    assert_names_the_fault(list(check(notebook, PATH)), cell)


@pytest.mark.parametrize(("check", "spoil", "cell"), SOLUTION_FAULTS, ids=name_faults(SOLUTION_FAULTS))
def test_a_fault_of_a_solution_is_named(check, spoil, cell):
    notebook = make_solution()
    assert list(check(notebook, SOLUTION)) == []
    spoil(notebook)
    lines = list(check(notebook, SOLUTION))
    assert_names_the_fault(lines, cell)
    assert all(line.startswith("solutions/01_data_exploration.ipynb") for line in lines)


def test_every_check_is_tried():
    tried = {check for check, *_ in (*FAULTS, *SOLUTION_FAULTS)}
    assert tried == {lint.check_format, *lint.CHECKS, *lint.SOLUTION_CHECKS}
    assert tried == {check for name, check in inspect.getmembers(lint, inspect.isfunction) if name.startswith("check_")}


def test_nothing_is_found_in_good_notebooks():
    assert run_checks(lint.CHECKS, make_lesson(), PATH) == []
    assert run_checks(lint.SOLUTION_CHECKS, make_solution(), SOLUTION) == []


@pytest.mark.parametrize("cells", [[], [new_markdown_cell("")], [new_code_cell("")]], ids=["none", "prose", "code"])
def test_a_notebook_just_begun_is_no_trouble(cells):
    for checks, path in ((lint.CHECKS, PATH), (lint.SOLUTION_CHECKS, SOLUTION)):
        lines = run_checks(checks, new_notebook(cells=copy.deepcopy(cells)), path)
        assert lines and all(map(LINE.fullmatch, lines)), lines


def test_badges_of_the_repository_are_expected(monkeypatch):
    notebook = make_lesson()
    write_head(notebook, PATH.stem, "ada/faces")
    monkeypatch.setattr(lint_stored, "find_repository", lambda: "ada/faces")
    assert run_checks([lint.check_badges, lint.check_setup], notebook, PATH) == []
    assert len(run_checks([lint.check_badges], notebook, PATH.with_name("02_other.ipynb"))) == 1
    assert len(run_checks([lint.check_badges, lint.check_setup], make_lesson(), PATH)) == 2


def test_what_stands_near_a_fault_is_accepted():
    notebook = make_lesson()
    link = "[explained in 01](01_data_exploration.ipynb#why), [elsewhere](https://example.org/x), [above](#why)"
    change(4, source=f"## Why\nA colour image has three channels, grey is {link}.")(notebook)
    change(5, outputs=[table("<th>mean</th><td>1</td>")])(notebook)
    tag(5, tags=[lint_cells.IGNORE], reason="training numbers differ between machines")(notebook)
    change(6, source="plot(faces, color=MODEL_COLOURS['lenet_like'])")(notebook)
    assert run_checks(lint.CHECKS, notebook, PATH) == []


# --- files ---


def write(notebook, path):
    path.parent.mkdir(exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return path


def test_the_folder_says_whether_it_is_a_solution(tmp_path, monkeypatch):
    lesson, solution = (
        write(make_lesson(), tmp_path / PATH.name),
        write(make_solution(), tmp_path / "solutions" / PATH.name),
    )
    assert lint.find_problems(lesson) == lint.find_problems(solution) == []
    monkeypatch.chdir(solution.parent)
    assert lint.find_problems(PATH.name) == [], "a name alone is enough"
    assert any("The question" in line for line in lint.find_problems(write(make_solution(), lesson)))


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[]", '{"cells": [], "nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text):
    path = tmp_path / "01_a.ipynb"
    path.write_text(text, encoding="utf-8")
    (line,) = lint.find_problems(path)
    assert LINE.fullmatch(line) and line.startswith("01_a.ipynb: found ")
    assert lint.find_course_problems(tmp_path) == []


def test_an_invalid_notebook_is_named_before_all_else(tmp_path):
    notebook = make_lesson()
    notebook.cells[5].outputs[0].output_type = "nonsense"
    path = tmp_path / "01_a.ipynb"
    path.write_text(nbformat.v4.writes(notebook), encoding="utf-8")
    (line,) = lint.find_problems(path)
    assert LINE.fullmatch(line) and "nonsense" in line


@pytest.mark.parametrize("ids", [("a", "a"), ("a", None)], ids=["twice", "missing"])
def test_ids_are_not_repaired_in_silence(tmp_path, ids):
    notebook = make_lesson()
    for cell, name in zip(notebook.cells, ids, strict=False):
        cell.pop("id") if name is None else cell.update(id=name)
    path = tmp_path / "01_a.ipynb"
    path.write_text(nbformat.v4.writes(notebook), encoding="utf-8")
    (line,) = lint.find_problems(path)
    assert LINE.fullmatch(line) and "id" in line


def test_files_of_folders_are_listed(tmp_path):
    lesson, solution = (tmp_path / "01_a.ipynb", tmp_path / "solutions" / "01_a.ipynb")
    write(make_lesson(), lesson), write(make_solution(), solution)
    assert lint.list_files([tmp_path, solution]) == [lesson, solution, solution]
    with pytest.raises(ValueError, match="there is no notebook"):
        lint.list_files([write(make_lesson(), tmp_path / "empty" / "notes.ipynb").parent])


def test_ruff_names_the_cell(tmp_path):
    bad = [new_markdown_cell("# Title"), new_code_cell("import os"), new_code_cell("x = (")]
    write(new_notebook(cells=bad[:2]), tmp_path / "01_a.ipynb")
    write(new_notebook(cells=[bad[0], bad[2]]), tmp_path / "solutions" / "01_a.ipynb")
    lines = sorted(lint.find_code_problems(lint.list_files([tmp_path])))
    assert all(map(LINE.fullmatch, lines)) and len(lines) == 2, lines
    assert lines[0].startswith("01_a.ipynb, cell 2: ") and lines[1].startswith("solutions/01_a.ipynb, cell 2: ")
    assert lint.lint([tmp_path / "01_a.ipynb"])[-1] == lines[0]


def test_trouble_with_ruff_is_no_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(lint, "RUFF_SETTINGS", tmp_path / "gone.toml")
    (line,) = lint.find_code_problems([PATH])
    assert "gone.toml" in line
    monkeypatch.setattr(lint.importlib.util, "find_spec", lambda name: None)
    (line,) = lint.find_code_problems([PATH])
    assert "uv sync" in line


# --- all together ---


def call(*names):
    return new_notebook(cells=[new_code_cell(f"exercises.{name}(1)") for name in names])


@pytest.mark.parametrize(
    ("lessons", "solutions"),
    [
        ({"01_a": call(), "02_b": call()}, {"01_a": call(), "02_b": call()}),
        ({"01_a": call("check_x"), "02_b": call()}, {"01_a": call()}),
        ({"01_a": call("check_x"), "02_b": call()}, {"02_b": call("check_x")}),
        ({"01_a": call("check_x"), "02_b": call("check_x")}, {"01_a": call("check_x"), "02_b": call("check_x")}),
        ({"01_a": call("check_x", "check_x")}, {"01_a": call("check_x", "check_x")}),
    ],
    ids=["none", "unsolved", "elsewhere", "in two", "twice"],
)
def test_misplaced_checks_are_found(lessons, solutions):
    assert len(list(lint.find_misplaced_checks(["check_x"], lessons, solutions))) == 1


def test_a_check_in_its_place_is_accepted():
    lessons, solutions = {"01_a": call("check_x"), "02_b": call()}, {"01_a": call("check_x")}
    assert list(lint.find_misplaced_checks(["check_x"], lessons, solutions)) == []


def test_all_checks_of_exercises_are_known():
    names = [name for name, _ in inspect.getmembers(exercises, inspect.isfunction) if name.startswith("check_")]
    assert names and sorted(lint.list_checks()) == names


@pytest.mark.parametrize("names", [[], ["02_b"], ["01_a", "03_c"], ["01_a", "01_b"]])
def test_a_gap_is_found(names):
    assert len(list(lint.find_gaps(names))) == 1


def test_what_stands_in_one_folder_alone_is_found(tmp_path):
    for name in ("01_a", "02_b"):
        write(make_lesson(), tmp_path / f"{name}.ipynb")
    for name in ("01_a", "03_c"):
        write(make_solution(), tmp_path / "solutions" / f"{name}.ipynb")
    lines = [line for line in lint.find_course_problems(tmp_path) if ".ipynb" in line]
    assert [line.split(";")[0] for line in lines] == [
        "02_b.ipynb: found it in notebooks alone",
        "03_c.ipynb: found it in solutions alone",
    ]


def test_compared_share():
    notebook = make_lesson()
    assert lint_course.compared_share([notebook]) == 1.0, "the figure is no text output"
    tag(5, tags=[lint_cells.IGNORE])(notebook)
    assert lint_course.compared_share([notebook]) == 0.8
    assert list(lint.find_uncompared({"01_a": notebook})) == []
    for number in (3, 10):
        tag(number, tags=[lint_cells.IGNORE])(notebook)
    assert len(list(lint.find_uncompared({"01_a": notebook}))) == 1
