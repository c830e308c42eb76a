"""The tables of the README and of the results' page: written between their marks, and current."""

import re

import pytest

from fer_course.readme import (
    README,
    RECORDS_MARKS,
    RESULTS,
    RESULTS_MARKS,
    insert_results,
    insert_summary,
    write_readme,
)
from fer_utils.environment import PROJECT
from fer_utils.report.recorded import load_recorded
from small_records import record_run


def test_results_are_written_between_the_marks(tmp_path):
    record_run(tmp_path)
    recorded = load_recorded(folder=tmp_path)
    readme = tmp_path / "README.md"
    first, last = RESULTS_MARKS
    both = "".join(RECORDS_MARKS)
    readme.write_text(f"before\n{first}old table\n{last}after\n{both}", encoding="utf-8")
    write_readme(insert_results, recorded, readme)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{first}\n| network |") and f"\n{last}after\n" in text
    assert "| LeNet-like | 51 % | 50.0 % (one seed) |" in text and "old table" not in text
    assert "| LeNet-like (ours) | 50.0 % (one seed) | PrivateTest | PublicTest | none |" in text
    assert text.endswith(RECORDS_MARKS[1])
    write_readme(insert_results, recorded, readme)
    assert readme.read_text(encoding="utf-8") == text


def test_a_readme_without_marks_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="must hold each of these lines once"):
        write_readme(insert_results, {}, tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("page", "insert"), [(README, insert_summary), (RESULTS, insert_results)])
def test_the_pages_are_current(page, insert):
    text = page.read_text(encoding="utf-8")
    assert insert(text, load_recorded()) == text, "run `fer-course results --readme`"


def test_the_first_screen_holds_no_table():
    lines = README.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines, start=1) if line.startswith("|"))
    assert 20 < first <= 60 and "uv run fer-course run" in "\n".join(lines[:first])


def test_dask_listens_to_this_machine_alone():
    """Dask has no authentication: whoever reaches its scheduler or its dashboard can run any code."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^uv run .* dask (.*)$", text, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["scheduler", "worker"]
    assert all("--host 127.0.0.1" in line and "--dashboard-address 127.0.0.1:" in line for line in lines)
