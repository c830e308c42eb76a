"""Checks notebook files without running them, each by itself and all together, and their code.

A check takes (notebook, path) and yields a line per problem: where it is, what was found, what was expected, what to
do. Those of one notebook are in `lint_stored.py`, `lint_lesson.py` and `lint_readers.py`. Cells are counted from 1,
prose and code alike. What the cells compute is nbval's to compare.
"""

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning

from fer_course.lint_cells import describe_problem
from fer_course.lint_course import (
    find_gaps,
    find_misplaced_checks,
    find_missing_solutions,
    find_uncompared,
    list_checks,
)
from fer_course.lint_lesson import (
    check_exercises,
    check_exercises_unfilled,
    check_figures,
    check_lengths,
    check_parts,
    check_predictions,
    check_rhythm,
    check_solutions,
)
from fer_course.lint_readers import (
    check_alt_texts,
    check_colours,
    check_headings,
    check_links,
    check_table_headers,
    check_words_for_colours,
)
from fer_course.lint_stored import (
    check_badges,
    check_format,
    check_gpu,
    check_marked_cells,
    check_opening,
    check_order,
    check_reasons,
    check_setup,
    check_solution_setup,
    check_stored,
    check_widgets,
)
from fer_course.stored import SOLUTIONS, find_notebooks
from fer_utils.environment import PROJECT

RUFF_SETTINGS = PROJECT / "notebooks" / "ruff.toml"
CHECKS = (
    check_stored,
    check_order,
    check_widgets,
    check_gpu,
    check_opening,
    check_badges,
    check_setup,
    check_predictions,
    check_parts,
    check_rhythm,
    check_lengths,
    check_figures,
    check_marked_cells,
    check_reasons,
    check_colours,
    check_words_for_colours,
    check_alt_texts,
    check_headings,
    check_links,
    check_table_headers,
    check_exercises,
    check_exercises_unfilled,
)
# A notebook of solutions teaches nothing new: it needs no template, but is stored and compared like the others.
SOLUTION_CHECKS = (
    check_stored,
    check_order,
    check_widgets,
    check_solution_setup,
    check_rhythm,
    check_marked_cells,
    check_reasons,
    check_colours,
    check_links,
    check_solutions,
)


def lint(paths):
    """Returns the problems of the notebooks at `paths`, a line each, those of their code as ruff sees it last."""
    paths = [Path(path).resolve() for path in paths]
    return [problem for path in paths for problem in find_problems(path)] + list(find_code_problems(paths))


def find_problems(path):
    """Returns the problems of the notebook at `path`, a line each; a file that is no sound notebook has only that."""
    path = Path(path).resolve()
    try:
        notebook = read_strictly(path)
    except Exception as error:  # nbformat raises many kinds, and for some files whatever its code meets
        what = next(iter(str(error).splitlines()), "") or type(error).__name__
        return [
            describe_problem(
                path, what, "a notebook of nbformat 4, a different id for each cell", "save it from JupyterLab"
            )
        ]
    checks = SOLUTION_CHECKS if path.parent.name == SOLUTIONS else CHECKS
    return list(check_format(notebook, path)) or [line for check in checks for line in check(notebook, path)]


def read_strictly(path):
    """Returns the notebook at `path`. What nbformat would repair in silence, such as missing ids, is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", MissingIDFieldWarning)
        warnings.simplefilter("error", DuplicateCellId)
        # With a dictionary to note it in, nbformat does not print what `check_format` says.
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4, capture_validation_error={})


def find_course_problems(folder):
    """Returns the problems of all notebooks and solutions in `folder` taken together, a line each.

    There are none as long as a file cannot be read: `find_problems` names that first.
    """
    try:
        lessons, solutions = (
            {path.stem: read_strictly(path) for path in sorted(part.glob("*.ipynb"))}
            for part in (folder, folder / SOLUTIONS)
        )
    except Exception:  # as in `find_problems`
        return []
    return [
        *find_gaps(lessons),
        *find_missing_solutions(lessons, solutions),
        *find_misplaced_checks(list_checks(), lessons, solutions),
        *find_uncompared(lessons),
    ]


def list_files(paths):
    """Returns the notebooks at `paths`, of a folder all in it and its solutions; `ValueError` if it has none."""
    return [file for path in paths for file in (find_notebooks(path, solutions=True) if path.is_dir() else [path])]


def find_code_problems(paths):
    """Yields what ruff finds in the code of the notebooks at `paths`, by the settings in notebooks/ruff.toml."""
    if importlib.util.find_spec("ruff") is None:
        yield "ruff: found no such package; expected it, to check the code; run `uv sync`"
        return
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(RUFF_SETTINGS)]
    command += ["--output-format", "json", *map(str, paths)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    if result.returncode not in (0, 1):
        yield f"ruff: found an error of its own; expected none; {result.stderr.strip()}"
        return
    for problem in json.loads(result.stdout):
        found = f"{problem['message']} (line {problem['location']['row']})"
        do = "correct it, or see `ruff rule`"
        yield describe_problem(
            Path(problem["filename"]), found, f"code that passes {problem['code']}", do, problem["cell"]
        )
