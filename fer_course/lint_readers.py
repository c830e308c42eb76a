"""Checks that every reader can follow a notebook: colours, alternative texts, headings, links, tables."""

import itertools
import re

from fer_course.lint_cells import code_cells, count_figures, describe_problem, list_headings, prose_cells

SHORTEST_ALT_TEXT = 40  # characters
HARD_CODED_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|\b(?:c|colou?rs?|facecolor|edgecolor|palette)\s*=\s*[\[(]?\s*['\"]")
# Black, white, grey, dark and bright are what the faces are made of.
COLOUR_WORD = re.compile(
    r"\b(?:red|blue|green|orange|yellow|purple|violet|pink|brown|cyan|magenta|coloured|"
    r"(?:each|either|one|same|other|whose|which) colours?)\b",
    re.IGNORECASE,
)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)")
EMPTY_LINK_TEXTS = {"", "here", "this", "link", "click here", "more"}
ADDRESS = re.compile(r"\w+:|#")  # a web address, or a place on the same page


def check_colours(notebook, path):
    """Yields code that names a colour: the package's own stay apart for colour-blind eyes."""
    for number, cell in code_cells(notebook):
        if match := HARD_CODED_COLOUR.search(cell.source):
            line = cell.source[match.start() :].splitlines()[0][:40]
            expected, do = "one of the package's", "take it from fer_utils.plots"
            yield describe_problem(path, f"a colour of the cell's own: {line}", expected, do, number)


def check_words_for_colours(notebook, path):
    """Yields prose that tells things apart by colour alone, which is lost on some readers."""
    for number, cell in prose_cells(notebook):
        for match in COLOUR_WORD.finditer(cell.source):
            expected = "words that do not depend on colour"
            yield describe_problem(
                path, repr(match.group()), expected, "name the line's style, place or legend", number
            )


def check_alt_texts(notebook, path):
    """Yields figures without an alternative text of their own, or with a short one."""
    found = _list_alt_texts(notebook)
    texts = [text for _, text in found]
    for number, text in found:
        if len(text) < SHORTEST_ALT_TEXT:
            expected = f"at least {SHORTEST_ALT_TEXT} characters that say what it shows"
            yield describe_problem(
                path, f"a figure's alternative text {text!r}", expected, "describe the figure", number
            )
        elif texts.count(text) > 1:
            do = "describe what this figure alone shows"
            yield describe_problem(path, f"two figures with the alternative text {text!r}", "one for each", do, number)


def check_headings(notebook, path):
    """Yields a second title, a title that is not the first heading, and levels that were left out."""
    headings = list_headings(notebook)
    levels = [level for _, level, _ in headings]
    if levels.count(1) != 1 or levels[0] != 1:
        yield describe_problem(
            path, f"headings of levels {levels}", "one of level 1, the first", "make the others '##'"
        )
    for (_, above, _), (number, level, words) in itertools.pairwise(headings):
        if level > above + 1:
            do = f"write it with {above + 1} '#'"
            yield describe_problem(
                path, f"{words!r} of level {level} under level {above}", f"level {above + 1}", do, number
            )


def check_links(notebook, path):
    """Yields links whose words do not say where they lead, and links to files that are not there."""
    for number, cell in prose_cells(notebook):
        for words, target in LINK.findall(cell.source):
            if words.lower() in EMPTY_LINK_TEXTS:
                do = "name what is behind the link"
                yield describe_problem(path, f"a link with the words {words!r}", "words that say where to", do, number)
            if not ADDRESS.match(target) and not (path.parent / target.partition("#")[0]).exists():
                yield describe_problem(
                    path, f"a link to {target!r}", "a file that is there", "correct the link", number
                )


def check_table_headers(notebook, path):
    """Yields tables without a header, which a screen reader cannot read out."""
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            if "<table" in html and "<th" not in html:
                yield describe_problem(path, "a table without a header", "one (<th>)", "name its columns", number)


def _list_alt_texts(notebook):
    """Returns [(cell's number, alternative text)] of each figure, the text empty where there is none."""
    figures = [(n, output) for n, cell in code_cells(notebook) for output in cell.outputs if count_figures([output])]
    return [(n, output.get("metadata", {}).get("image/png", {}).get("alt", "")) for n, output in figures]
