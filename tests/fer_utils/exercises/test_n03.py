"""The check of an augmentation of one's own: what it looks at first, and how it measures a turn."""

import nbformat
import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.environment import PROJECT
from fer_utils.exercises import check_own_augmentation, n03
from small_training import make_split, must_not_train

IMAGES = make_split(8, 0).images


def turn(degrees):
    limits = degrees / 360, degrees / 360
    return keras.layers.RandomRotation(limits, fill_mode="nearest")


@pytest.mark.parametrize("degrees", [-90, -40, -10, 0, 10, 40, 90])
def test_a_turn_is_measured(degrees):
    pictures = np.asarray(turn(degrees)(n03._RAMP[None], training=True))[..., 0]
    assert n03._measure_angles(pictures) == pytest.approx([abs(degrees)], abs=4)


def test_a_mirrored_picture_is_not_turned_and_one_upside_down_is():
    assert n03._measure_angles(n03._RAMP[None, :, ::-1, 0]) == pytest.approx([0])
    assert n03._measure_angles(n03._RAMP[None, ::-1, :, 0]) == pytest.approx([180])


@pytest.mark.parametrize("layer", [turn(90), keras.layers.RandomFlip("vertical"), keras.layers.RandomBrightness(0.5)])
def test_nothing_is_trained_with_a_layer_that_does_harm(layer):
    assert not check_own_augmentation(lambda: layer, must_not_train, IMAGES).right


def test_a_training_that_fails_becomes_words():
    def fail(_):
        raise RuntimeError("out of memory")

    verdict = check_own_augmentation(lambda: keras.layers.RandomTranslation(0.1, 0.1), fail, IMAGES)
    assert not verdict.right and "out of memory" in verdict.words


def test_each_training_gets_a_layer_of_its_own():
    built, trained = [], []

    def build_own():
        built.append(keras.layers.RandomTranslation(0.1, 0.1))
        return built[-1]

    def fit_briefly(layer):
        trained.append(layer)
        return {"accuracy": [0.6 if layer else 0.9], "val_accuracy": [0.5]}

    assert check_own_augmentation(build_own, fit_briefly, IMAGES).right
    assert trained == [None, built[-1]] and len(built) == 2


def test_the_training_of_the_solution_is_that_of_the_notebook():
    def read(path):
        cells = nbformat.read(PROJECT / "notebooks" / path, as_version=4).cells
        return [cell.source for cell in cells if cell.cell_type == "code"]

    lesson, solution = (read(f"{folder}03_data_augmentation.ipynb") for folder in ("", "solutions/"))
    (fit,) = (source for source in lesson if "def fit_briefly" in source)
    (noted,) = (source for source in solution if "def fit_briefly" in source)
    assert fit in noted.replace("    histories.append(fit.history)\n", "")
