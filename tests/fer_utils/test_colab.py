"""The set-up cell in a folder that looks like Colab's."""

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from PIL import Image

from fer_course import heads
from fer_utils.environment import PROJECT

pytestmark = pytest.mark.slow

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
# Notes what it is called with; fails where the test says so.
PIP = """
import json, os, sys
from pathlib import Path
call = sys.argv[1:]
if "--constraint" in call:
    place = call.index("--constraint") + 1
    call[place] = Path(call[place]).read_text().split()
with open(os.environ["PIP_CALLS"], "a") as file:
    file.write(json.dumps(call) + "\\n")
sys.exit(os.environ.get("PIP_ERROR"))
"""
# Runs the cell twice, as a learner may, with the packages named in MISSING not there; says where it ended.
RUN = """
import json, os, sys
from importlib import metadata
there = metadata.version
def version(name):
    if name in os.environ["MISSING"].split():
        raise metadata.PackageNotFoundError(name)
    return there(name)
metadata.version = version
import google.colab
for _ in range(2):
    exec(open(os.environ["CELL"]).read(), {})
import fer_utils
print(json.dumps([os.getcwd(), fer_utils.__file__]))
print(json.dumps([os.environ.get("FER_DATA"), os.environ["FER_PROFILE"]]))
"""
KERAS = "class backend:\n    backend = staticmethod(lambda: 'tensorflow')\n"
# Downloads what stands ready on this disk, once.
KAGGLEHUB = """
import os
def dataset_download(name):
    assert name == "msambare/fer2013"
    print("downloading")
    return os.environ["ON_KAGGLE"]
"""


@pytest.fixture
def colab(tmp_path):
    """A function that runs the set-up cell for an address in an empty folder, which is what Colab starts with.

    It returns (the finished process, pip's calls). `google.colab` and pip are stand-ins; the folder is `colab.content`.
    """
    content, stand_ins = tmp_path / "content", tmp_path / "stand_ins"
    stand_for = {"google": "", "google/colab": "", "pip": "", "keras": KERAS, "kagglehub": KAGGLEHUB}
    for package, source in stand_for.items():
        (stand_ins / package).mkdir(parents=True)
        (stand_ins / package / "__init__.py").write_text(source, encoding="utf-8")
    (stand_ins / "pip" / "__main__.py").write_text(PIP, encoding="utf-8")
    content.mkdir()

    def run(source, missing="", pip_error="", faces="drawn faces", profile="quick"):
        for name, old, new in (("FACES", "drawn faces", faces), ("PROFILE", "quick", profile)):
            assert source.count(f'{name} = "{old}"') == 1
            source = source.replace(f'{name} = "{old}"', f'{name} = "{new}"')
        (tmp_path / "cell.py").write_text(source, encoding="utf-8")
        calls = tmp_path / "calls"
        calls.write_text("", encoding="utf-8")
        on_kaggle = {"ON_KAGGLE": str(tmp_path / "on_kaggle")}
        stand_for = on_kaggle | {"PYTHONPATH": str(stand_ins), "CELL": str(tmp_path / "cell.py"), "MISSING": missing}
        settings = os.environ | stand_for | {"PIP_CALLS": str(calls)} | ({"PIP_ERROR": pip_error} if pip_error else {})
        # Isolated from the installed course: its packages are at hand, fer_utils is not.
        command = [sys.executable, "-c", HIDE + RUN]
        process = subprocess.run(command, cwd=content, env=settings, capture_output=True, encoding="utf-8")
        return process, [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()]

    run.content = content
    return run


# The course is installed where the tests run, but not in a new Colab.
HIDE = f"""
import sys
sys.path = [path for path in sys.path if path != {str(PROJECT)!r}]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
"""


def copy_course(folder):
    """A small copy of the course in `folder`: what the set-up needs, one notebook, and no more."""
    shutil.copytree(PROJECT / "fer_utils", folder / "fer_utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "01_a.ipynb").touch()


@pytest.fixture
def repository(tmp_path):
    """The course as a git repository on this disk."""
    folder = tmp_path / "faces"
    copy_course(folder)
    identity = ["-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--no-verify", "-m", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def cell_for(repository):
    """The set-up cell that clones the folder `repository` in place of an address on GitHub."""
    source = heads.setup_source("ada/faces")
    assert source.count("https://github.com/ada/faces") == 1
    return source.replace("https://github.com/ada/faces", repository.as_uri())


def test_outside_colab_the_cell_does_nothing(tmp_path):
    # Where JAX is installed, TensorFlow would import it too, which takes a learner's time.
    check = "import sys; assert 'jax' not in sys.modules"
    cells = "\n".join([heads.setup_source(""), heads.setup_source("ada/faces"), check])
    result = subprocess.run([sys.executable, "-c", cells], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "") and not any(tmp_path.iterdir())


def test_the_repository_is_cloned_and_what_is_missing_installed(colab, repository):
    process, calls = colab(cell_for(repository), missing="anywidget jupyterlab")
    assert process.returncode == 0, process.stderr
    clone = colab.content.resolve() / "faces"
    said, ended, chosen = process.stdout.splitlines()
    assert json.loads(chosen) == ["drawn", "quick"]
    anywidget = next(text for text in PYPROJECT["project"]["dependencies"] if text.startswith("anywidget"))
    assert said == f"the course is in faces; packages installed: {anywidget}; all others are Colab's own"
    assert json.loads(ended) == [str(clone / "notebooks"), str(clone / "fer_utils" / "__init__.py")]
    (*_, no_dependencies, editable, course), (*_, constraint, pins, wanted) = calls
    assert (no_dependencies, editable, course) == ("--no-deps", "--editable", str(clone))
    assert constraint == "--constraint" and wanted == anywidget
    kept = {pin.partition("==")[0] for pin in pins if "==" in pin}
    assert {"tensorflow", "keras", "numpy"} <= kept and not {"anywidget", "jupyterlab"} & kept


def test_with_nothing_missing_no_package_is_installed(colab, repository):
    process, calls = colab(cell_for(repository), missing="jupyterlab")
    assert "packages installed: nothing; all others" in process.stdout, process.stderr
    assert len(calls) == 1 and "--no-deps" in calls[0]


def test_a_new_kernel_takes_the_clone_that_is_there(colab, repository):
    for _ in range(2):
        process, _ = colab(cell_for(repository))
        assert process.returncode == 0, process.stderr


def test_pips_words_are_shown(colab, repository):
    process, _ = colab(cell_for(repository), missing="seaborn", pip_error="no such package")
    assert process.returncode == 1 and "RuntimeError: pip could not install" in process.stderr
    assert "no such package" in process.stderr


def test_an_address_that_is_not_there_is_named(colab, tmp_path):
    process, calls = colab(cell_for(tmp_path / "nowhere"))
    assert process.returncode == 1 and "nowhere" in process.stderr.splitlines()[-1] and calls == []


def test_an_uploaded_folder_is_found(colab):
    copy_course(colab.content / "my_copy")
    process, _ = colab(heads.setup_source(""))
    assert process.stdout.startswith("the course is in my_copy;"), process.stderr


def test_an_uploaded_zip_is_unpacked(colab, tmp_path):
    copy_course(tmp_path / "upload" / "faces-main")
    shutil.make_archive(str(colab.content / "faces-main (1)"), "zip", tmp_path / "upload")
    process, _ = colab(heads.setup_source(""))
    assert process.stdout.startswith("the course is in faces-main;"), process.stderr


def test_without_address_and_upload_the_cell_says_what_to_do(colab):
    process, calls = colab(heads.setup_source(""))
    assert process.returncode == 1 and calls == []
    assert process.stderr.splitlines()[-1].startswith("FileNotFoundError: Upload the course as a zip file")


@pytest.fixture
def uploaded(colab):
    """The course in Colab's folder, as somebody has uploaded it."""
    copy_course(colab.content / "my_copy")
    return colab.content / "my_copy"


def write_class_folders(folder):
    for split in ("train", "test"):
        (folder / split / "happy").mkdir(parents=True)
        Image.new("L", (48, 48), 7).save(folder / split / "happy" / "1.jpg")


def test_fer2013_is_fetched_once_and_it_is_said_what_its_jpg_mean(colab, uploaded, tmp_path):
    write_class_folders(tmp_path / "on_kaggle")
    process, _ = colab(heads.setup_source(""), faces="FER2013 from Kaggle", profile="full")
    *said, _, chosen = process.stdout.splitlines()
    assert process.returncode == 0 and said.count("downloading") == 1, process.stderr
    assert "saved as jpg" in process.stdout
    assert json.loads(chosen) == [str(uploaded.resolve() / "data" / "msambare-fer2013"), "full"]


def test_a_download_that_fails_ends_with_what_to_do_by_hand(colab, uploaded):
    process, _ = colab(heads.setup_source(""), faces="FER2013 from Kaggle")
    assert process.returncode == 1
    assert "FaceDataError: kagglehub could not download FER2013" in process.stderr.splitlines()[-1]


def test_a_copy_of_ones_own_is_looked_for_in_data(colab, uploaded):
    process, _ = colab(heads.setup_source(""), faces="my own copy")
    last = process.stderr.splitlines()[-1]
    assert last.startswith("FileNotFoundError: There is no copy of FER2013 in my_copy/data. Upload yours"), last
    (uploaded / "data").mkdir(exist_ok=True)
    (uploaded / "data" / "fer2013.csv").write_text("emotion,pixels,Usage\n", encoding="utf-8")
    process, _ = colab(heads.setup_source(""), faces="my own copy")
    assert json.loads(process.stdout.splitlines()[-1]) == [None, "quick"], process.stderr


def test_the_cell_is_a_form_of_five_lines_in_colab():
    """Of a form Colab shows the title and a line per field."""
    for source in (heads.setup_source(""), heads.setup_source("ada/faces")):
        lines = source.splitlines()
        assert lines[0].startswith("# @title ") and lines[0].endswith('{display-mode: "form"}')
        fields = [json.loads(line.partition("# @param ")[2]) for line in lines if "# @param" in line]
        assert [len(choices) for choices in fields] == [3, 2]
