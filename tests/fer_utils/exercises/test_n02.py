"""The checks of notebook 02 that look at a trained network: what each typical mistake is told."""

import functools

import numpy as np
import pytest

from fer_utils.data.drawn_faces import draw_faces
from fer_utils.data.fer2013 import CLASS_NAMES
from fer_utils.data.load import FaceDataset, Split
from fer_utils.device import keras
from fer_utils.exercises import check_memorise
from small_training import build_small_network

pytestmark = pytest.mark.slow  # nearly each case is a training


@functools.cache
def faces():
    images, labels, usage = draw_faces((200, 60, 10), seed=0)
    splits = [Split(images[usage == part, ..., np.newaxis], labels[usage == part]) for part in range(3)]
    return FaceDataset("drawn faces", "0123456789abcdef", CLASS_NAMES, *splits)


def build(units=7, activation="softmax"):
    """The network of `small_training` with another last layer."""
    body = build_small_network(1.0)
    return keras.Model(body.input, keras.layers.Dense(units, activation=activation)(body.layers[-2].output))


def memorise(rate=1e-2, epochs=25, loss="sparse_categorical_crossentropy", watched=True, own=True, **last_layer):
    """Returns an answer: a function that trains as the arguments say."""

    def answer(images, labels, validation_images, validation_labels):
        network = build(**last_layer)
        network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        validation = (validation_images, validation_labels)
        targets = labels if own else np.roll(labels, 1)
        fitted = {"validation_data": validation} if watched else {}
        network.fit(images, targets, batch_size=25, epochs=epochs, verbose=0, **fitted)
        return network

    return answer


def fit_all(images, labels, validation_images, validation_labels):
    """Fits the validation faces as well."""
    network = build()
    network.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    everything = np.concatenate([images, validation_images]), np.concatenate([labels, validation_labels])
    network.fit(
        *everything, batch_size=40, epochs=30, validation_data=(validation_images, validation_labels), verbose=0
    )
    return network


def fit_raw(images, labels, *_):
    """Fits a network that was not compiled."""
    network = build()
    network.fit(images, labels, verbose=0)
    return network


def by_hand(images, labels, *_):
    """Trains batch by batch, so that there is no history."""
    network = build()
    network.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    for _ in range(60):
        network.train_on_batch(images, labels)
    return network


def test_a_network_that_memorised_is_right():
    verdict = check_memorise(memorise(), faces())
    assert verdict.right, verdict
    assert not any(sign.isdigit() for sign in verdict.words)  # nbval compares the verdict on every machine


MISTAKES = {
    "the history": (lambda *arguments: memorise(epochs=1)(*arguments).history, "return the network that was fitted"),
    "no network": (lambda *_: np.zeros(3), "an array of shape (3,)"),
    "not compiled": (lambda *_: build(), "not compiled"),
    "fitted uncompiled": (fit_raw, "compile the network before you fit it"),
    "never trained": (memorise(epochs=0), "never trained"),
    "few units": (memorise(units=3), "seven expressions"),
    "many units": (memorise(units=9, epochs=1), "not seven numbers"),
    "no softmax": (
        memorise(activation=None, epochs=1, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        "lacks the softmax",
    ),
    "labels and loss": (memorise(loss="categorical_crossentropy"), "rows of seven zeros and ones"),
    "another loss": (memorise(loss=lambda labels, answers: keras.ops.mean(answers), epochs=1), "cross-entropy"),
    "small steps": (memorise(rate=1e-5, epochs=3), "too small"),
    "large steps": (memorise(rate=3.0, epochs=8), "too large"),
    "few epochs": (memorise(rate=1e-3, epochs=2), "more epochs"),
    "other labels": (memorise(own=False), "other faces or labels"),
    "not watched": (memorise(watched=False), "validation_data"),
    "by hand": (by_hand, "validation_data"),
    "validation fitted": (fit_all, "never be fitted"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_verdict_names_the_mistake(mistake):
    answer, words = MISTAKES[mistake]
    verdict = check_memorise(answer, faces())
    assert not verdict.right and words in verdict.words, verdict
    assert "/" not in verdict.words.replace("`", ""), "a path of the machine"


def test_answers_that_are_no_numbers_are_told():
    def answer(images, labels, *_):
        network = memorise(epochs=1)(images, labels, images, labels)
        network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
        return network

    verdict = check_memorise(answer, faces())
    assert "no numbers any more" in verdict.words
