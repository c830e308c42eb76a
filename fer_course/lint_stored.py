"""Checks what is stored in a notebook: its outputs, metadata and head, and what nbval is to compare."""

import itertools

import nbformat

from fer_course.heads import (
    SETUP_METADATA,
    badges,
    find_repository,
    find_setup,
    read_minutes,
    setup_source,
    time_line,
    trains,
)
from fer_course.lint_cells import IGNORE, code_cells, describe_problem, name_file, read_tags
from fer_course.stored import GPU_METADATA, find_stored_problems

CHECK = "nbval-check-output"
OTHER_WAYS_OUT = {"nbval-skip", "raises-exception"}


def check_format(notebook, path):
    """Yields what nbformat's own schema finds."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield describe_problem(
            path, str(error).splitlines()[0], "a valid notebook", "run `fer-course store`, or repair the file"
        )


def check_stored(notebook, path):
    """Yields what `fer-course store` would not store: absolute paths, errors, warnings, more than 1 MB."""
    for line in find_stored_problems(notebook):
        yield f"{name_file(path)}, {line}"


def check_order(notebook, path):
    """Yields a line if the cells were not run once each, from top to bottom."""
    counts = [cell.execution_count for _, cell in code_cells(notebook) if cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield describe_problem(
            path, f"execution counts {counts}", f"1 to {len(counts)} in order", "run `fer-course store`"
        )


def check_widgets(notebook, path):
    """Yields a line if the notebook holds widgets, which GitHub cannot show."""
    if "widgets" in notebook.metadata:
        yield describe_problem(path, "the state of widgets", "none: GitHub cannot show them", "run `fer-course store`")


def check_gpu(notebook, path):
    """Yields a line unless the notebook asks Colab for a GPU just when it trains."""
    found = {key: value for key, value in notebook.metadata.items() if key in GPU_METADATA}
    expected = GPU_METADATA if trains(notebook) else {}
    if found != expected:
        yield describe_problem(
            path, f"{found} for Colab's GPU", f"{expected}, by its calls of train", "run `fer-course store`"
        )


# --- the head ---


def check_opening(notebook, path):
    """Yields what is missing before the first code cell: title, question, aims, the time that the command writes."""
    before = list(itertools.takewhile(lambda cell: cell.cell_type != "code", notebook.cells))
    text = "\n".join(cell.source for cell in before)
    wanted = {
        "a title '# ...' in the first cell": (text.startswith("# "), "write one"),
        "'**The question.** ...'": ("**The question.**" in text, "write it"),
        "'You will be able to'": ("You will be able to" in text, "write three or four verbs that can be tested"),
        "the computed line '**Time.** ...'": (
            time_line(notebook, read_minutes(text)) in text.split("\n\n"),
            "run `fer-course store`, which writes it",
        ),
    }
    for part, (there, do) in wanted.items():
        if not there:
            yield describe_problem(path, f"no such part before the first code cell: {part}", "it there", do)


def check_badges(notebook, path):
    """Yields a line unless the title cell has the repository's badges, or none while there is no address."""
    title, repository = notebook.cells[0].source if notebook.cells else "", find_repository()
    if not (badges(repository, path.stem) in title if repository else "[![" not in title):
        expected = f"those of {repository}" if repository else "none, as pyproject.toml names no repository"
        yield describe_problem(
            path, "other badges in the title cell", expected, "run `fer-course badges OWNER/NAME`", 1
        )


def check_setup(notebook, path):
    """Yields what is wrong with the first two code cells: the common set-up cell, then imports and faces."""
    cells = [*code_cells(notebook)[:2], (None, None), (None, None)]
    (number, setup), (following, imports) = cells[:2]
    if setup is None or (setup.source, setup.metadata) != (setup_source(find_repository()), SETUP_METADATA):
        do = "run `fer-course badges OWNER/NAME`, or copy the cell from another notebook"
        yield describe_problem(path, "another first code cell", "the common set-up cell", do, number)
    elif setup.outputs:
        yield describe_problem(
            path, "an output of the set-up cell", "none outside Colab", "run `fer-course store`", number
        )
    if imports is None or "import" not in imports.source or "load_faces(" not in imports.source:
        expected = "both in the second code cell"
        yield describe_problem(path, "no imports, or no call of load_faces", expected, "put them there", following)


def check_solution_setup(notebook, path):
    """Yields a line if a solution has a set-up cell other than the common one."""
    setup = find_setup(notebook)
    if setup is not None and setup.source != setup_source(find_repository()):
        do = "run `fer-course badges OWNER/NAME`, or copy the cell from a notebook"
        yield describe_problem(path, "another set-up cell", "the common one", do, code_cells(notebook)[0][0])


# --- what nbval compares ---


def check_marked_cells(notebook, path):
    """Yields cells whose output is to be compared although none is stored."""
    for number, cell in code_cells(notebook):
        if CHECK in read_tags(cell) and not cell.outputs:
            yield describe_problem(
                path, f"the tag {CHECK} and no output", "an output", "store one, or drop the tag", number
            )


def check_reasons(notebook, path):
    """Yields cells that are not compared without saying why, or by another way than the one tag."""
    for number, cell in code_cells(notebook):
        tags = set(read_tags(cell))
        if IGNORE in tags and not str(cell.metadata.get("reason", "")).strip():
            do = "say why the output differs between machines"
            yield describe_problem(path, f"the tag {IGNORE} without a reason", "the metadata 'reason'", do, number)
        if others := sorted(tags & OTHER_WAYS_OUT) + ["NBVAL_..."] * ("NBVAL" in cell.source):
            do = "take the other way out of the comparison away"
            yield describe_problem(path, ", ".join(others), f"only the tag {IGNORE}, with a reason", do, number)
