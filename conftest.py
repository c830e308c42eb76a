"""Settings for every test and every notebook's kernel: those with which notebooks are stored, not the user's own."""

import os
import tempfile
from pathlib import Path

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

# Deleted when the tests end. Shared, so that notebook 03 finds the training of notebook 02 as it does when stored.
SCRATCH = tempfile.TemporaryDirectory(prefix="fer_tests_", ignore_cleanup_errors=True)

SLOW_FIXTURES = {"real_fer2013", "executed", "stored", "built", "outside", "cluster", "colab"}

os.environ.update(
    FER_DATA="drawn",
    FER_PROFILE="quick",
    FER_PROGRESS="0",
    FER_RUNS=str(Path(SCRATCH.name) / "runs"),
    IPYTHONDIR=str(Path(SCRATCH.name) / "ipython"),
    TF_CPP_MIN_LOG_LEVEL="3",
)
# A backend of the user's own choice would keep the figures out of the notebooks.
os.environ.pop("MPLBACKEND", None)


def execute_with_history(kernel, source, allow_stdin=None):
    """Executes a cell as Jupyter does. nbval keeps no history, without which IPython overlooks a `;` at the end."""
    return kernel.kc.execute(source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_with_history


def pytest_collection_modifyitems(items):
    """Marks as slow what needs a kernel, a cluster, the site, Colab's folder or the real FER2013."""
    for item in items:
        if isinstance(item, IPyNbCell) or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
