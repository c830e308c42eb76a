"""The course's own two networks: the fast one and the deep residual one."""

import numpy as np
import pytest

from fer_utils.models.cost import count_multiply_adds
from fer_utils.models.of_course import deep_finer, deep_longer, deep_residual, deep_squeezed, fast
from fer_utils.models.of_report import resnet_like
from fer_utils.models.prediction import predict
from small_training import projections

# --- the fast network ---


@pytest.fixture(scope="module")
def networks():
    return {build.__name__: build() for build in (fast, deep_residual, resnet_like)}


def test_the_fast_network_normalises_what_pooling_left(networks):
    network = networks["fast"]
    assert [network.get_layer(f"conv{number}_norm").output.shape[1] for number in range(1, 5)] == [12, 6, 3, 3]
    for number in (1, 2, 3):
        assert network.get_layer(f"conv{number}_norm").input is network.get_layer(f"pool{number}").output


def test_the_fast_network_takes_a_tenth_of_the_multiply_adds(networks):
    assert count_multiply_adds(networks["fast"]) < count_multiply_adds(networks["resnet_like"]) / 10


# --- the deep residual network ---


def test_the_deep_residual_network_has_a_shortcut_round_each_of_five_pairs(networks):
    network = networks["deep_residual"]
    for block, size in enumerate((24, 12, 12, 6, 6), start=1):
        main, shortcut = network.get_layer(f"block{block}_add").input
        entrance = network.get_layer(f"block{block}_conv1").input
        assert main.shape[1] == size and main._keras_history.operation.name == f"block{block}_conv2_norm"
        assert shortcut is entrance or network.get_layer(f"block{block}_shortcut").input is entrance
    # Where the number of maps stays the same, the shortcut is the entrance itself.
    assert len(projections(network)) == 3


def test_dropout_leaves_out_averages_in_training_only():
    network = deep_residual(width=0.1, dropout=0.5)
    assert network.get_layer("dropout").rate == 0.5 and deep_residual(width=0.1).get_layer("dropout").rate == 0
    images = np.zeros((4, 48, 48, 1), np.uint8)
    np.testing.assert_array_equal(predict(network, images), predict(network, images))


# --- the same in other shapes ---


@pytest.mark.parametrize("build", [deep_squeezed, deep_longer, deep_finer])
def test_the_other_shapes_cost_what_the_deep_residual_network_costs(networks, build):
    network = build()
    assert network.name == build.__name__
    assert count_multiply_adds(network) == pytest.approx(count_multiply_adds(networks["deep_residual"]), rel=0.05)
    assert network.get_layer("dropout").rate == 0 and build(width=0.1, dropout=0.5).get_layer("dropout").rate == 0.5


def test_a_squeezed_pair_weighs_its_maps_before_the_shortcut_is_added():
    network = deep_squeezed(width=0.5)
    for block, maps in enumerate((32, 64, 64, 128, 128), start=1):
        main, _ = network.get_layer(f"block{block}_add").input
        weights = network.get_layer(f"block{block}_excite").output
        assert main._keras_history.operation.input[1] is weights and weights.shape == (None, 1, 1, maps)
