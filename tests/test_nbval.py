"""nbval, as conftest.py sets it up: it runs the notebooks with the settings under which they were stored."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from fer_utils.environment import PROJECT

# The cells here use no TensorFlow: their kernel is a copy of a process that has not imported it either.
PYTEST = """
import sys
sys.path[:0] = ["tests", "."]
import forked, pytest
forked.IMPORTED = ("forked_kernel", "ipykernel.ipkernel")
sys.exit(pytest.main(sys.argv[1:]))
"""


def run_nbval(folder):
    arguments = ["-c", str(PROJECT / "pyproject.toml"), "-p", "conftest", str(folder), "-p", "no:cacheprovider", "-n0"]
    command = [sys.executable, "-c", PYTEST, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8")


@pytest.mark.slow
def test_nbval_compares_as_configured(tmp_path):
    outputs = [new_output("stream", name="stdout", text="drawn quick 0\n")]
    figure = new_output("display_data", {"image/png": "AAAA", "text/plain": "<Figure size 640x480 with 1 Axes>"})
    cells = [
        new_code_cell(
            "import os\nprint(*map(os.getenv, ['FER_DATA', 'FER_PROFILE', 'FER_PROGRESS']))", outputs=outputs
        ),
        new_code_cell("1 + 1;"),
        new_code_cell("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([0, 1]);", outputs=[figure]),
    ]
    for number, cell in enumerate(cells, start=1):
        cell.execution_count = number
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    result = run_nbval(tmp_path)
    assert result.returncode == 0 and "3 passed" in result.stdout, result.stdout
    outputs[0].text = "drawn full 0\n"
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    result = run_nbval(tmp_path)
    assert result.returncode == 1 and "1 failed, 2 passed" in result.stdout, result.stdout
