"""The stored notebooks as files: order, outputs, size, template, rhythm.

A check takes a notebook and returns a list of problems in words; each is tried on a notebook that breaks it. What the
cells compute is nbval's to compare.
"""

import copy
import inspect
import re
import statistics
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_utils import exercises
from fer_utils.environment import PROJECT
from fer_utils.heads import (
    badges,
    find_repository,
    find_setup,
    read_minutes,
    setup_source,
    time_line,
    trains,
    write_head,
)
from fer_utils.notebook_runner import GPU_METADATA, LARGEST_STORED_NOTEBOOK, find_stored_problems, output_texts

FOLDER = PROJECT / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
SOLUTIONS = sorted((FOLDER / "solutions").glob("*.ipynb"))
NAMES = [
    "01_data_exploration",
    "02_baseline_overfitting",
    "03_data_augmentation",
    "04_depth_comparison",
    "05_shortcut_connections",
    "06_activation_visualization",
    "07_report_reproduction",
    "08_training_fast",
    "09_blocks_at_equal_cost",
    "10_reading_the_mistakes",
    "11_your_own_photo",
]
PARTS = ["What the report found, what we find", "What to remember", "Exercises", "Where to go next"]
OUTSIDE = "/".join(("", "folder", "of", "somebody"))  # put together: no file of the course holds an absolute path
LONGEST_CELL, MEDIAN_CELL = 25, 10
COMPARED_SHARE = 0.6
IGNORE, CHECK = "nbval-ignore-output", "nbval-check-output"
CHECK_CALL = re.compile(r"\bexercises\.(check_\w+)\(")
HARD_CODED_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|\b(?:c|colou?rs?|facecolor|edgecolor|palette)\s*=\s*[\[(]?\s*['\"]")
SHORTEST_ALT_TEXT = 40
# Black, white, grey, dark and bright are what the faces are made of.
COLOUR_WORD = re.compile(
    r"\b(?:red|blue|green|orange|yellow|purple|violet|pink|brown|cyan|magenta|coloured|"
    r"(?:each|either|one|same|other|whose|which) colours?)\b",
    re.IGNORECASE,
)
LINK_TEXT = re.compile(r"\[([^\]]*)\]\(")
EMPTY_LINK_TEXTS = {"", "here", "this", "link", "click here", "more"}


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tags(cell):
    return cell.metadata.get("tags", [])


def has_text_output(cell):
    """True if the cell printed, or shows a value that is not a figure."""
    return any(output.output_type == "stream" or is_value(output) for output in cell.outputs)


def is_value(output):
    return "text/plain" in output.get("data", {}) and not count_figures([output])


def is_table(output):
    return "<table" in output.get("data", {}).get("text/html", "")


def count_figures(outputs):
    return sum("image/png" in output.get("data", {}) or "image/svg+xml" in output.get("data", {}) for output in outputs)


def alt_texts(notebook):
    """The alternative text of each figure, empty where there is none."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs if count_figures([output])]
    return [output.get("metadata", {}).get("image/png", {}).get("alt", "") for output in outputs]


def compared_share(notebooks):
    """Of the cells with text output in all `notebooks`, the share that nbval compares."""
    cells = [cell for notebook in notebooks for cell in code_cells(notebook) if has_text_output(cell)]
    return sum(IGNORE not in tags(cell) for cell in cells) / len(cells) if cells else 0.0


def check_format(notebook):
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        return [str(error)]
    return []


def check_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook) if cell.source.strip()]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"not run top to bottom: {counts}"]


def check_widgets(notebook):
    return ["holds widgets, which GitHub cannot show"] if "widgets" in notebook.metadata else []


def check_opening(notebook):
    before_code = notebook.cells[: notebook.cells.index(code_cells(notebook)[0])]
    text = "\n".join(cell.source for cell in before_code)
    wanted = {
        "a title": notebook.cells[0].source.startswith("# "),
        "You will be able to": "You will be able to" in text,
        "computed time (fer-course store writes it)": time_line(notebook, read_minutes(text)) in text.split("\n\n"),
    }
    return [f"before the first code there is no {part}" for part, there in wanted.items() if not there]


def check_setup(notebook):
    setup, imports = code_cells(notebook)[:2]
    wanted = {
        "the common set-up cell (fer-course badges writes it)": setup.source == setup_source(find_repository()),
        "no output of the set-up cell": not setup.outputs,
        "imports and faces in the second code cell": "import" in imports.source and "load_faces(" in imports.source,
    }
    return [f"there is not {part}" for part, there in wanted.items() if not there]


def check_gpu(notebook):
    found = {key: value for key, value in notebook.metadata.items() if key in GPU_METADATA}
    return [] if found == (GPU_METADATA if trains(notebook) else {}) else [f"Colab's GPU is asked for by {found}"]


def check_predictions(notebook):
    count = prose(notebook).count("Predict first")
    return [] if count >= 3 else [f"'Predict first' stands there {count} times, not 3"]


def check_parts(notebook):
    headings = re.findall(r"^#+ .*$", prose(notebook), re.MULTILINE)
    return [f"there is no heading {part!r}" for part in PARTS if not any(part in heading for heading in headings)]


def check_rhythm(notebook):
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    return ["three code cells in a row"] if "ccc" in kinds else []


def check_lengths(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    problems = [f"a code cell has {max(lengths)} lines"] if max(lengths) > LONGEST_CELL else []
    middle = statistics.median(lengths)
    return problems + ([f"the median code cell has {middle} lines"] if middle > MEDIAN_CELL else [])


def check_figures(notebook):
    counts = [count_figures(cell.outputs) for cell in code_cells(notebook)]
    return [f"a cell has {max(counts)} figures"] if max(counts) > 1 else [] if any(counts) else ["there is no figure"]


def check_marked_cells(notebook):
    return [
        f"checked, but no stored output: {c.source}" for c in code_cells(notebook) if CHECK in tags(c) and not c.outputs
    ]


def check_reasons(notebook):
    problems = []
    for cell in code_cells(notebook):
        if IGNORE in tags(cell) and not str(cell.metadata.get("reason", "")).strip():
            problems.append(f"not compared, and no reason says why: {cell.source}")
        if "NBVAL" in cell.source or {"nbval-skip", "raises-exception"} & set(tags(cell)):
            problems.append(f"taken out of the comparison another way than by the tag {IGNORE}: {cell.source}")
    return problems


def check_colours(notebook):
    found = [HARD_CODED_COLOUR.search(cell.source) for cell in code_cells(notebook)]
    return [f"a colour of its own, not one of plots.MODEL_COLOURS: {match.group()}" for match in found if match]


def check_alt_texts(notebook):
    texts = alt_texts(notebook)
    problems = [
        f"a figure has no words of its own, see plots.describe: {text!r}" for text in texts if texts.count(text) > 1
    ]
    return problems + [f"a figure's words are few: {text!r}" for text in texts if len(text) < SHORTEST_ALT_TEXT]


def check_words_for_colours(notebook):
    """What only a colour tells apart is lost on some readers: prose names lines by style, place or legend."""
    return [f"prose that depends on colour: {match.group()!r}" for match in COLOUR_WORD.finditer(prose(notebook))]


def check_headings(notebook):
    levels = [len(marks) for marks in re.findall(r"^(#+) ", prose(notebook), re.MULTILINE)]
    problems = [] if levels.count(1) == 1 and levels[0] == 1 else [f"not one title, first of all headings: {levels}"]
    jumps = [(a, b) for a, b in zip(levels, levels[1:], strict=False) if b > a + 1]
    return problems + [f"a heading of level {b} stands under one of level {a}" for a, b in jumps]


def check_link_texts(notebook):
    texts = LINK_TEXT.findall(prose(notebook))
    return [f"a link that does not say where to: {text!r}" for text in texts if text.lower() in EMPTY_LINK_TEXTS]


def check_table_headers(notebook):
    tables = [output.data["text/html"] for cell in code_cells(notebook) for output in cell.outputs if is_table(output)]
    return ["a table has no header" for table in tables if "<th" not in table]


def list_exercises(notebook):
    """(question cell, code cells after it) of each exercise: the cells between the last two headings of a notebook."""
    exercises_of, inside = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            inside = re.findall(r"^## .*$", cell.source, re.MULTILINE)[-1] == "## Exercises"
        elif inside and cell.cell_type == "markdown":
            exercises_of.append((cell, []))
        elif inside and exercises_of:
            exercises_of[-1][1].append(cell)
    return exercises_of


def check_exercises(notebook):
    """3 or 4, numbered, each with a cell to fill in or to start from; the first is short, the last alone is open."""
    questions = [question.source for question, _ in list_exercises(notebook)]
    problems = [] if len(questions) in (3, 4) else [f"there are {len(questions)} exercises, not 3 or 4"]
    for number, (question, cells) in enumerate(list_exercises(notebook), start=1):
        if not question.source.startswith(f"**Exercise {number}"):
            problems.append(f"exercise {number} begins otherwise: {question.source[:40]}")
        if not cells:
            problems.append(f"exercise {number} has no code cell")
        if ("(open)" in question.source) != (number == len(questions)):
            problems.append(f"exercise {number} of {len(questions)}: only the last one is open")
    if questions and "(three minutes)" not in questions[0]:
        problems.append("the first exercise does not say that it takes three minutes")
    return problems


def check_exercises_unfilled(notebook):
    """A closed exercise ends in a check, which finds nothing filled in; an open one has no check, and an output."""
    problems = []
    for question, cells in list_exercises(notebook):
        calls = [cell for cell in cells if CHECK_CALL.search(cell.source)]
        if "(open)" in question.source:
            good = not calls and any(cell.outputs for cell in cells)
        else:
            good = (
                len(calls) == 1 and CHECK_CALL.match(calls[0].source.splitlines()[-1]) and says(calls[0], "Not yet: ")
            )
        if not good:
            problems.append(f"not an unfilled exercise with its check, nor an open one: {question.source}")
    return problems


def check_solutions(notebook):
    """Each check stands last in a cell whose output, a right verdict, nbval compares."""
    calls = [cell for cell in code_cells(notebook) if CHECK_CALL.search(cell.source)]
    problems = [] if calls else ["no exercise is checked"]
    for cell in calls:
        if not CHECK_CALL.match(cell.source.splitlines()[-1]) or not says(cell, "Right: ") or IGNORE in tags(cell):
            problems.append(f"not a right solution whose verdict is compared: {cell.source}")
    return problems


def says(cell, verdict):
    return any(text.startswith(verdict) for text in output_texts(cell.outputs))


def list_checks(notebook):
    """The names of the checks that `notebook` calls, each as often as it does."""
    return [name for cell in code_cells(notebook) for name in CHECK_CALL.findall(cell.source)]


def find_misplaced_checks(names, notebooks, solutions):
    """A line for each of the checks `names` that is not called once in one notebook and once in its solutions.

    `notebooks` and `solutions` map a notebook's name to the checks that it calls.
    """
    problems = []
    for check in names:
        homes = [name for name, called in notebooks.items() for _ in range(called.count(check))]
        solved = [name for name, called in solutions.items() for _ in range(called.count(check))]
        if len(homes) != 1 or solved != homes:
            problems.append(
                f"{check} is called in {homes or 'no notebook'}, and in the solutions of {solved or 'none'}"
            )
    return problems


CHECKS = [
    find_stored_problems,
    check_format,
    check_order,
    check_widgets,
    check_opening,
    check_setup,
    check_gpu,
    check_predictions,
    check_parts,
    check_rhythm,
    check_lengths,
    check_figures,
    check_marked_cells,
    check_reasons,
    check_colours,
    check_alt_texts,
    check_words_for_colours,
    check_headings,
    check_link_texts,
    check_table_headers,
    check_exercises,
    check_exercises_unfilled,
]
# A notebook of solutions teaches nothing new: it needs no template, but is stored and compared like the others.
SOLUTION_CHECKS = [
    find_stored_problems,
    check_format,
    check_order,
    check_widgets,
    check_rhythm,
    check_marked_cells,
    check_reasons,
    check_colours,
    check_solutions,
]


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def stored_notebook(request):
    return nbformat.read(request.param, as_version=4)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_stored_notebook(stored_notebook, check):
    assert check(stored_notebook) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_badges_are_those_of_the_repository(path):
    title, repository = nbformat.read(path, as_version=4).cells[0].source, find_repository()
    assert (badges(repository, path.stem) in title) if repository else ("[![" not in title)


def test_solutions_have_the_same_setup():
    cells = [find_setup(nbformat.read(path, as_version=4)) for path in FOLDER.glob("solutions/*.ipynb")]
    assert {cell.source for cell in cells if cell is not None} <= {setup_source(find_repository())}


@pytest.mark.parametrize("check", SOLUTION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_stored_solutions(path, check):
    assert check(nbformat.read(path, as_version=4)) == []


def test_every_notebook_with_exercises_has_solutions():
    assert [path.stem for path in SOLUTIONS] == [path.stem for path in PATHS]


@pytest.mark.parametrize(
    "name", [name for name, _ in inspect.getmembers(exercises, inspect.isfunction) if name.startswith("check_")]
)
def test_every_check_is_called_in_its_notebook_and_solution(name):
    called = [
        {path.stem: list_checks(nbformat.read(path, as_version=4)) for path in paths} for paths in (PATHS, SOLUTIONS)
    ]
    assert find_misplaced_checks([name], *called) == []


def test_all_notebooks_exist():
    assert [name for name in NAMES if FOLDER / f"{name}.ipynb" not in PATHS] == []


def test_enough_outputs_are_compared():
    assert PATHS, "there is no notebook"
    assert compared_share([nbformat.read(path, as_version=4) for path in PATHS]) >= COMPARED_SHARE


def run_ruff(folder):
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(FOLDER / "ruff.toml"), "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_notebooks_pass_ruff():
    result = run_ruff(FOLDER)
    assert result.returncode == 0, result.stdout + result.stderr


# From here on: the checks themselves.


def printed(text):
    return new_output("stream", name="stdout", text=text)


def figure(words="Bar chart: Images per class [drawn faces, not FER2013]."):
    data = {"image/png": "AAAA", "text/plain": "<Figure size 640x480 with 1 Axes>"}
    return new_output("display_data", data, metadata={"image/png": {"alt": words}} if words else {})


def table(cell):
    return new_output("execute_result", {"text/html": f"<table><tr>{cell}</tr></table>", "text/plain": "2"})


def make_good_notebook():
    """A small notebook that every check accepts.

    Its cells: title, set-up, imports, prose, two code cells, what to remember (6), the exercises (7), three of them
    with two cells each (8 to 13), where to go next.
    """
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\nYou will be able to see."),
            new_code_cell(setup_source(find_repository()), execution_count=1),
            new_code_cell("import os\nfaces = load_faces()", execution_count=2, outputs=[printed("drawn faces")]),
            new_markdown_cell("Why"),
            new_code_cell("1 + 1", execution_count=3, outputs=[new_output("execute_result", {"text/plain": "2"})]),
            new_code_cell("plot(faces)", execution_count=4, outputs=[figure()]),
            *make_closing_cells(),
        ]
    )
    write_head(notebook, "01_title", find_repository(), {"CPU, 2 cores": 0.3})
    notebook.cells[4].metadata = nbformat.from_dict({"tags": [CHECK]})
    return notebook


def make_closing_cells():
    unfilled = [new_output("execute_result", {"text/plain": "Not yet: fill in"}, execution_count=5)]
    cells = [
        new_markdown_cell("\n".join(f"## {part}" for part in PARTS[:2]) + "\nPredict first. " * 3),
        new_markdown_cell(f"## {PARTS[2]}\n\nFill in."),
    ]
    for number, note in enumerate(("*(three minutes)*", "", "*(open)*"), start=1):
        cells.append(new_markdown_cell(f"**Exercise {number}** {note}"))
        source = "1 + 1" if number == 3 else f"answer = None\nexercises.check_{number}(answer)"
        cells.append(new_code_cell(source, execution_count=4 + number, outputs=copy.deepcopy(unfilled)))
    return [*cells, new_markdown_cell(f"## {PARTS[3]}")]


def make_good_solutions():
    """A small notebook of solutions that every check of those accepts."""
    right = [new_output("execute_result", {"text/plain": "Right: well done"}, execution_count=2)]
    return new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_code_cell("import os\nfaces = load_faces()", execution_count=1, outputs=[printed("drawn faces")]),
            new_markdown_cell("Why"),
            new_code_cell("exercises.check_1(1)", execution_count=2, outputs=right),
        ]
    )


def replace_prose(old, new):
    def spoil(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return spoil


def change_cell(number, **changes):
    return lambda notebook: notebook.cells[number].update(nbformat.from_dict(changes))


def tag_cell(number, **metadata):
    return lambda notebook: notebook.cells[number].metadata.update(nbformat.from_dict(metadata))


ERROR = new_output("error", ename="E", evalue="x", traceback=[])
FAULTS = [
    (find_stored_problems, change_cell(4, source=f"open('{OUTSIDE}')")),
    (find_stored_problems, change_cell(4, outputs=[printed(OUTSIDE)])),
    (find_stored_problems, change_cell(4, outputs=[new_output("stream", name="stderr", text="x")])),
    (find_stored_problems, change_cell(4, outputs=[ERROR])),
    (find_stored_problems, change_cell(2, source="x" * LARGEST_STORED_NOTEBOOK)),
    (check_format, change_cell(4, outputs=[{"output_type": "nonsense"}])),
    (check_order, change_cell(5, execution_count=7)),
    (check_order, change_cell(5, execution_count=None)),
    (check_widgets, lambda notebook: notebook.metadata.update(widgets={})),
    (check_opening, replace_prose("# Title", "Title")),
    (check_opening, replace_prose("You will be able to", "We")),
    (check_opening, replace_prose("minute", "while")),
    (check_opening, replace_prose("GPU", "")),
    (check_opening, replace_prose("on CPU", "on some CPU")),
    (check_opening, change_cell(4, source="1 + 1\n" * 40)),
    (check_setup, change_cell(1, source=setup_source("somebody/elsewhere"))),
    (check_setup, change_cell(1, outputs=[printed("x")])),
    (check_setup, lambda notebook: notebook.cells.pop(1)),
    (check_gpu, lambda notebook: notebook.metadata.update(nbformat.from_dict(GPU_METADATA))),
    (check_gpu, change_cell(5, source="run = train('lenet_like', faces)")),
    (check_setup, replace_prose("load_faces()", "0")),
    (check_setup, replace_prose("import os", "")),
    (check_predictions, lambda notebook: notebook.cells[6].update(source=notebook.cells[6].source[:-20])),
    *((check_parts, replace_prose(part, "")) for part in PARTS),
    (check_parts, replace_prose("## What to remember", "What to remember")),
    (check_rhythm, lambda notebook: notebook.cells.pop(3)),
    (check_lengths, change_cell(4, source="x\n" * (LONGEST_CELL + 1))),
    (check_lengths, lambda notebook: [cell.update(source="x\n" * 11) for cell in code_cells(notebook)]),
    (check_figures, change_cell(5, outputs=[])),
    (check_figures, change_cell(5, outputs=[figure(), figure()])),
    (check_marked_cells, change_cell(4, outputs=[])),
    (check_reasons, tag_cell(4, tags=[IGNORE])),
    (check_reasons, tag_cell(4, tags=[IGNORE], reason=" ")),
    (check_reasons, tag_cell(4, tags=["nbval-skip"])),
    (check_reasons, change_cell(4, source="# NBVAL_IGNORE_OUTPUT\n1")),
    (check_colours, change_cell(5, source="plot(faces, color='red')")),
    (check_colours, change_cell(5, source="plot(faces, palette=['red', 'blue'])")),
    (check_colours, change_cell(5, source="plot(faces, '#aa00FF')")),
    (check_alt_texts, change_cell(5, outputs=[figure(None)])),
    (check_alt_texts, change_cell(5, outputs=[figure("Bar chart.")])),
    (check_alt_texts, change_cell(4, outputs=[figure()])),
    (check_words_for_colours, replace_prose("Why", "Compare the blue line with the others.")),
    (check_words_for_colours, replace_prose("Why", "Compare dashed and solid for either colour.")),
    (check_words_for_colours, replace_prose("Why", "The coloured arrow is the shortcut.")),
    (check_headings, replace_prose("Why", "# Why")),
    (check_headings, replace_prose("Why", "### Why")),
    (check_headings, replace_prose("# Title", "Title")),
    (check_link_texts, replace_prose("Why", "Look [here](02.ipynb).")),
    (check_table_headers, change_cell(4, outputs=[table("<td>1</td>")])),
    (check_exercises, lambda notebook: notebook.cells.__delitem__(slice(8, 10))),
    (check_exercises, lambda notebook: notebook.cells.__setitem__(slice(10, 10), 2 * notebook.cells[10:12])),
    (check_exercises, replace_prose("Exercise 2", "Exercise 4")),
    (check_exercises, replace_prose("three", "five")),
    (check_exercises, replace_prose("*(open)*", "")),
    (check_exercises, change_cell(10, source="**Exercise 2** *(open)*")),
    (check_exercises, lambda notebook: notebook.cells.pop(9)),
    (check_exercises, replace_prose("## Exercises", "### Exercises")),
    (check_exercises_unfilled, change_cell(9, source="answer = None")),
    (check_exercises_unfilled, change_cell(9, source="exercises.check_1(1)\nprint('more')")),
    (check_exercises_unfilled, change_cell(9, outputs=[printed("Right: well done")])),
    (check_exercises_unfilled, change_cell(9, outputs=[])),
    (check_exercises_unfilled, change_cell(13, outputs=[])),
    (check_exercises_unfilled, change_cell(13, source="exercises.check_3(1)")),
    (check_solutions, change_cell(3, outputs=[printed("Not yet: fill in")])),
    (check_solutions, change_cell(3, source="1")),
    (check_solutions, change_cell(3, source="exercises.check_1(1)\n2")),
    (check_solutions, tag_cell(3, tags=[IGNORE], reason="training")),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_accepts_a_good_notebook(check):
    assert check(make_good_notebook()) == []


@pytest.mark.parametrize(
    ("check", "spoil"), FAULTS, ids=[f"{check.__name__}-{i}" for i, (check, _) in enumerate(FAULTS)]
)
def test_check_sees_a_fault(check, spoil):
    notebook = make_good_solutions() if check is check_solutions else make_good_notebook()
    spoil(notebook)
    assert check(notebook) != []


@pytest.mark.parametrize("check", SOLUTION_CHECKS, ids=lambda check: check.__name__)
def test_check_accepts_good_solutions(check):
    assert check(make_good_solutions()) == []


def test_every_check_is_tried():
    assert {check for check, _ in FAULTS} == {*CHECKS, *SOLUTION_CHECKS}


@pytest.mark.parametrize(
    ("notebooks", "solutions"),
    [
        ({"01_a": [], "02_b": []}, {"01_a": [], "02_b": []}),
        ({"01_a": ["check_x"], "02_b": []}, {"01_a": []}),
        ({"01_a": ["check_x"], "02_b": []}, {"02_b": ["check_x"]}),
        ({"01_a": ["check_x"], "02_b": ["check_x"]}, {"01_a": ["check_x"], "02_b": ["check_x"]}),
        ({"01_a": 2 * ["check_x"]}, {"01_a": 2 * ["check_x"]}),
    ],
)
def test_misplaced_checks_are_found(notebooks, solutions):
    assert len(find_misplaced_checks(["check_x"], notebooks, solutions)) == 1
    assert find_misplaced_checks(["check_x"], {"01_a": ["check_x"], "02_b": []}, {"01_a": ["check_x"]}) == []


def test_what_stands_near_a_fault_is_accepted():
    notebook = make_good_notebook()
    replace_prose("Why", "## Why\nA colour image has three channels, grey is [explained in 02](02.ipynb).")(notebook)
    change_cell(4, outputs=[table("<th>mean</th><td>1</td>")])(notebook)
    assert [problem for check in CHECKS for problem in check(notebook)] == []


def test_a_reason_and_a_colour_of_the_package_are_accepted():
    notebook = make_good_notebook()
    tag_cell(4, tags=[IGNORE], reason="training numbers differ between machines")(notebook)
    change_cell(5, source="plot(faces, color=MODEL_COLOURS['lenet_like'])")(notebook)
    assert check_reasons(notebook) == [] and check_colours(notebook) == []


def test_compared_share():
    notebook = make_good_notebook()
    assert compared_share([notebook]) == 1.0, "the figure is no text output"
    tag_cell(4, tags=[IGNORE])(notebook)
    assert compared_share([notebook]) == 0.8


def test_ruff_sees_a_fault_in_a_notebook(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("import os")]), tmp_path / "bad.ipynb")
    assert run_ruff(tmp_path).returncode == 1


def run_nbval(folder):
    command = [sys.executable, "-m", "pytest", "-c", str(PROJECT / "pyproject.toml"), "-p", "conftest", str(folder)]
    return subprocess.run([*command, "-p", "no:cacheprovider"], cwd=PROJECT, capture_output=True, text=True)


def test_nbval_compares_as_configured(tmp_path):
    outputs = [printed("drawn quick 0\n")]
    cells = [
        new_code_cell(
            "import os\nprint(*map(os.getenv, ['FER_DATA', 'FER_PROFILE', 'FER_PROGRESS']))", outputs=outputs
        ),
        new_code_cell("1 + 1;"),
        new_code_cell("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([0, 1]);", outputs=[figure()]),
    ]
    for number, cell in enumerate(cells, start=1):
        cell.execution_count = number
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    result = run_nbval(tmp_path)
    assert result.returncode == 0 and "3 passed" in result.stdout, result.stdout
    outputs[0].text = "drawn full 0\n"
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    result = run_nbval(tmp_path)
    assert result.returncode == 1 and "1 failed, 2 passed" in result.stdout, result.stdout
