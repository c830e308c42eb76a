"""The stored notebooks as files: order, outputs, size, template, rhythm.

A check takes a notebook and returns a list of problems in words; each is tried on a notebook that breaks it. What the
cells compute is nbval's to compare.
"""

import copy
import re
import statistics
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_utils.environment import PROJECT
from fer_utils.notebook_runner import LARGEST_STORED_NOTEBOOK, find_stored_problems

FOLDER = PROJECT / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [
    "01_data_exploration",
    "02_baseline_overfitting",
    "03_data_augmentation",
    "04_depth_comparison",
    "05_shortcut_connections",
    "06_activation_visualization",
    "07_report_reproduction",
    "08_training_fast",
    "11_your_own_photo",
]
PARTS = ["What the report found, what we find", "What to remember", "Exercises", "Where to go next"]
OUTSIDE = "/".join(("", "folder", "of", "somebody"))  # put together: no file of the course holds an absolute path
LONGEST_CELL, MEDIAN_CELL = 25, 10
COMPARED_SHARE = 0.6
IGNORE, CHECK = "nbval-ignore-output", "nbval-check-output"
HARD_CODED_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|\b(?:c|colou?rs?|facecolor|edgecolor|palette)\s*=\s*[\[(]?\s*['\"]")


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


def count_figures(outputs):
    return sum("image/png" in output.get("data", {}) or "image/svg+xml" in output.get("data", {}) for output in outputs)


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
        "minutes on CPU and GPU": all(word in text for word in ("minute", "CPU", "GPU")),
    }
    return [f"before the first code there is no {part}" for part, there in wanted.items() if not there]


def check_setup(notebook):
    first = code_cells(notebook)[:2]
    if "import" in first[0].source and any("load_faces(" in cell.source for cell in first):
        return []
    return ["the first cells do not import and load the faces"]


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


CHECKS = [
    find_stored_problems,
    check_format,
    check_order,
    check_widgets,
    check_opening,
    check_setup,
    check_predictions,
    check_parts,
    check_rhythm,
    check_lengths,
    check_figures,
    check_marked_cells,
    check_reasons,
    check_colours,
]


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def stored_notebook(request):
    return nbformat.read(request.param, as_version=4)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_stored_notebook(stored_notebook, check):
    assert check(stored_notebook) == []


def test_all_notebooks_exist():
    assert [name for name in NAMES if FOLDER / f"{name}.ipynb" not in PATHS] == []


def test_enough_outputs_are_compared():
    assert PATHS, "there is no notebook"
    assert compared_share([nbformat.read(path, as_version=4) for path in PATHS]) >= COMPARED_SHARE


def run_ruff(folder):
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(PROJECT / "pyproject.toml"), "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_notebooks_pass_ruff():
    result = run_ruff(FOLDER)
    assert result.returncode == 0, result.stdout + result.stderr


# From here on: the checks themselves.


def printed(text):
    return new_output("stream", name="stdout", text=text)


def figure():
    return new_output("display_data", {"image/png": "AAAA", "text/plain": "<Figure size 640x480 with 1 Axes>"})


def make_good_notebook():
    """A small notebook that every check accepts. Its cells: title, set-up, prose, two code cells, the closing parts."""
    closing = "\n".join(f"## {part}" for part in PARTS) + "\nPredict first. " * 3
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Title\nYou will be able to see. 1 minute on a CPU, as on a GPU."),
            new_code_cell("import os\nfaces = load_faces()", execution_count=1, outputs=[printed("drawn faces")]),
            new_markdown_cell("Why"),
            new_code_cell("1 + 1", execution_count=2, outputs=[new_output("execute_result", {"text/plain": "2"})]),
            new_code_cell("plot(faces)", execution_count=3, outputs=[figure()]),
            new_markdown_cell(closing),
        ]
    )
    notebook.cells[3].metadata = nbformat.from_dict({"tags": [CHECK]})
    return notebook


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
    (find_stored_problems, change_cell(3, source=f"open('{OUTSIDE}')")),
    (find_stored_problems, change_cell(3, outputs=[printed(OUTSIDE)])),
    (find_stored_problems, change_cell(3, outputs=[new_output("stream", name="stderr", text="x")])),
    (find_stored_problems, change_cell(3, outputs=[ERROR])),
    (find_stored_problems, change_cell(2, source="x" * LARGEST_STORED_NOTEBOOK)),
    (check_format, change_cell(3, outputs=[{"output_type": "nonsense"}])),
    (check_order, change_cell(4, execution_count=7)),
    (check_order, change_cell(4, execution_count=None)),
    (check_widgets, lambda notebook: notebook.metadata.update(widgets={})),
    (check_opening, replace_prose("# Title", "Title")),
    (check_opening, replace_prose("You will be able to", "We")),
    (check_opening, replace_prose("minute", "while")),
    (check_opening, replace_prose("GPU", "")),
    (check_setup, replace_prose("load_faces()", "0")),
    (check_setup, replace_prose("import os", "")),
    (check_predictions, lambda notebook: notebook.cells[-1].update(source=notebook.cells[-1].source[:-20])),
    *((check_parts, replace_prose(part, "")) for part in PARTS),
    (check_parts, replace_prose("## What to remember", "What to remember")),
    (check_rhythm, lambda notebook: notebook.cells.pop(2)),
    (check_lengths, change_cell(3, source="x\n" * (LONGEST_CELL + 1))),
    (check_lengths, lambda notebook: [cell.update(source="x\n" * 11) for cell in code_cells(notebook)]),
    (check_figures, change_cell(4, outputs=[])),
    (check_figures, change_cell(4, outputs=[figure(), figure()])),
    (check_marked_cells, change_cell(3, outputs=[])),
    (check_reasons, tag_cell(3, tags=[IGNORE])),
    (check_reasons, tag_cell(3, tags=[IGNORE], reason=" ")),
    (check_reasons, tag_cell(3, tags=["nbval-skip"])),
    (check_reasons, change_cell(3, source="# NBVAL_IGNORE_OUTPUT\n1")),
    (check_colours, change_cell(4, source="plot(faces, color='red')")),
    (check_colours, change_cell(4, source="plot(faces, palette=['red', 'blue'])")),
    (check_colours, change_cell(4, source="plot(faces, '#aa00FF')")),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_accepts_a_good_notebook(check):
    assert check(make_good_notebook()) == []


@pytest.mark.parametrize(
    ("check", "spoil"), FAULTS, ids=[f"{check.__name__}-{i}" for i, (check, _) in enumerate(FAULTS)]
)
def test_check_sees_a_fault(check, spoil):
    notebook = copy.deepcopy(make_good_notebook())
    spoil(notebook)
    assert check(notebook) != []


def test_every_check_is_tried():
    assert {check for check, _ in FAULTS} == set(CHECKS)


def test_a_reason_and_a_colour_of_the_package_are_accepted():
    notebook = make_good_notebook()
    tag_cell(3, tags=[IGNORE], reason="training numbers differ between machines")(notebook)
    change_cell(4, source="plot(faces, color=MODEL_COLOURS['lenet_like'])")(notebook)
    assert check_reasons(notebook) == [] and check_colours(notebook) == []


def test_compared_share():
    notebook = make_good_notebook()
    assert compared_share([notebook]) == 1.0, "the figure is no text output"
    tag_cell(3, tags=[IGNORE])(notebook)
    assert compared_share([notebook]) == 0.5


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
