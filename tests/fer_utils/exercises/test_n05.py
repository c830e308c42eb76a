"""The check of notebook 05 that trains: what each typical mistake is told."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.exercises import check_start
from fer_utils.models import narrow_stack, train_stack
from small_training import make_split


def pass_on(network, kernel=None, names=("conv",)):
    """A learner's function that gives each convolution of the pairs the same `kernel`, by default the right one."""
    if kernel is None:
        kernel = np.zeros((3, 3, 16, 16))
        kernel[1, 1] = np.eye(16)
    for layer in network.layers:
        if layer.name.startswith(names):
            layer.set_weights([kernel])
    return network


def put(numbers, place=(1, 1)):
    """A kernel with `numbers` (16, 16) at one place, or at all places."""
    kernel = np.zeros((3, 3, 16, 16))
    kernel[place] = numbers
    return kernel


def freeze(network):
    network.get_layer("conv3").trainable = False
    return network


def judge(answer, losses=(1.9, 1.7)):
    return check_start(answer, lambda network: list(losses), 1.8)


def test_maps_that_pass_and_a_loss_that_falls_are_right():
    verdict = judge(pass_on)
    assert verdict.right and "learns" in verdict.words, verdict


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda network: network, "what they were"),
        (lambda network: pass_on(network, np.zeros((3, 3, 16, 16))), "all kernels are zero"),
        (lambda network: pass_on(network, put(np.eye(16), ...)), "times as large"),
        (lambda network: pass_on(network, put(np.ones((16, 16)))), "times as large"),
        (lambda network: pass_on(network, put(np.eye(16), (0, 0))), "all maps are zero"),
        (lambda network: pass_on(network, put(np.roll(np.eye(16), 1, axis=0))), "not those that go in"),
        (lambda network: pass_on(network, put(-np.eye(16))), "all maps are zero"),
        (lambda network: freeze(pass_on(network)), "frozen"),
        (lambda network: narrow_stack(20, shortcuts=True, normalised=False), "other"),
        (lambda network: narrow_stack(8, shortcuts=False, normalised=False), "other"),
        (lambda network: pass_on(network).get_weights(), "return the network"),
        (lambda network: pass_on(network, put(np.eye(8))), "raises ValueError"),
        (lambda network: None, "write a function"),
        (None, "write a function"),
    ],
)
def test_each_mistake_gets_its_words(answer, words):
    verdict = judge(answer)
    assert not verdict.right and words in verdict.words, verdict


def test_a_stack_that_learns_nothing_is_not_right():
    verdict = judge(pass_on, losses=(1.9, 1.85))
    assert not verdict.right and "1.85" in verdict.words, verdict


def test_the_network_that_is_judged_is_the_one_that_was_trained():
    trained = []

    def train(network):
        trained.append(network)
        return train_stack(network, make_split(32, 0), epochs=1)

    check_start(pass_on, train, 1.8)
    (network,) = trained
    assert isinstance(network, keras.Model) and len(network.get_layer("block9").output.shape) == 4
