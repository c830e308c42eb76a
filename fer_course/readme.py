"""Writes tables into the README and the pages in docs/, each between its two marks."""

from fer_utils.environment import PROJECT, atomic_path

README, RESULTS = PROJECT / "README.md", PROJECT / "docs" / "results.md"
INSTRUCTOR = PROJECT / "docs" / "instructor.md"
SUMMARY_MARKS = "<!-- summary: written by `fer-course results --readme` -->\n", "<!-- end of summary -->\n"
RECORDS_MARKS = "<!-- records: written by `fer-course results --readme` -->\n", "<!-- end of records -->\n"
RESULTS_MARKS = "<!-- results: written by `fer-course results --readme` -->\n", "<!-- end of results -->\n"


def write_readme(insert, found, path=None):
    """Rewrites the README, or the page at `path`, as `insert(text, found)`; raises `ValueError` if it lacks marks."""
    path = path or README
    text = insert(path.read_text(encoding="utf-8"), found)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def insert_summary(text, recorded):
    """Returns the README's `text` with the report's rows under both recipes between its marks."""
    from fer_utils.report import as_markdown, tabulate_summary

    return insert_between(text, SUMMARY_MARKS, as_markdown(tabulate_summary(recorded)))


def insert_results(text, recorded):
    """Returns the `text` of the results' page with the tables of `recorded` and of published records."""
    # Only here: it brings Keras, which nothing else in this module needs.
    from fer_utils.report import as_markdown, load_test_set, tabulate_records, tabulate_results

    table = tabulate_results(recorded).drop(columns="command", errors="ignore")
    text = insert_between(text, RESULTS_MARKS, as_markdown(table))
    return insert_between(text, RECORDS_MARKS, as_markdown(tabulate_records(recorded, load_test_set())))


def insert_between(text, marks, content):
    """Returns `text` with `content` instead of what is between the two `marks`, each a line that it holds once."""
    first, last = marks
    if text.count(first) != 1 or text.count(last) != 1:
        raise ValueError(f"the page must hold each of these lines once: {first.strip()} and {last.strip()}")
    before, rest = text.split(first)
    return f"{before}{first}\n{content}\n\n{last}{rest.split(last)[1]}"
