"""Says where numbers come from: the versions of the packages, and the commit of the code."""

import importlib
import os
import platform
import re
import subprocess
from pathlib import Path

import numpy as np

from fer_utils.device import count_cores, keras, kind
from fer_utils.environment import PROJECT


def list_versions():
    """Returns {name: version} of Python and of the packages that decide about numbers."""
    backend = keras.backend.backend()
    packages = {"keras": keras, backend: importlib.import_module(backend), "numpy": np}
    return {"python": platform.python_version(), **{name: package.__version__ for name, package in packages.items()}}


def describe_machine():
    """Returns {name: value} of what moves numbers in their last digits: processor, threads, the backend's build.

    With one thread instead of two, or without oneDNN, the same seed ends a little elsewhere.
    """
    asked = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    threads = int(asked) if asked.isdecimal() and int(asked) else count_cores()
    build = f"{keras.backend.backend()} on {kind()}"
    if keras.backend.backend() == "tensorflow":
        build += f", oneDNN {'off' if os.environ.get('TF_ENABLE_ONEDNN_OPTS') == '0' else 'on'}"
    return {"processor": _name_processor(), "threads": threads, "build": build}


def _name_processor():
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:  # not Linux
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def find_commit():
    """Returns the commit the code stands at, with `+` if files were changed since; "unknown" outside a clone."""
    if not (PROJECT / ".git").exists():  # else git would answer for a repository round it
        return "unknown"
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
            cwd=PROJECT,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
