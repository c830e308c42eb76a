"""What several test modules share."""

import os
import random
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from fer_utils.environment import PROJECT

# In this process only: the notebooks' kernels keep drawing into the notebook.
matplotlib.use("Agg")


@pytest.fixture(scope="session", autouse=True)
def short_trainings():
    """Steps are traced once and run as they are: nothing is gained by improving what runs a few times, as most do."""
    if "tensorflow" in sys.modules:
        from small_training import leave_graphs_as_traced, trace_steps_once

        leave_graphs_as_traced()
        trace_steps_once()


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Each test draws the same numbers, whichever ran before it: what it trains turns out alike."""
    if "tensorflow" in sys.modules:
        from fer_utils.device import keras

        keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def real_fer2013():
    """The folder that holds the real FER2013 as fer2013.npz, or the test is skipped."""
    folder = Path(os.environ.get("FER2013_FOLDER") or PROJECT.parent / "shared" / "fer2013")
    if not (folder / "fer2013.npz").exists():
        pytest.skip("the real FER2013 is not here: set FER2013_FOLDER to a folder that holds fer2013.npz")
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The course's site (`small_site.build`): what reads its pages and what draws them in a browser share it."""
    from small_site import build

    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of runs of the test's own, the tiny recipe, no progress bar, and grids that train in this process."""
    from fer_utils.training import grid, screening
    from fer_utils.training.experiments import RECIPES
    from small_training import TINY, call_here

    for module in (grid, screening):
        monkeypatch.setattr(module, "call_apart", call_here)

    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    monkeypatch.setenv("FER_PROFILE", "quick")
    monkeypatch.setenv("FER_PROGRESS", "0")
    monkeypatch.setitem(RECIPES, "quick", TINY)
    return tmp_path


@pytest.fixture
def kept_streams():
    """Gives Python's and numpy's random numbers back as they were before the test."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    yield
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002


@pytest.fixture
def small_network(monkeypatch):
    """Every experiment trains a network that is built at once."""
    from fer_utils.training.build import NETWORKS
    from small_training import build_small_network

    for name in NETWORKS:
        monkeypatch.setitem(NETWORKS, name, build_small_network)


@pytest.fixture(scope="session")
def all_networks():
    """{name: network} of all `NETWORKS` at a quarter of their width; a test that changes one makes a copy."""
    from fer_utils.training.build import NETWORKS

    return {name: build(0.25) for name, build in NETWORKS.items()}


@pytest.fixture
def epochs(small_network, monkeypatch):
    """Replaces training by noting which epochs were asked for; each adds 1 to every weight. For tests of the store."""
    from fer_utils.training import loop

    trained = []

    def fit_one_epoch(network, lesson, recipe, seed, epoch, bar):
        trained.append(epoch)
        for variable in network.trainable_variables:
            variable.assign(variable + 1)
        return {"accuracy": 0.5, "loss": 1.0}

    def validate(network, validation):
        return {"val_accuracy": 0.1 * len(trained), "val_loss": 1.0}

    monkeypatch.setattr(loop, "fit_one_epoch", fit_one_epoch)
    monkeypatch.setattr(loop, "_validate", validate)
    monkeypatch.setattr(loop, "predict_views", lambda network, images, views: np.full((len(images), 7), 1 / 7))
    return trained


@pytest.fixture
def as_if_fer2013(monkeypatch):
    """Takes the counts of `small_fer2013.FACES` for FER2013's own."""
    from fer_utils.data import class_folders, fer2013

    counts = {name: (2,) * 7 for name in fer2013.SPLIT_NAMES}
    for module in (fer2013, class_folders):
        monkeypatch.setattr(module, "COUNTS", counts)
        monkeypatch.setattr(module, "FER2013_COUNTS", np.full((3, 7), 2))
