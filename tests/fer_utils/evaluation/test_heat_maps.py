"""Heat maps: Grad-CAM against a network computed by hand, occlusion, and what is held against them."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.evaluation import heat_maps
from fer_utils.evaluation.heat_maps import class_heat_maps
from fer_utils.evaluation.readings import convolution_outputs
from fer_utils.models.of_report import lenet_like, vgg_like
from fer_utils.models.prediction import predict
from fer_utils.training.build import NETWORKS, build_network
from fer_utils.training.experiments import EXPERIMENTS
from small_training import TINY


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 48, 48, 1), np.uint8)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return vgg_like(0.1)


def make_two_map_network():
    """Its two maps are the image x and 1 - x, its scores for two classes chosen sums of their means."""
    image = keras.Input((4, 4, 1))
    maps = keras.layers.ReLU(name="maps")(keras.layers.Conv2D(2, 1, name="conv")(image))
    means = keras.layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax", name="scores")(means))
    model.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([0.0, 1.0])])
    model.get_layer("scores").set_weights([np.array([[3.0, -1.0], [-1.0, -2.0]]), np.array([0.5, -0.5])])
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_heat_maps(all_networks, images, name):
    heat = class_heat_maps(all_networks[name], images)
    sides = {"lenet_like": 12, "fast": 3}
    assert heat.shape == (7, *(sides.get(name, 6),) * 2)
    assert np.isfinite(heat).all() and heat.min() >= 0
    np.testing.assert_allclose(heat.max(axis=(1, 2)), 1, rtol=1e-5)


def test_heat_maps_are_of_the_last_output_or_of_what_joins_it_with_those_beside_it(all_networks, images):
    for name, network in all_networks.items():
        last = convolution_outputs(network)[-1]
        if join := {"inception": keras.layers.Concatenate, "efficientnet": keras.layers.Add}.get(name):
            last = [layer.name for layer in network.layers if isinstance(layer, join)][-1]
        np.testing.assert_array_equal(class_heat_maps(network, images), class_heat_maps(network, images, None, last))


@pytest.mark.filterwarnings("error")
def test_heat_map_of_a_network_computed_by_hand():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1) / 16
    heat = class_heat_maps(make_two_map_network(), image, classes=np.array([0]), layer_name="maps")
    # Class 0 scores 3 mean(x) - mean(1 - x) + 0.5: each place of the first map counts 3/16, of the second -1/16.
    by_hand = np.maximum(3 * image - (1 - image), 0)[..., 0]
    np.testing.assert_allclose(heat, by_hand / by_hand.max(), rtol=1e-5)


def test_heat_map_is_zero_where_nothing_speaks_for_the_class():
    image = np.full((1, 4, 4, 1), 0.5, np.float32)
    assert not class_heat_maps(make_two_map_network(), image, classes=np.array([1]), layer_name="maps").any()


def test_heat_map_of_a_network_that_is_quite_sure(network, images):
    sure = keras.models.clone_model(network)
    sure.set_weights(network.get_weights())
    last = sure.layers[-1]
    last.kernel.assign(last.kernel * 1e6)
    assert (predict(sure, images).max(axis=1) == 1).all(), "else the test tries nothing"
    np.testing.assert_allclose(class_heat_maps(sure, images), class_heat_maps(network, images), atol=1e-3)


def test_heat_maps_reach_from_0_to_1(network, images):
    heat = class_heat_maps(network, images)
    assert heat.shape == (7, 6, 6) and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() <= 1 + 1e-6
    assert class_heat_maps(network, images, layer_name="conv1_relu").shape == (7, 48, 48)


def test_heat_maps_default_to_the_predicted_classes(network, images):
    predicted = predict(network, images).argmax(axis=1)
    np.testing.assert_array_equal(class_heat_maps(network, images), class_heat_maps(network, images, predicted))
    other = class_heat_maps(network, images, (predicted + 1) % 7)
    assert np.abs(other - class_heat_maps(network, images)).max() > 0.01


# --- occlusion ---


def make_one_place_network(top, left, size=4):
    """Says class 0 the more surely, the brighter one square of the image is, and looks at nothing else."""
    mask = np.zeros((48, 48, 1), np.float32)
    mask[top : top + size, left : left + size] = 1 / size**2
    image = keras.Input((48, 48, 1), dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    dense = keras.layers.Dense(7, activation="softmax")
    model = keras.Model(image, dense(flat))
    kernel = np.zeros((48 * 48, 7), np.float32)
    kernel[:, 0] = 8 * mask.ravel()
    dense.set_weights([kernel, np.zeros(7)])
    return model


def test_occlusion_finds_the_only_place_that_matters():
    model = make_one_place_network(top=8, left=32)  # the field in row 2, column 8
    images = np.full((3, 48, 48, 1), 50, np.uint8)
    images[:, 8:12, 32:36] = 250
    images[:, 40:] = 0
    kept = images.copy()
    drops = heat_maps.occlusion_maps(model, images, np.zeros(3, int), size=4)
    assert drops.shape == (3, 12, 12) and np.array_equal(images, kept)
    assert all(np.unravel_index(drop.argmax(), drop.shape) == (2, 8) for drop in drops)
    drops[:, 2, 8] = 0
    assert np.abs(drops).max() < 1e-6
    wider = heat_maps.occlusion_maps(model, images, np.zeros(3, int), size=12)
    assert np.argwhere(wider[0] > 1e-3).tolist() == [[row, column] for row in (1, 2, 3) for column in (7, 8, 9)]


def test_comparison_of_maps():
    maps = np.random.default_rng(0).random((4, 3, 3))
    others = np.stack([maps[0], -maps[1], np.zeros((3, 3)), np.exp(5 * maps[3])])
    np.testing.assert_allclose(heat_maps.compare_maps(maps, others), [1, -1, np.nan, 1])


def test_layers_are_held_against_occlusion(network, images):
    classes = np.zeros(len(images), int)
    drops = heat_maps.occlusion_maps(network, images, classes)
    found = heat_maps.compare_with_occlusion(network, images, classes, drops)
    assert [look.places for look in found.values()] == [12, 6, 6] and list(found)[-1] == "conv8_relu"
    assert all(0 <= look.dark <= 1 for look in found.values())


def test_only_layers_that_fit_are_held_against_occlusion(images):
    classes, drops = np.zeros(len(images), int), np.random.default_rng(0).random((len(images), 12, 12))
    found = heat_maps.compare_with_occlusion(lenet_like(0.1), images, classes, drops)
    assert {name: look.places for name, look in found.items()} == {"conv3_relu": 12}
    with pytest.raises(ValueError, match="lenet_like has no maps whose side divides the 5 places of the drops"):
        heat_maps.compare_with_occlusion(lenet_like(0.1), images, classes, drops[:, :5, :5])


# --- a network made random again ---


def test_layers_are_randomised_from_the_output_down(images):
    one, other = (build_network(EXPERIMENTS["vgg_like"], TINY, seed) for seed in (0, 1))
    before = predict(one, images)
    steps = heat_maps.randomise_layers(one, other)
    assert next(steps) == "expression"
    assert np.array_equal(one.get_layer("expression").kernel, other.get_layer("expression").kernel)
    assert not np.array_equal(one.get_layer("dense").kernel, other.get_layer("dense").kernel)
    assert np.abs(predict(one, images) - before).max() > 1e-3
    assert list(steps) == ["dense", *(f"conv{number}" for number in range(8, 0, -1))]
    np.testing.assert_allclose(predict(one, images), predict(other, images), atol=1e-6)


def test_heat_maps_of_a_randomised_network_differ(images):
    one, other = (build_network(EXPERIMENTS["vgg_like"], TINY, seed) for seed in (0, 1))
    found = heat_maps.check_heat_maps(one, other, images, "conv8_relu")
    assert list(found)[:2] == ["none", "expression"] and list(found)[-2:] == ["conv1", "another face"]
    assert found["none"] == pytest.approx(1) and found["conv1"] < 0.9


def test_maps_that_a_grey_picture_gives_too_say_nothing_of_the_face(network):
    images = np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), dtype=np.uint8)
    grey = np.full_like(images, 90)
    found = heat_maps.explain_likeness(network, grey, "conv8_relu")
    assert found["another face"] == found["a picture of one grey"] == pytest.approx(1)
    found = heat_maps.explain_likeness(network, images, "conv8_relu")
    assert found["another face, without the common map"] < found["another face"] < 1
