"""Settings for every test and every notebook's kernel: those with which notebooks are stored, not the user's own."""

import os
import tempfile
from pathlib import Path

import nbval.kernel
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

from forked import CAN_FORK
from forked_kernel import ForkedKernelManager

# Deleted when the tests end.
SCRATCH = tempfile.TemporaryDirectory(prefix="fer_tests_", ignore_cleanup_errors=True)

SLOW_FIXTURES = {"real_fer2013", "executed", "stored", "built", "cluster", "colab"}
GROUPS = dict.fromkeys(("tests/fer_course/test_site.py", "tests/fer_course/test_browser.py"), "site")
# What is begun first, in this order: what takes long. The notebooks come before Colab, which finds their trainings.
FIRST = ".ipynb", "test_colab_versions.py", "test_site.py"

os.environ.update(
    FER_DATA="drawn",
    FER_PROFILE="quick",
    FER_PROGRESS="0",
    IPYTHONDIR=str(Path(SCRATCH.name) / "ipython"),
    TF_CPP_MIN_LOG_LEVEL="3",
    # Tests run side by side: one that also computes on its neighbour's core waits for it, longer than it gains.
    TF_NUM_INTRAOP_THREADS="1",
    TF_NUM_INTEROP_THREADS="1",
    # numpy's and scikit-learn's threads wait by computing: beside another process the classifier of notebook 01 takes
    # thirty times as long with two threads as with one.
    OPENBLAS_NUM_THREADS="1",
    OMP_NUM_THREADS="1",
)
if "PYTEST_XDIST_WORKER" not in os.environ:
    # One store for all processes of the tests: notebook 03 finds the training of notebook 02 as when it is stored.
    os.environ["FER_RUNS"] = str(Path(SCRATCH.name) / "runs")
# A backend of the user's own choice would keep the figures out of the notebooks.
os.environ.pop("MPLBACKEND", None)
# Without its bytecode every process of the tests would compile what it imports; of TensorFlow that takes ten seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def execute_with_history(kernel, source, allow_stdin=None):
    """Executes a cell as Jupyter does. nbval keeps no history, without which IPython overlooks a `;` at the end."""
    return kernel.kc.execute(source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_with_history


if CAN_FORK:
    nbval.kernel.KernelManager = ForkedKernelManager


def pytest_collection_modifyitems(items):
    """Marks as slow what needs a kernel, a cluster, the site, Colab's folder or the real FER2013.

    What goes to a worker together and holds a slow test is begun first, and of that what `FIRST` names.
    """
    slow = set()
    for item in items:
        if isinstance(item, IPyNbCell) or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow"):
            slow.add(find_group(item.nodeid))

    def place(item):
        file = item.nodeid.partition("::")[0]
        return find_group(file) not in slow, [not file.endswith(end) for end in FIRST]

    items.sort(key=place)


def find_group(test):
    """Returns the name of the tests that one worker runs together with the one called `test`: those of its file.

    A notebook and its solutions, which find its trainings, go together, and so does all that needs the site.
    """
    file = test.partition("::")[0]
    return Path(file).name if file.endswith(".ipynb") else GROUPS.get(file, file)


def pytest_xdist_make_scheduler(config, log):
    """Shares the tests out by `find_group`."""
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = find_group
    return scheduler
