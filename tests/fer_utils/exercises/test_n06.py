"""The check of notebook 06 that looks at a new output on frozen convolutions: what each typical mistake is told."""

import functools

import numpy as np
import pytest

from fer_utils.data.drawn_faces import draw_faces
from fer_utils.data.fer2013 import CLASS_NAMES
from fer_utils.data.load import FaceDataset, Split
from fer_utils.device import keras
from fer_utils.exercises import check_new_output
from fer_utils.models.of_report import lenet_like


@functools.cache
def faces():
    images, labels, usage = draw_faces((10, 100, 10), seed=0)
    splits = [Split(images[usage == part, ..., np.newaxis], labels[usage == part]) for part in range(3)]
    return FaceDataset("drawn faces", "0123456789abcdef", CLASS_NAMES, *splits)


def build():
    keras.utils.set_random_seed(0)
    return lenet_like(width=0.25)


@functools.cache
def network():
    return build()


def teach(body=None, frozen=True, units=1, activation="sigmoid", epochs=20, reverse=False, nested=False):
    """Returns a model that has learned the very faces it is judged by: the network of the tests was never trained."""
    body = body or build()
    body.trainable = not frozen
    maps = keras.Model(body.inputs, body.get_layer("conv3_relu").output)
    x = maps(body.inputs) if nested else maps.output
    output = keras.layers.Dense(units, activation=activation)(keras.layers.Flatten()(x))
    answer = keras.Model(body.inputs, output)
    happy = faces().validation.labels == CLASS_NAMES.index("Happy")
    answer.compile(keras.optimizers.Adam(3e-3), "mse")
    targets = np.repeat((happy != reverse).astype("float32")[:, np.newaxis], units, axis=1)
    if epochs:
        answer.fit(faces().validation.images, targets, epochs=epochs, verbose=0)
    return answer


def move_averages():
    answer = teach(epochs=1)
    layer = answer.get_layer("conv1_norm")
    layer.moving_mean.assign(layer.moving_mean + 1)
    return answer


def always_no():
    answer = teach(epochs=0)
    answer.layers[-1].set_weights([np.zeros_like(answer.layers[-1].kernel), np.array([-3.0])])
    return answer


def no_convolutions():
    inputs = keras.Input((48, 48, 1))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(inputs)))


@pytest.mark.parametrize("nested", [False, True])
def test_a_new_output_on_frozen_convolutions_is_right(nested):
    verdict = check_new_output(teach(nested=nested), network(), faces())
    assert verdict.right and "no convolution has moved" in verdict.words, verdict


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: teach(frozen=False, epochs=1), "the weights of conv1 have moved"),
        (move_averages, "averages of conv1_norm have moved"),
        (lambda: teach(network(), epochs=0), "built on `network` itself"),
        (no_convolutions, "conv1 of the network is not in it"),
        (lambda: teach(units=7, epochs=0), "seven old answers"),
        (lambda: teach(units=2, epochs=0), "an array of shape (100, 2)"),
        (lambda: teach(activation="linear", epochs=1), "no probabilities"),
        (always_no, "the same answer"),
        (lambda: teach(reverse=True), "the others for happy"),
        (lambda: teach(epochs=0), "is right on"),
        (lambda: build, "a trained keras.Model is asked for"),
    ],
)
def test_each_mistake_is_named(make, word):
    verdict = check_new_output(make(), network(), faces())
    assert not verdict.right and word in verdict.words, verdict
