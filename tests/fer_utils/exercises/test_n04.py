"""The check of a far-sighted network trains last, and what the learner reads of a low accuracy."""

import nbformat
import pytest

from fer_utils.device import keras
from fer_utils.environment import PROJECT
from fer_utils.exercises import check_far_sighted
from fer_utils.models import lenet_like
from small_training import must_not_train


def build_network():
    inputs = keras.Input((48, 48, 1), dtype="uint8")
    x = keras.layers.Conv2D(4, 3, strides=4, padding="same", name="conv1")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(x))


def see(pixels):
    return lambda network: {"conv1": pixels}


def end_with(training, validation):
    return lambda network: {"accuracy": [0.1, training], "val_accuracy": [0.9, validation]}


def test_nothing_is_trained_that_is_short_sighted_or_too_costly():
    limit = lenet_like(0.25)
    assert "47 of 48" in check_far_sighted(build_network, see(47), limit, must_not_train, 0.3).words
    assert "costs" in check_far_sighted(lambda: lenet_like(0.5), see(48), limit, must_not_train, 0.3).words


@pytest.mark.parametrize(
    ("training", "validation", "words"),
    [
        (0.25, 0.25, "learned little"),
        (0.35, 0.3, "learned little"),
        (0.9, 0.3, "memorises"),
        (float("nan"), float("nan"), "learned little"),
    ],
)
def test_a_low_accuracy_is_explained(training, validation, words):
    verdict = check_far_sighted(build_network, see(48), lenet_like(0.25), end_with(training, validation), 0.3)
    assert not verdict.right and words in verdict.words


def test_the_last_epoch_counts():
    assert check_far_sighted(build_network, see(48), lenet_like(0.25), end_with(0.5, 0.31), 0.3).right


def test_the_training_of_the_solution_is_that_of_the_notebook():
    fits = []
    for folder in ("", "solutions/"):
        cells = nbformat.read(PROJECT / "notebooks" / f"{folder}04_depth_comparison.ipynb", as_version=4).cells
        fits += [cell.source for cell in cells if "def fit_briefly" in cell.source]
    assert len(fits) == 2 and fits[0] == fits[1]
