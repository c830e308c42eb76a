"""Checks that a notebook keeps the template of a lesson: its parts and rhythm, its exercises, their solutions."""

import re
import statistics

from fer_course.lint_cells import (
    CHECK_CALL,
    IGNORE,
    code_cells,
    count_figures,
    describe_problem,
    list_headings,
    prose_cells,
    read_tags,
)
from fer_course.stored import output_texts

PARTS = ("What the report found, what we find", "What to remember", "Exercises", "Where to go next")
LONGEST_CELL, MEDIAN_CELL = 25, 10  # lines
PREDICTIONS = 3
FEWEST_EXERCISES, MOST_EXERCISES = 3, 4


def check_predictions(notebook, path):
    """Yields a line if the reader is seldom asked to predict."""
    count = sum(cell.source.count("Predict first") for _, cell in prose_cells(notebook))
    if count < PREDICTIONS:
        yield describe_problem(path, f"'Predict first' {count} times", f"at least {PREDICTIONS}", "ask before a figure")


def check_parts(notebook, path):
    """Yields the closing parts that are missing."""
    words = [words for _, _, words in list_headings(notebook)]
    for part in PARTS:
        if not any(part in heading for heading in words):
            yield describe_problem(path, "no such heading", repr(part), "write this part")


def check_rhythm(notebook, path):
    """Yields where a third code cell follows two others."""
    kinds = [cell.cell_type for cell in notebook.cells]
    for number in range(3, len(kinds) + 1):
        if kinds[number - 3 : number] == ["code"] * 3:
            yield describe_problem(path, "three code cells in a row", "at most two", "put prose between them", number)


def check_lengths(notebook, path):
    """Yields code cells that are too long, and a median that is."""
    lengths = {number: len(cell.source.splitlines()) for number, cell in code_cells(notebook)}
    for number, length in lengths.items():
        if length > LONGEST_CELL:
            yield describe_problem(path, f"{length} lines of code", f"at most {LONGEST_CELL}", "split the cell", number)
    if lengths and (middle := statistics.median(lengths.values())) > MEDIAN_CELL:
        yield describe_problem(
            path, f"{middle:g} lines in the median code cell", f"at most {MEDIAN_CELL}", "shorten the code"
        )


def check_figures(notebook, path):
    """Yields cells with more than one figure, and a notebook that has none."""
    counts = {number: count_figures(cell.outputs) for number, cell in code_cells(notebook)}
    for number, count in counts.items():
        if count > 1:
            yield describe_problem(
                path, f"{count} figures", "one idea, one figure", "split the cell or drop one", number
            )
    if not any(counts.values()):
        yield describe_problem(path, "no figure", "at least one", "show the lesson's effect")


# --- exercises and solutions ---


def list_exercises(notebook):
    """Returns [(number, question cell, code cells after it)] of the cells between the last two headings `##`."""
    exercises, inside = [], False
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown" and (headings := re.findall(r"^## .*$", cell.source, re.MULTILINE)):
            inside = headings[-1] == "## Exercises"
        elif inside and cell.cell_type == "markdown":
            exercises.append((number, cell, []))
        elif inside and exercises:
            exercises[-1][2].append(cell)
    return exercises


def check_exercises(notebook, path):
    """Yields what is wrong: 3 or 4, numbered, each with code to fill in or start from; first short, last alone open."""
    found = list_exercises(notebook)
    if not FEWEST_EXERCISES <= len(found) <= MOST_EXERCISES:
        expected = f"{FEWEST_EXERCISES} to {MOST_EXERCISES} between '## Exercises' and the next '##'"
        yield describe_problem(path, f"{len(found)} exercises", expected, "write or drop some")
    for count, (number, question, cells) in enumerate(found, start=1):
        if not question.source.startswith(f"**Exercise {count}"):
            yield describe_problem(
                path, repr(question.source[:40]), f"'**Exercise {count} ...'", "number the exercises", number
            )
        if not cells:
            yield describe_problem(
                path, "no code cell", "one to fill in or to start from", "put it below the question", number
            )
        if ("(open)" in question.source) != (count == len(found)):
            yield describe_problem(
                path, f"exercise {count} of {len(found)}", "'(open)' in the last one alone", "change it", number
            )
    if found and "(three minutes)" not in found[0][1].source:
        number, do = found[0][0], "begin with a short exercise"
        yield describe_problem(path, "no '(three minutes)' in the first exercise", "these words", do, number)


def check_exercises_unfilled(notebook, path):
    """Yields closed exercises without a check of an empty answer at the end, open ones with a check or no output."""
    for number, question, cells in list_exercises(notebook):
        calls = [cell for cell in cells if CHECK_CALL.search(cell.source)]
        if "(open)" in question.source:
            if calls or not any(cell.outputs for cell in cells):
                yield describe_problem(
                    path, "an open exercise with a check, or no output", "code that runs", "change it", number
                )
        elif not (len(calls) == 1 and _ends_in_check(calls[0]) and _shows_verdict(calls[0], "Not yet: ")):
            expected = "one cell that ends in exercises.check_...(answer) and shows 'Not yet: ...'"
            found = " and ".join(map(_describe_end, calls)) or "no check"
            yield describe_problem(path, found, expected, "leave the answer None and store it", number)


def check_solutions(notebook, path):
    """Yields cells with a check that do not end in it, do not show a right verdict, or are not compared."""
    calls = [(number, cell) for number, cell in code_cells(notebook) if CHECK_CALL.search(cell.source)]
    if not calls:
        yield describe_problem(
            path, "no check of an exercise", "one for each closed exercise", "call exercises.check_..."
        )
    for number, cell in calls:
        if not _ends_in_check(cell) or not _shows_verdict(cell, "Right: ") or IGNORE in read_tags(cell):
            expected = "the check last, the verdict 'Right: ...', compared"
            yield describe_problem(
                path, _describe_end(cell), expected, "correct the answer, move the check or drop the tag", number
            )


def _ends_in_check(cell):
    """Returns whether the last line of the cell calls a check of an exercise."""
    return bool(CHECK_CALL.match(cell.source.splitlines()[-1]))


def _shows_verdict(cell, verdict):
    """Returns whether an output of the cell begins with `verdict`."""
    return any(text.startswith(verdict) for text in output_texts(cell.outputs))


def _describe_end(cell):
    """Returns the last line of a cell, the first of its outputs and its tags, as a problem shows them."""
    output = next(iter(output_texts(cell.outputs)), "")[:40]
    return f"the last line {cell.source.splitlines()[-1]!r}, the output {output!r}, the tags {read_tags(cell)}"
