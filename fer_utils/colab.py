"""Prepares the course in Google Colab, where the set-up cell of every notebook calls `set_up`.

Standard library only: this runs before the course's packages are there.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
# Colab opens the notebooks itself; JupyterLab would bring packages that the running kernel has in another version.
NOT_NEEDED = ("jupyterlab",)


def set_up():
    """Installs the course and those of its packages that are missing, changes into notebooks/, says what it did.

    What Colab brings stays in Colab's version: TensorFlow, Keras and numpy fit its GPU and each other. Raises
    `RuntimeError` with pip's own words if pip fails.
    """
    missing, pins = _sort_dependencies()
    _pip("--no-deps", "--editable", str(PROJECT))
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "kept.txt"
            kept.write_text("\n".join(pins))
            _pip("--constraint", str(kept), *missing)
    importlib.invalidate_caches()
    os.chdir(PROJECT / "notebooks")
    installed = ", ".join(missing) or "nothing"
    print(f"the course is in {PROJECT.name}; packages installed: {installed}; all others are Colab's own")


def _sort_dependencies():
    """Returns (requirements that are missing, exact pins of those that are there in whatever version)."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    missing, pins = [], []
    for requirement in project["dependencies"]:
        name = re.match(r"[\w.-]+", requirement).group()
        try:
            pins.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing += [requirement] if name not in NOT_NEEDED else []
    return missing, pins


def _pip(*arguments):
    command = [sys.executable, "-m", "pip", "install", "--quiet", *arguments]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if result.returncode:
        raise RuntimeError(f"pip could not install {arguments[-1]}; it says:\n{result.stdout}{result.stderr}")
