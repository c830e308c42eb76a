"""Checks all notebooks together: numbers, solutions, the calls of the exercises' checks, what is compared."""

import ast
import importlib.util
from pathlib import Path

from fer_course.lint_cells import (
    CHECK_CALL,
    IGNORE,
    code_cells,
    count_figures,
    read_tags,
)
from fer_course.stored import SOLUTIONS

COMPARED_SHARE = 0.6


def find_gaps(lessons):
    """Yields a line unless the names in `lessons` begin with 01, 02, ... without a gap."""
    numbers = [name.partition("_")[0] for name in lessons]
    expected = [f"{number:02}" for number in range(1, len(numbers) + 1)]
    if not numbers or numbers != expected:
        yield f"notebooks: found the numbers {numbers}; expected {expected or 'some'}; rename or restore the files"


def find_missing_solutions(lessons, solutions):
    """Yields the names that are in only one of `lessons` and `solutions`."""
    for name in sorted(set(lessons) ^ set(solutions)):
        there, missing = (SOLUTIONS, "notebooks") if name in solutions else ("notebooks", SOLUTIONS)
        yield f"{name}.ipynb: found it in {there} alone; expected it in both; write it for {missing}, or delete it"


def list_checks():
    """Returns the names of the checks that fer_utils.exercises defines, read from its source, which is quicker."""
    spec = importlib.util.find_spec("fer_utils.exercises")
    folders = spec.submodule_search_locations
    files = [path for folder in folders for path in Path(folder).glob("*.py")] if folders else [Path(spec.origin)]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(files)]
    return [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef) and _is_check(node)]


def _is_check(node):
    """Returns whether a function of the exercises' source is one that notebooks call: named and decorated so."""
    return node.name.startswith("check_") and any(isinstance(decorator, ast.Call) for decorator in node.decorator_list)


def find_misplaced_checks(names, lessons, solutions):
    """Yields the checks `names` that are not called once in one of `lessons` and once in the solution of that name."""
    for check in names:
        homes, solved = (_where_called(check, notebooks) for notebooks in (lessons, solutions))
        if len(homes) != 1 or solved != homes:
            yield (
                f"exercises.{check}: found calls in the notebooks {homes} and in the solutions {solved}; "
                "expected one in one notebook and one in its solution; add or drop a call"
            )


def _where_called(check, notebooks):
    """Returns the names of the `notebooks` that call this check, each as often as it does."""
    calls = {
        name: [call for _, cell in code_cells(notebook) for call in CHECK_CALL.findall(cell.source)]
        for name, notebook in notebooks.items()
    }
    return [name for name, called in calls.items() for _ in range(called.count(check))]


def compared_share(notebooks):
    """Returns, of the cells with text output in all `notebooks`, the share that nbval compares; 0 if there are none."""
    cells = [cell for notebook in notebooks for _, cell in code_cells(notebook) if _has_text_output(cell)]
    return sum(IGNORE not in read_tags(cell) for cell in cells) / len(cells) if cells else 0.0


def find_uncompared(lessons):
    """Yields a line if too few outputs of all `lessons` are compared."""
    if (share := compared_share(lessons.values())) < COMPARED_SHARE:
        yield (
            f"notebooks: found {share:.0%} of the cells with text output compared; expected {COMPARED_SHARE:.0%}; "
            f"drop the tag {IGNORE} where the output is the same on every machine"
        )


def _has_text_output(cell):
    """Returns whether the cell printed, or shows a value that is not a figure."""
    return any(
        output.output_type == "stream" or ("text/plain" in output.get("data", {}) and not count_figures([output]))
        for output in cell.outputs
    )
