"""Settings for every test and every notebook's kernel: those with which notebooks are stored, not the user's own."""

import os
import tempfile
from pathlib import Path

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

# Deleted when the tests end. Shared, so that notebook 03 finds the training of notebook 02 as it does when stored.
SCRATCH = tempfile.TemporaryDirectory(prefix="fer_tests_", ignore_cleanup_errors=True)

SLOW_FIXTURES = {"real_fer2013", "executed", "stored", "built", "cluster", "colab"}

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


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    """Marks as slow what needs a kernel, a cluster, the site, Colab's folder or the real FER2013; shares the work out.

    Each file goes to one worker. So do all notebooks together: later ones find the trainings of earlier ones. What
    holds slow tests is begun first.
    """
    groups = {}
    for item in items:
        notebook = isinstance(item, IPyNbCell)
        if notebook or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("notebooks" if notebook else item.location[0]))
        name = item.get_closest_marker("xdist_group").args[0]
        slow = item.get_closest_marker("slow") is not None
        groups[name] = max(groups.get(name, (False, False)), (notebook, slow))
    items.sort(key=lambda item: groups[item.get_closest_marker("xdist_group").args[0]], reverse=True)
