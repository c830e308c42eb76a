"""What several test modules share."""

import os
from pathlib import Path

import matplotlib
import pytest

from fer_utils.environment import PROJECT

# In this process only: the notebooks' kernels keep drawing into the notebook.
matplotlib.use("Agg")


@pytest.fixture(scope="session")
def real_fer2013():
    """The folder that holds the real FER2013 as fer2013.npz, or the test is skipped."""
    folder = Path(os.environ.get("FER2013_FOLDER") or PROJECT.parent / "shared" / "fer2013")
    if not (folder / "fer2013.npz").exists():
        pytest.skip("the real FER2013 is not here: set FER2013_FOLDER to a folder that holds fer2013.npz")
    return folder
