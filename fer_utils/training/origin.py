"""Says where numbers come from: the versions of the packages, and the commit of the code."""

import importlib
import platform
import subprocess

import numpy as np

from fer_utils.device import keras
from fer_utils.environment import PROJECT


def list_versions():
    """Returns {name: version} of Python and of the packages that decide about numbers."""
    backend = keras.backend.backend()
    packages = {"keras": keras, backend: importlib.import_module(backend), "numpy": np}
    return {"python": platform.python_version(), **{name: package.__version__ for name, package in packages.items()}}


def find_commit():
    """Returns the commit the code stands at, with `+` if files were changed since; "unknown" outside a clone."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
