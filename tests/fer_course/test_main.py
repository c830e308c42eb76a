"""The command as a process: what a user or the system can do ends in one line, never in a traceback."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from fer_utils.environment import PROJECT

COMMAND = [sys.executable, "-c", "from fer_course.cli import main; main()"]


def run_command(*arguments, **environment):
    settings = {**os.environ, **environment}
    return subprocess.run([*COMMAND, *arguments], env=settings, cwd=PROJECT, capture_output=True, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["nonsense", "torch"])
def test_a_backend_that_is_not_there_is_named(backend):
    done = run_command("train", "lenet_like", KERAS_BACKEND=backend)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith(f"error: Keras does not start with the backend {backend!r}")


@pytest.mark.slow
def test_a_backend_on_which_the_course_does_not_run_is_named():
    done = run_command("train", "lenet_like", KERAS_BACKEND="numpy")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "the course runs on tensorflow and jax; found KERAS_BACKEND 'numpy'" in done.stderr


@pytest.mark.slow
def test_a_training_that_is_told_to_end_says_what_is_kept(tmp_path):
    settings = {**os.environ, "FER_RUNS": str(tmp_path), "FER_PROGRESS": "1"}
    arguments = ["train", "lenet_like", "--data", "drawn", "--profile", "quick"]
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=settings, cwd=PROJECT, stderr=subprocess.PIPE, encoding="utf-8"
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("*.unfinished.npz")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in said
    assert "stopped; all finished epochs are kept; the same command goes on there" in said
    assert list(tmp_path.rglob("*.unfinished.npz"))


@pytest.mark.slow
def test_a_run_of_notebooks_that_is_told_to_end_takes_its_kernel_along():
    settings = {**os.environ, "FER_PROGRESS": "1"}
    arguments = ["run", "--only", "02"]
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=settings, cwd=PROJECT, stderr=subprocess.PIPE, encoding="utf-8"
    )
    said = ""
    while "cell 2 of" not in said and (more := process.stderr.read(1)):
        said += more
    kernels = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    _, last = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in last
    assert "stopped; the pages that are finished are kept" in last
    assert kernels and psutil.wait_procs(kernels, timeout=20)[1] == []
