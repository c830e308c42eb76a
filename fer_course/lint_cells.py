"""Reads what the checks of a notebook look at: its cells, tags, headings, figures; and puts a problem into a line."""

import re

from fer_course.stored import SOLUTIONS

IGNORE = "nbval-ignore-output"  # the tag of a cell whose output nbval does not compare
CHECK_CALL = re.compile(r"\bexercises\.(check_\w+)\(")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


def name_file(path):
    """Returns the name of a notebook as the lines have it: solutions/02_b.ipynb for a solution, 02_b.ipynb else."""
    return f"{SOLUTIONS}/{path.name}" if path.parent.name == SOLUTIONS else path.name


def describe_problem(path, found, expected, do, cell=None):
    """Returns the line of a problem; `cell` is the number of the cell, if it lies in one."""
    place = name_file(path) + (f", cell {cell}" if cell else "")
    return f"{place}: found {found}; expected {expected}; {do}"


def code_cells(notebook):
    """Returns [(number, cell)] of the code cells, numbered among all cells from 1."""
    return _cells(notebook, "code")


def prose_cells(notebook):
    """Returns [(number, cell)] of the markdown cells, numbered among all cells from 1."""
    return _cells(notebook, "markdown")


def _cells(notebook, kind):
    return [(number, cell) for number, cell in enumerate(notebook.cells, start=1) if cell.cell_type == kind]


def read_tags(cell):
    """Returns the tags of a cell, a list of words."""
    return cell.metadata.get("tags", [])


def list_headings(notebook):
    """Returns [(cell's number, level, words)] of all headings."""
    found = [(number, HEADING.findall(cell.source)) for number, cell in prose_cells(notebook)]
    return [(number, len(marks), words) for number, headings in found for marks, words in headings]


def count_figures(outputs):
    """Returns how many of a cell's `outputs` are pictures."""
    return sum("image/png" in output.get("data", {}) or "image/svg+xml" in output.get("data", {}) for output in outputs)
