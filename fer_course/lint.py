"""Checks notebook files without running them: what is stored, the template of a lesson, prose, exercises, solutions.

A check takes (notebook, path) and yields a line per problem: where it is, what was found, what was expected, what to
do. Cells are counted from 1, prose and code alike. What the cells compute is nbval's to compare.
"""

import ast
import importlib.util
import itertools
import json
import re
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning

from fer_course.heads import badges, find_repository, find_setup, read_minutes, setup_source, time_line, trains
from fer_course.notebooks import GPU_METADATA, SOLUTIONS, find_notebooks, find_stored_problems, output_texts
from fer_utils.environment import PROJECT

RUFF_SETTINGS = PROJECT / "notebooks" / "ruff.toml"
PARTS = ("What the report found, what we find", "What to remember", "Exercises", "Where to go next")
LONGEST_CELL, MEDIAN_CELL = 25, 10  # lines
PREDICTIONS = 3
FEWEST_EXERCISES, MOST_EXERCISES = 3, 4
COMPARED_SHARE = 0.6
SHORTEST_ALT_TEXT = 40  # characters
IGNORE, CHECK = "nbval-ignore-output", "nbval-check-output"
OTHER_WAYS_OUT = {"nbval-skip", "raises-exception"}
CHECK_CALL = re.compile(r"\bexercises\.(check_\w+)\(")
HARD_CODED_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|\b(?:c|colou?rs?|facecolor|edgecolor|palette)\s*=\s*[\[(]?\s*['\"]")
# Black, white, grey, dark and bright are what the faces are made of.
COLOUR_WORD = re.compile(
    r"\b(?:red|blue|green|orange|yellow|purple|violet|pink|brown|cyan|magenta|coloured|"
    r"(?:each|either|one|same|other|whose|which) colours?)\b",
    re.IGNORECASE,
)
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)")
EMPTY_LINK_TEXTS = {"", "here", "this", "link", "click here", "more"}
ADDRESS = re.compile(r"\w+:|#")  # a web address, or a place on the same page


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
        return [_say(path, what, "a notebook of nbformat 4, a different id for each cell", "save it from JupyterLab")]
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


# --- the lines ---


def name_file(path):
    """Returns the name of a notebook as the lines have it: solutions/02_b.ipynb for a solution, 02_b.ipynb else."""
    return f"{SOLUTIONS}/{path.name}" if path.parent.name == SOLUTIONS else path.name


def _say(path, found, expected, do, cell=None):
    place = name_file(path) + (f", cell {cell}" if cell else "")
    return f"{place}: found {found}; expected {expected}; {do}"


# --- what a check looks at ---


def code_cells(notebook):
    """Returns [(number, cell)] of the code cells, numbered among all cells from 1."""
    return _cells(notebook, "code")


def prose_cells(notebook):
    """Returns [(number, cell)] of the markdown cells, numbered among all cells from 1."""
    return _cells(notebook, "markdown")


def _cells(notebook, kind):
    return [(number, cell) for number, cell in enumerate(notebook.cells, start=1) if cell.cell_type == kind]


def _tags(cell):
    return cell.metadata.get("tags", [])


def _headings(notebook):
    """[(cell's number, level, words)] of all headings."""
    found = [(number, HEADING.findall(cell.source)) for number, cell in prose_cells(notebook)]
    return [(number, len(marks), words) for number, headings in found for marks, words in headings]


def count_figures(outputs):
    """Returns how many of a cell's `outputs` are pictures."""
    return sum("image/png" in output.get("data", {}) or "image/svg+xml" in output.get("data", {}) for output in outputs)


def _alt_texts(notebook):
    """[(cell's number, alternative text)] of each figure, the text empty where there is none."""
    figures = [(n, output) for n, cell in code_cells(notebook) for output in cell.outputs if count_figures([output])]
    return [(n, output.get("metadata", {}).get("image/png", {}).get("alt", "")) for n, output in figures]


def _has_text_output(cell):
    """Whether the cell printed, or shows a value that is not a figure."""
    return any(
        output.output_type == "stream" or ("text/plain" in output.get("data", {}) and not count_figures([output]))
        for output in cell.outputs
    )


def _begins(cell, verdict):
    return any(text.startswith(verdict) for text in output_texts(cell.outputs))


def _show_end(cell):
    """The last line of a cell, the first of its outputs and its tags, as a problem shows them."""
    output = next(iter(output_texts(cell.outputs)), "")[:40]
    return f"the last line {cell.source.splitlines()[-1]!r}, the output {output!r}, the tags {_tags(cell)}"


def _ends_in_check(cell):
    return bool(CHECK_CALL.match(cell.source.splitlines()[-1]))


# --- what is stored ---


def check_format(notebook, path):
    """Yields what nbformat's own schema finds."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield _say(path, str(error).splitlines()[0], "a valid notebook", "run `fer-course store`, or repair the file")


def check_stored(notebook, path):
    """Yields what `fer-course store` would not store: absolute paths, errors, stderr output, more than 1 MB."""
    for line in find_stored_problems(notebook):
        yield f"{name_file(path)}, {line}"


def check_order(notebook, path):
    """Yields a line if the cells were not run once each, from top to bottom."""
    counts = [cell.execution_count for _, cell in code_cells(notebook) if cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield _say(path, f"execution counts {counts}", f"1 to {len(counts)} in order", "run `fer-course store`")


def check_widgets(notebook, path):
    """Yields a line if the notebook holds widgets, which GitHub cannot show."""
    if "widgets" in notebook.metadata:
        yield _say(path, "the state of widgets", "none: GitHub cannot show them", "run `fer-course store`")


def check_gpu(notebook, path):
    """Yields a line unless the notebook asks Colab for a GPU just when it trains."""
    found = {key: value for key, value in notebook.metadata.items() if key in GPU_METADATA}
    expected = GPU_METADATA if trains(notebook) else {}
    if found != expected:
        yield _say(path, f"{found} for Colab's GPU", f"{expected}, by its calls of train", "run `fer-course store`")


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
            yield _say(path, f"no such part before the first code cell: {part}", "it there", do)


def check_badges(notebook, path):
    """Yields a line unless the title cell has the repository's badges, or none while there is no address."""
    title, repository = notebook.cells[0].source if notebook.cells else "", find_repository()
    if not (badges(repository, path.stem) in title if repository else "[![" not in title):
        expected = f"those of {repository}" if repository else "none, as pyproject.toml names no repository"
        yield _say(path, "other badges in the title cell", expected, "run `fer-course badges OWNER/NAME`", 1)


def check_setup(notebook, path):
    """Yields what is wrong with the first two code cells: the common set-up cell, then imports and faces."""
    cells = [*code_cells(notebook)[:2], (None, None), (None, None)]
    (number, setup), (following, imports) = cells[:2]
    if setup is None or setup.source != setup_source(find_repository()):
        do = "run `fer-course badges OWNER/NAME`, or copy the cell from another notebook"
        yield _say(path, "another first code cell", "the common set-up cell", do, number)
    elif setup.outputs:
        yield _say(path, "an output of the set-up cell", "none outside Colab", "run `fer-course store`", number)
    if imports is None or "import" not in imports.source or "load_faces(" not in imports.source:
        expected = "both in the second code cell"
        yield _say(path, "no imports, or no call of load_faces", expected, "put them there", following)


def check_solution_setup(notebook, path):
    """Yields a line if a solution has a set-up cell other than the common one."""
    setup = find_setup(notebook)
    if setup is not None and setup.source != setup_source(find_repository()):
        do = "run `fer-course badges OWNER/NAME`, or copy the cell from a notebook"
        yield _say(path, "another set-up cell", "the common one", do, code_cells(notebook)[0][0])


# --- template and rhythm ---


def check_predictions(notebook, path):
    """Yields a line if the reader is seldom asked to predict."""
    count = sum(cell.source.count("Predict first") for _, cell in prose_cells(notebook))
    if count < PREDICTIONS:
        yield _say(path, f"'Predict first' {count} times", f"at least {PREDICTIONS}", "ask before a figure")


def check_parts(notebook, path):
    """Yields the closing parts that are missing."""
    words = [words for _, _, words in _headings(notebook)]
    for part in PARTS:
        if not any(part in heading for heading in words):
            yield _say(path, "no such heading", repr(part), "write this part")


def check_rhythm(notebook, path):
    """Yields where a third code cell follows two others."""
    kinds = [cell.cell_type for cell in notebook.cells]
    for number in range(3, len(kinds) + 1):
        if kinds[number - 3 : number] == ["code"] * 3:
            yield _say(path, "three code cells in a row", "at most two", "put prose between them", number)


def check_lengths(notebook, path):
    """Yields code cells that are too long, and a median that is."""
    lengths = {number: len(cell.source.splitlines()) for number, cell in code_cells(notebook)}
    for number, length in lengths.items():
        if length > LONGEST_CELL:
            yield _say(path, f"{length} lines of code", f"at most {LONGEST_CELL}", "split the cell", number)
    if lengths and (middle := statistics.median(lengths.values())) > MEDIAN_CELL:
        yield _say(path, f"{middle:g} lines in the median code cell", f"at most {MEDIAN_CELL}", "shorten the code")


def check_figures(notebook, path):
    """Yields cells with more than one figure, and a notebook that has none."""
    counts = {number: count_figures(cell.outputs) for number, cell in code_cells(notebook)}
    for number, count in counts.items():
        if count > 1:
            yield _say(path, f"{count} figures", "one idea, one figure", "split the cell or drop one", number)
    if not any(counts.values()):
        yield _say(path, "no figure", "at least one", "show the lesson's effect")


# --- what nbval compares ---


def check_marked_cells(notebook, path):
    """Yields cells whose output is to be compared although none is stored."""
    for number, cell in code_cells(notebook):
        if CHECK in _tags(cell) and not cell.outputs:
            yield _say(path, f"the tag {CHECK} and no output", "an output", "store one, or drop the tag", number)


def check_reasons(notebook, path):
    """Yields cells that are not compared without saying why, or by another way than the one tag."""
    for number, cell in code_cells(notebook):
        tags = set(_tags(cell))
        if IGNORE in tags and not str(cell.metadata.get("reason", "")).strip():
            do = "say why the output differs between machines"
            yield _say(path, f"the tag {IGNORE} without a reason", "the metadata 'reason'", do, number)
        if others := sorted(tags & OTHER_WAYS_OUT) + ["NBVAL_..."] * ("NBVAL" in cell.source):
            do = "take the other way out of the comparison away"
            yield _say(path, ", ".join(others), f"only the tag {IGNORE}, with a reason", do, number)


# --- for every reader ---


def check_colours(notebook, path):
    """Yields code that names a colour: the package's own stay apart for colour-blind eyes."""
    for number, cell in code_cells(notebook):
        if match := HARD_CODED_COLOUR.search(cell.source):
            line = cell.source[match.start() :].splitlines()[0][:40]
            expected, do = "one of the package's", "take it from fer_utils.plots"
            yield _say(path, f"a colour of the cell's own: {line}", expected, do, number)


def check_words_for_colours(notebook, path):
    """Yields prose that tells things apart by colour alone, which is lost on some readers."""
    for number, cell in prose_cells(notebook):
        for match in COLOUR_WORD.finditer(cell.source):
            expected = "words that do not depend on colour"
            yield _say(path, repr(match.group()), expected, "name the line's style, place or legend", number)


def check_alt_texts(notebook, path):
    """Yields figures without an alternative text of their own, or with a short one."""
    found = _alt_texts(notebook)
    texts = [text for _, text in found]
    for number, text in found:
        if len(text) < SHORTEST_ALT_TEXT:
            expected = f"at least {SHORTEST_ALT_TEXT} characters that say what it shows"
            yield _say(path, f"a figure's alternative text {text!r}", expected, "describe the figure", number)
        elif texts.count(text) > 1:
            do = "describe what this figure alone shows"
            yield _say(path, f"two figures with the alternative text {text!r}", "one for each", do, number)


def check_headings(notebook, path):
    """Yields a second title, a title that is not the first heading, and levels that were left out."""
    headings = _headings(notebook)
    levels = [level for _, level, _ in headings]
    if levels.count(1) != 1 or levels[0] != 1:
        yield _say(path, f"headings of levels {levels}", "one of level 1, the first", "make the others '##'")
    for (_, above, _), (number, level, words) in itertools.pairwise(headings):
        if level > above + 1:
            do = f"write it with {above + 1} '#'"
            yield _say(path, f"{words!r} of level {level} under level {above}", f"level {above + 1}", do, number)


def check_links(notebook, path):
    """Yields links whose words do not say where they lead, and links to files that are not there."""
    for number, cell in prose_cells(notebook):
        for words, target in LINK.findall(cell.source):
            if words.lower() in EMPTY_LINK_TEXTS:
                do = "name what is behind the link"
                yield _say(path, f"a link with the words {words!r}", "words that say where to", do, number)
            if not ADDRESS.match(target) and not (path.parent / target.partition("#")[0]).exists():
                yield _say(path, f"a link to {target!r}", "a file that is there", "correct the link", number)


def check_table_headers(notebook, path):
    """Yields tables without a header, which a screen reader cannot read out."""
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            if "<table" in html and "<th" not in html:
                yield _say(path, "a table without a header", "one (<th>)", "name its columns", number)


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
        yield _say(path, f"{len(found)} exercises", expected, "write or drop some")
    for count, (number, question, cells) in enumerate(found, start=1):
        if not question.source.startswith(f"**Exercise {count}"):
            yield _say(path, repr(question.source[:40]), f"'**Exercise {count} ...'", "number the exercises", number)
        if not cells:
            yield _say(path, "no code cell", "one to fill in or to start from", "put it below the question", number)
        if ("(open)" in question.source) != (count == len(found)):
            yield _say(path, f"exercise {count} of {len(found)}", "'(open)' in the last one alone", "change it", number)
    if found and "(three minutes)" not in found[0][1].source:
        number, do = found[0][0], "begin with a short exercise"
        yield _say(path, "no '(three minutes)' in the first exercise", "these words", do, number)


def check_exercises_unfilled(notebook, path):
    """Yields closed exercises without a check of an empty answer at the end, open ones with a check or no output."""
    for number, question, cells in list_exercises(notebook):
        calls = [cell for cell in cells if CHECK_CALL.search(cell.source)]
        if "(open)" in question.source:
            if calls or not any(cell.outputs for cell in cells):
                yield _say(path, "an open exercise with a check, or no output", "code that runs", "change it", number)
        elif not (len(calls) == 1 and _ends_in_check(calls[0]) and _begins(calls[0], "Not yet: ")):
            expected = "one cell that ends in exercises.check_...(answer) and shows 'Not yet: ...'"
            found = " and ".join(map(_show_end, calls)) or "no check"
            yield _say(path, found, expected, "leave the answer None and store it", number)


def check_solutions(notebook, path):
    """Yields cells with a check that do not end in it, do not show a right verdict, or are not compared."""
    calls = [(number, cell) for number, cell in code_cells(notebook) if CHECK_CALL.search(cell.source)]
    if not calls:
        yield _say(path, "no check of an exercise", "one for each closed exercise", "call exercises.check_...")
    for number, cell in calls:
        if not _ends_in_check(cell) or not _begins(cell, "Right: ") or IGNORE in _tags(cell):
            expected = "the check last, the verdict 'Right: ...', compared"
            yield _say(path, _show_end(cell), expected, "correct the answer, move the check or drop the tag", number)


# --- all notebooks together, and their code ---


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
    """Whether a function of the exercises' source is one that notebooks call: named so, and decorated with a check."""
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
    """The names of the `notebooks` that call this check, each as often as it does."""
    calls = {
        name: [call for _, cell in code_cells(notebook) for call in CHECK_CALL.findall(cell.source)]
        for name, notebook in notebooks.items()
    }
    return [name for name, called in calls.items() for _ in range(called.count(check))]


def compared_share(notebooks):
    """Returns, of the cells with text output in all `notebooks`, the share that nbval compares; 0 if there are none."""
    cells = [cell for notebook in notebooks for _, cell in code_cells(notebook) if _has_text_output(cell)]
    return sum(IGNORE not in _tags(cell) for cell in cells) / len(cells) if cells else 0.0


def find_uncompared(lessons):
    """Yields a line if too few outputs of all `lessons` are compared."""
    if (share := compared_share(lessons.values())) < COMPARED_SHARE:
        yield (
            f"notebooks: found {share:.0%} of the cells with text output compared; expected {COMPARED_SHARE:.0%}; "
            f"drop the tag {IGNORE} where the output is the same on every machine"
        )


def find_code_problems(paths):
    """Yields what ruff finds in the code of the notebooks at `paths`, by the settings in notebooks/ruff.toml."""
    if importlib.util.find_spec("ruff") is None:
        yield "ruff: found no such package; expected it, to check the code; run `uv sync`"
        return
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(RUFF_SETTINGS)]
    command += ["--output-format", "json", *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        yield f"ruff: found an error of its own; expected none; {result.stderr.strip()}"
        return
    for problem in json.loads(result.stdout):
        found = f"{problem['message']} (line {problem['location']['row']})"
        do = "correct it, or see `ruff rule`"
        yield _say(Path(problem["filename"]), found, f"code that passes {problem['code']}", do, problem["cell"])


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
