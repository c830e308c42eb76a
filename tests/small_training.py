"""Trainings in a second, for tests: few faces of noise, a recipe of three epochs, a network that is built at once.

And runs without a training: `make_run`.
"""

import contextlib
import dataclasses
import random
import threading
import time

import h5py
import numpy as np
import pytest

from fer_utils.data.fer2013 import CLASS_NAMES
from fer_utils.data.load import FaceDataset, Split
from fer_utils.device import keras
from fer_utils.evaluation.compare import confusion_matrix
from fer_utils.training import loop
from fer_utils.training.build import NETWORKS
from fer_utils.training.experiments import RECIPES
from fer_utils.training.recipes import Recipe
from fer_utils.training.runs import WEIGHTS, Run

TINY = Recipe(width=0.1, epochs=3, batch_size=32, learning_rate=1e-3, train_images=None)


def make_split(n_images, seed):
    random = np.random.default_rng(seed)
    return Split(random.integers(0, 256, (n_images, 48, 48, 1), dtype=np.uint8), random.integers(0, 7, n_images))


def make_faces(**changes):
    faces = FaceDataset(
        "noise", "0123456789abcdef", CLASS_NAMES, make_split(96, 1), make_split(42, 2), make_split(35, 3)
    )
    return dataclasses.replace(faces, **changes)


def build_small_network(width, conv_stride=1, augmentation=None, dropout=0.0):
    """A network of one convolution: what is tested of the training needs no more, and it is built at once."""
    inputs = keras.Input((48, 48, 1), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = x if augmentation is None else augmentation(x)
    x = keras.layers.Conv2D(round(width * 40), 3, strides=8)(x)
    x = keras.layers.Flatten()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, keras.layers.Dense(7, activation="softmax", name="expression")(x))


def train_briefly(experiment, n_epochs):
    """For a process of its own: trains a small network as `experiment` says, so many epochs, and records the run."""
    NETWORKS["lenet_like"] = build_small_network
    RECIPES["quick"] = dataclasses.replace(TINY, epochs=n_epochs)
    loop.train(experiment, make_faces())


def leave_graphs_as_traced():
    """Has TensorFlow run the graphs of this process as they are; the last digits differ from those of improved ones."""
    import tensorflow

    tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def trace_steps_once():
    """Has Keras make its variables before the first step, as it does on its other backends.

    Made within the step, they have TensorFlow trace it twice, which takes longer than most trainings of the tests.
    """
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    TensorFlowTrainer._maybe_symbolic_build = TensorFlowTrainer._symbolic_build


def draw_numbers(stop):
    """Draws from Python's and numpy's random numbers, some ten thousand times a second, until the event `stop`."""
    while not stop.wait(1e-4):
        random.random()
        np.random.random()  # noqa: NPY002


@contextlib.contextmanager
def drawing_numbers():
    """Within it another thread draws random numbers all the time."""
    stop = threading.Event()
    thread = threading.Thread(target=draw_numbers, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def weights_of(run):
    """{name: array} of the run's weights file."""
    found = {}
    with h5py.File(run.folder / WEIGHTS) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def assert_same_arrays(found, expected):
    """The two {name: array} have the same names and arrays, to the bit."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


class Stopped(Exception):
    """Stands for whatever ends a training early."""


def train_and_stop_after(n_epochs, monkeypatch, *arguments):
    """Trains until `n_epochs` are finished, then stops in the middle of the next."""
    with monkeypatch.context() as patch:
        go_on = loop.fit_one_epoch

        def fit_one_epoch(network, lesson, recipe, seed, epoch, bar):
            if epoch == n_epochs:
                raise Stopped
            return go_on(network, lesson, recipe, seed, epoch, bar)

        patch.setattr(loop, "fit_one_epoch", fit_one_epoch)
        with pytest.raises(Stopped):
            loop.train(*arguments)


def must_not_train(*_):
    raise AssertionError("trained again")


def make_run(correct=None, **changes):
    """A `Run` as a training would leave it, right on the test images where `correct` (by default half of 70) says."""
    correct = np.arange(70) % 2 == 0 if correct is None else np.asarray(correct)
    labels = np.arange(len(correct)) % 7
    predictions = np.where(correct, labels, (labels + 1) % 7)
    noise = 0.1 * np.random.default_rng(0).random((len(correct), 7))
    facts = {
        "experiment": "lenet_like",
        "model": "lenet_like",
        "augmentation": "none",
        "conv_stride": 1,
        "seed": 0,
        "profile": "quick",
        "recipe": {"width": 0.1, "epochs": 2, "batch_size": 32, "learning_rate": 1e-3, "train_images": None},
        "dataset": "drawn faces",
        "fingerprint": "0123456789abcdef",
        "history": {"accuracy": [0.25, 1 / 3], "loss": [1.9, 1.7], "val_accuracy": [0.2, 0.3], "val_loss": [1.9, 1.8]},
        "best_epoch": 2,
        "test_accuracy": float(correct.mean()),
        "confusion": confusion_matrix(labels, predictions),
        "validation_confusion": confusion_matrix(labels, predictions),
        "test_probabilities": (noise + np.eye(7)[predictions]).astype(np.float16),
        "test_correct": correct,
        "seconds": 12.3,
        "device": "CPU, 2 cores",
        "versions": {"keras": "3.15.1"},
        "commit": "0123456789ab",
    }
    return Run(**{**facts, **changes})


def call_here(what, function, *arguments):
    """Stands for `call_apart` where the test's own process is to train."""
    return function(*arguments)


def wait_for(condition, seconds=120):
    """Waits until `condition()` holds, at most so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def projections(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D) and "shortcut" in layer.name]


def mutate(content, random, count):
    """Yields `content` with a flipped bit, a cut end, a changed digit, or a part left out or doubled."""
    for _ in range(count):
        mutated, place, length = bytearray(content), random.integers(len(content)), random.integers(1, 60)
        kind = random.integers(5)
        if kind == 0:
            mutated[place] ^= 1 << random.integers(8)
        elif kind == 1:
            del mutated[place:]
        elif kind == 2:
            digits = [at for at, byte in enumerate(content) if chr(byte).isdigit()]
            mutated[random.choice(digits)] = ord(str(random.integers(10)))
        elif kind == 3:
            del mutated[place : place + length]
        else:
            mutated[place:place] = mutated[place : place + length]
        yield bytes(mutated)
