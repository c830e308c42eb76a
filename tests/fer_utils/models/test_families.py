"""The seven families: one cost, one stem and head, and the block that gives each its name."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models.cost import count_multiply_adds
from fer_utils.models.families import BUDGET, FAMILIES, STEM
from fer_utils.models.of_report import lenet_like
from fer_utils.models.prediction import predict
from fer_utils.training.experiments import QUICK_WIDTHS


@pytest.fixture(scope="module")
def networks():
    return {name: build() for name, build in FAMILIES.items()}


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def kernel_sizes(network):
    return {layer.kernel_size[0] for layer in kinds(network, keras.layers.Conv2D)[1:]}


def test_the_budget_is_what_the_baseline_costs():
    assert count_multiply_adds(lenet_like()) == BUDGET


@pytest.mark.parametrize("name", FAMILIES)
def test_each_costs_the_budget_to_within_five_percent(networks, name):
    assert abs(count_multiply_adds(networks[name]) / BUDGET - 1) < 0.05


@pytest.mark.parametrize("name", FAMILIES)
def test_each_costs_what_the_vgg_does_in_the_quick_profile_too(name):
    narrow, plain = (FAMILIES[each](QUICK_WIDTHS[each]) for each in (name, "vgg"))
    assert abs(count_multiply_adds(narrow) / count_multiply_adds(plain) - 1) < 0.05


@pytest.mark.parametrize("name", FAMILIES)
def test_each_has_the_stem_in_front_and_seven_probabilities_behind(networks, name):
    network = networks[name]
    first = kinds(network, keras.layers.Conv2D)[0]
    assert network.name == name
    assert first.kernel.shape == (5, 5, 1, STEM) and first.output.shape[1:3] == (24, 24)
    assert network.output.shape == (None, 7) and network.layers[-1].compute_dtype == "float32"


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "alexnet"])
def test_each_works_at_24_12_and_6_places_and_averages_the_last(networks, name):
    sides = [layer.output.shape[1] for layer in kinds(networks[name], keras.layers.Conv2D)]
    assert list(dict.fromkeys(side for side in sides if side > 1)) == [24, 12, 6]
    assert networks[name].layers[-2].__class__ is keras.layers.GlobalAveragePooling2D


@pytest.mark.parametrize("name", FAMILIES)
def test_the_width_multiplier_narrows_every_layer(name):
    narrow = FAMILIES[name](width=0.5)
    ratio = count_multiply_adds(narrow) / BUDGET
    assert 0.15 < ratio < 0.4  # a half of the maps in and out, a quarter of the work; the stem halves


def test_the_cost_of_a_filter_per_map_is_counted_without_the_maps_across():
    inputs = keras.Input((6, 6, 8))
    network = keras.Model(inputs, keras.layers.DepthwiseConv2D(3, padding="same")(inputs))
    assert count_multiply_adds(network) == 6 * 6 * 9 * 8


def test_alexnet_begins_large_and_ends_in_dense_layers(networks):
    network = networks["alexnet"]
    dense = kinds(network, keras.layers.Dense)
    assert [layer.kernel_size[0] for layer in kinds(network, keras.layers.Conv2D)] == [5, 5, 3, 3, 3]
    weights = sum(int(np.prod(layer.kernel.shape)) for layer in dense)
    assert len(dense) == 3 and weights > network.count_params() / 3


def test_vgg_is_3x3_throughout_and_resnet_is_vgg_with_shortcuts(networks):
    assert kernel_sizes(networks["vgg"]) == {3}
    assert kernel_sizes(networks["resnet"]) == {1, 3}
    assert not kinds(networks["vgg"], keras.layers.Add) and len(kinds(networks["resnet"], keras.layers.Add)) == 3
    three = [
        len([c for c in kinds(networks[name], keras.layers.Conv2D) if c.kernel_size == (3, 3)])
        for name in ("vgg", "resnet")
    ]
    assert three == [6, 6]


def test_inception_has_filters_of_three_sizes_side_by_side(networks):
    assert kernel_sizes(networks["inception"]) == {1, 3, 5}
    joined = kinds(networks["inception"], keras.layers.Concatenate)
    assert len(joined) == 6 and all(len(layer.input) == 4 for layer in joined)


def test_densenet_hands_every_map_on_within_a_stage(networks):
    joined = kinds(networks["densenet"], keras.layers.Concatenate)
    assert len(joined) == 12
    for layer in joined:
        known, added = (part.shape[-1] for part in layer.input)
        assert layer.output.shape[-1] == known + added and added < known


def test_mobilenet_filters_each_map_by_itself(networks):
    network = networks["mobilenet"]
    assert len(kinds(network, keras.layers.DepthwiseConv2D)) == 9
    assert kernel_sizes(network) == {1}


def test_efficientnet_weighs_its_maps_and_adds_shortcuts(networks):
    network = networks["efficientnet"]
    assert len(kinds(network, keras.layers.Multiply)) == len(kinds(network, keras.layers.Add)) == 6
    assert len(kinds(network, keras.layers.DepthwiseConv2D)) == 6
    for layer in kinds(network, keras.layers.Multiply):
        weights = layer.input[1]
        assert weights.shape[1:3] == (1, 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_gives_probabilities_at_a_quarter_of_the_width(name):
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.uint8)
    probabilities = predict(FAMILIES[name](width=0.25), images)
    assert probabilities.shape == (3, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
