"""Prepares the course in Google Colab, where the set-up cell of every notebook calls `set_up`.

Only the standard library is imported with it: it runs before the course's packages are there.
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
# Measured with the recorded networks of seed 0 on PublicTest, saved as jpg that is as far from the original pixels.
ABOUT_JPG = """\
FER2013 from Kaggle (msambare/fer2013): all labels and counts are the original's, its pixels were saved as jpg. The
recorded networks answer 3 to 4 of 100 such faces otherwise, and are right on up to half a point fewer. Your numbers
may differ from the recorded ones by as much."""
NO_COPY = (
    f"There is no copy of FER2013 in {PROJECT.name}/data. Upload yours into that folder (Files, left): fer2013.csv, an "
    "archive or a folder of images, as it is. Then run this cell again."
)


def set_up(faces, profile):
    """Installs the course, changes into notebooks/, and chooses the faces and the profile of the notebook.

    `faces` is one of the form's three entries, `profile` "quick" or "full". Raises `FaceDataError` if FER2013 cannot be
    had from Kaggle, `FileNotFoundError` if there is no copy of one's own, `RuntimeError` if pip fails.
    """
    if Path.cwd() != PROJECT / "notebooks":
        install()
    os.environ["FER_PROFILE"] = profile
    choose_faces(faces)


def choose_faces(faces):
    """Sets ``FER_DATA`` to what an entry of the form names; FER2013 is downloaded once."""
    from fer_utils.data import fetch_fer2013, find_fer2013

    if faces == "drawn faces":
        os.environ["FER_DATA"] = "drawn"
    elif faces == "FER2013 from Kaggle":
        there = PROJECT / "data" / "msambare-fer2013"
        os.environ["FER_DATA"] = str(there if there.is_dir() else fetch_fer2013())
        print(ABOUT_JPG)
    else:
        os.environ.pop("FER_DATA", None)
        if find_fer2013(PROJECT / "data") is None:
            raise FileNotFoundError(NO_COPY)


def install():
    """Installs the course and those of its packages that are missing, changes into notebooks/, says what it did.

    What Colab brings stays in Colab's version: TensorFlow, Keras and numpy fit its GPU and each other. Raises
    `RuntimeError` with pip's own words if pip fails.
    """
    missing, pins = _sort_dependencies()
    _pip("--no-deps", "--editable", str(PROJECT))
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "kept.txt"
            kept.write_text("\n".join(pins), encoding="utf-8")
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
