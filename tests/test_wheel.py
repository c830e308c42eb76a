"""A wheel holds all of both packages: it is built, installed in an empty environment, and every module is imported."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from fer_utils.environment import PROJECT

PACKAGES = "fer_utils", "fer_course"
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def list_modules():
    """The dotted names of all modules in the folders of both packages."""
    paths = [path.relative_to(PROJECT) for name in PACKAGES for path in sorted((PROJECT / name).rglob("*.py"))]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]


def use_bytecode_of_here(packages):
    """Copies what Python has compiled of the packages here to those at `packages`: to compile it takes ten seconds."""
    here = Path(sysconfig.get_path("purelib"))
    for cache in here.rglob("__pycache__"):
        there = packages / cache.relative_to(here)
        if there.parent.is_dir():
            shutil.copytree(cache, there, dirs_exist_ok=True)


@pytest.mark.slow
def test_a_wheel_brings_every_module_into_an_empty_environment(tmp_path):
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        pytest.skip("uv, which builds and installs the wheel, is not here")
    source, python = tmp_path / "source", tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin") / "python"
    for name in PACKAGES:
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)

    def run(*command):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(uv, "build", "--wheel", "--out-dir", tmp_path, source)
    run(uv, "venv", tmp_path / "empty", "--python", sys.executable)
    (wheel,) = tmp_path.glob("*.whl")
    run(uv, "pip", "install", "--python", python, "--constraint", PROJECT / "constraints.txt", wheel)
    use_bytecode_of_here(Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()))
    run(python, "-c", IMPORT_ALL, *list_modules())
