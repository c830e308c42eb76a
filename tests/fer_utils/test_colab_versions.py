"""The first notebooks on Colab's versions of Python and of the packages."""

import glob
import json
import os
import shutil
import subprocess
import sys
import tomllib
import warnings

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from fer_utils.environment import PROJECT

pytestmark = pytest.mark.slow

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHON = "3.13"
VERSIONS = {"tensorflow": "2.20", "keras": "3.13", "numpy": "2.1", "pandas": "2.2", "matplotlib": "3.10"}
IPYTHON = {"ipython": "7.34"}


def find_uv():
    """The command uv: that which runs the tests, or one on the path."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv or subprocess.run([uv, "--version"], capture_output=True).returncode:
        pytest.skip("uv is not here, and the environment with Colab's versions is made by it")
    return uv


def find_python(uv):
    """An interpreter of Colab's Python that uv or pyenv knows, or the running one with a warning."""
    known = subprocess.run([uv, "python", "find", "--no-project", PYTHON], capture_output=True, encoding="utf-8")
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = [known.stdout.strip()] if known.returncode == 0 else glob.glob(f"{pyenv}/versions/{PYTHON}.*/bin/python")
    if not found:
        warnings.warn(f"Python {PYTHON}, Colab's, is not here: its packages are tried with {sys.version}", stacklevel=2)
    return found[-1] if found else sys.executable


@pytest.fixture(scope="module")
def colab_python(tmp_path_factory):
    """The Python of an environment with Colab's versions in build/colab; made once, and checked by uv each time."""
    uv, elsewhere, folder = find_uv(), tmp_path_factory.mktemp("elsewhere"), PROJECT / "build" / "colab"
    wanted = [f"{name}=={version}.*" for name, version in (VERSIONS | IPYTHON).items()]
    install = [
        "pip",
        "install",
        "--quiet",
        "--python",
        folder,
        "--exclude-newer",
        PYPROJECT["tool"]["uv"]["exclude-newer"],
    ]
    create = ["venv", "--quiet", "--allow-existing", "--python", find_python(uv), folder]
    # From another folder: the project's own rule asks for a newer TensorFlow.
    for command in (create, [*install, *wanted, "--editable", PROJECT]):
        result = subprocess.run([uv, *command], cwd=elsewhere, capture_output=True, encoding="utf-8")
        if result.returncode:
            pytest.skip(f"the environment with Colab's versions cannot be had here: {result.stderr.strip()[-600:]}")
    return next(path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists())


def test_colabs_versions_are_in_the_packages_ranges():
    ranges = {Requirement(text).name: Requirement(text).specifier for text in PYPROJECT["project"]["dependencies"]}
    assert [name for name, version in VERSIONS.items() if not ranges[name].contains(f"{version}.0")] == []
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(f"{PYTHON}.0")


# Trains a little, then runs notebooks, which find the trainings of the notebooks' own test; their own fits are short.
RUN = """
import json, shutil, sys
from importlib import metadata
from pathlib import Path
from fer_course import cli
from fer_utils.data import load_faces
from fer_utils.training import Recipe, train
from fer_utils.training.experiments import RECIPES
print(json.dumps({name: metadata.version(name) for name in sys.argv[2:]}))
cli.BUILD = Path(sys.argv[1])
cli.NOTEBOOKS = Path(shutil.copytree(cli.NOTEBOOKS, cli.BUILD / "notebooks"))
for name, epochs in (("02_baseline_overfitting", "recipe.epochs"), ("03_data_augmentation", "6")):
    path = cli.NOTEBOOKS / f"{name}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert text.count(f"epochs={epochs},") == 1
    path.write_text(text.replace(f"epochs={epochs},", "epochs=2,"), encoding="utf-8")
RECIPES["quick"] = Recipe(width=0.1, epochs=2, batch_size=32, learning_rate=1e-3, train_images=200)
print(json.dumps(train("lenet_like_augmented", load_faces(), store=cli.BUILD / "runs").history))
cli.app(["run", "--only", "01", "--only", "02", "--only", "03"])
"""


def test_notebooks_run_with_colabs_versions(colab_python, tmp_path):
    command = [colab_python, "-c", RUN, tmp_path / "build", *VERSIONS]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    versions, history = (json.loads(line) for line in result.stdout.splitlines() if line.startswith("{"))
    assert all(versions[name].startswith(f"{version}.") for name, version in VERSIONS.items()), versions
    assert all(np.isfinite(values).all() for values in history.values()) and len(history["val_accuracy"]) == 2
    assert len(list((tmp_path / "build" / "html").glob("0*.html"))) == 3
