"""pyproject.toml, environment.yml and constraints.txt agree, and name no place to download from."""

import fnmatch
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from fer_utils.environment import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
# Put together here, so that this file does not hold the words it looks for.
PLACES = ["pypi" + ".org", "files.python" + "hosted", "index" + "-url", "conda.anaconda" + ".org", "find" + "-links"]


def direct_dependencies(pyproject):
    """Every `Requirement` that pyproject names: the package's own, the extras', the developers'."""
    named = list(pyproject["project"]["dependencies"])
    for group in [*pyproject["project"]["optional-dependencies"].values(), *pyproject["dependency-groups"].values()]:
        named += group
    return [Requirement(text) for text in named]


def read_pins(text):
    """{package: [versions]} of the lines of a constraints file; a package may have a version per Python."""
    pins = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (exact,) = requirement.specifier
            assert exact.operator == "==", line
            pins.setdefault(canonicalize_name(requirement.name), []).append(exact.version)
    return pins


def unpinned(dependencies, pins):
    """The dependencies without a pin, or with one outside their range."""
    bad = []
    for requirement in dependencies:
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            bad.append(str(requirement))
    return bad


def find_places(content):
    """The words of `PLACES` in the bytes `content`."""
    return [place for place in PLACES if place.encode() in content]


def list_files(*options):
    result = subprocess.run(["git", "ls-files", "-z", *options], cwd=PROJECT, capture_output=True, encoding="utf-8")
    if result.returncode:
        pytest.skip("this is no git checkout")
    return [name for name in result.stdout.split("\0") if name]


def test_every_direct_dependency_is_pinned_in_its_range():
    pins = read_pins((PROJECT / "constraints.txt").read_text(encoding="utf-8"))
    assert unpinned(direct_dependencies(PYPROJECT), pins) == []


def test_a_missing_and_a_wrong_pin_are_seen():
    dependencies = [Requirement("numpy>=2.1"), Requirement("Typer>=0.15"), Requirement("keras>=3.13")]
    assert unpinned(dependencies, read_pins("# note\nnumpy==2.0\ntyper==0.16 ; os_name == 'nt'")) == [
        "numpy>=2.1",
        "keras>=3.13",
    ]


def test_environment_yml_has_python_pip_and_the_package():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, rest = environment["dependencies"]
    name, _, version = python.partition("=")
    assert name == "python" and SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(f"{version}.0")
    assert pip == "pip" and rest == {"pip": ["-c constraints.txt", "-e ."]}


def test_environment_yml_says_what_each_package_is_for():
    lines = (PROJECT / "environment.yml").read_text(encoding="utf-8").splitlines()
    explained = [line.split()[1] for line in lines if line.startswith("      # ") and len(line.split()) > 2]
    assert explained == [Requirement(text).name for text in PYPROJECT["project"]["dependencies"]]


def test_every_package_is_installed():
    patterns = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = [path.parent.relative_to(PROJECT) for path in PROJECT.glob("fer_*/**/__init__.py")]
    names = {".".join(folder.parts) for folder in folders}
    assert {"fer_utils", "fer_course"} <= names
    assert [name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)] == []


def test_no_file_names_a_place_to_download_packages_from():
    found = {}
    for name in list_files("--cached", "--others", "--exclude-standard"):
        path = PROJECT / name
        if path.is_file() and (places := find_places(path.read_bytes())):
            found[name] = places
    assert found == {}


def test_a_place_is_seen():
    assert find_places(("--index" + "-url x").encode()) == ["index" + "-url"]
    assert find_places(b"pip install uv") == []


def test_no_lock_file_is_kept():
    assert list_files("--cached", "uv.lock") == []


def test_constraints_hold_no_address():
    assert "://" not in (PROJECT / "constraints.txt").read_text(encoding="utf-8")


def test_licence_and_citation():
    assert (PROJECT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    (report,) = citation["references"]
    assert citation["license"] == PYPROJECT["project"]["license"] and report["date-published"] == "2020-11-24"
    assert citation["version"] == PYPROJECT["project"]["version"]


def test_ci_runs_the_readmes_command():
    script = PROJECT / ".ci" / "run"
    assert script.stat().st_mode & 0o111 and script.read_text(encoding="utf-8").splitlines()[-1] == "uv run pytest"
    assert "uv run pytest" in (PROJECT / "README.md").read_text(encoding="utf-8")
