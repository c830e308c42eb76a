"""The house: imports point down only, without circles; the contracts stand in pyproject.toml (import-linter)."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import nbformat
import pytest

from fer_utils.environment import PROJECT

LINTER = Path(sysconfig.get_path("scripts")) / "lint-imports"
MOST_ROOMS = 11


def lint_imports(folder):
    """(exit status, text) of import-linter on the packages in `folder`."""
    done = subprocess.run([LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def test_arrows_point_down_without_circles():
    status, text = lint_imports(PROJECT)
    assert status == 0, text


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("fer_utils/data/votes.py", "from fer_utils import models"),
        ("fer_utils/models/cost.py", "from fer_course import lint"),
        ("fer_utils/data/fer2013.py", "from fer_utils.data import formats"),
    ],
    ids=["upward", "into the command", "in a circle"],
)
def test_an_arrow_that_points_elsewhere_is_found(tmp_path, module, line):
    for name in ("fer_utils", "fer_course"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    path = tmp_path / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    status, text = lint_imports(tmp_path)
    assert status != 0 and "BROKEN" in text


def test_no_notebook_imports_the_command():
    for path in (PROJECT / "notebooks").rglob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert not any("fer_course" in cell.source for cell in cells if cell.cell_type == "code"), path.name


def test_the_package_has_few_rooms():
    rooms = [path for path in (PROJECT / "fer_utils").iterdir() if path.name[0] not in "._"]
    assert len([path for path in rooms if path.is_dir() or path.suffix == ".py"]) <= MOST_ROOMS


def test_a_room_names_what_others_may_use_and_nothing_else():
    for path in (PROJECT / "fer_utils").glob("*/__init__.py"):
        names = {}
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)
        offered = {name for name in names if not name.startswith("__")}
        assert offered == set(names["__all__"]), path.parent.name
