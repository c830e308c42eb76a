"""What layers see: activation maps, blank maps, gradients per layer, neighbours."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from fer_utils.device import BackendError, keras
from fer_utils.evaluation import heat_maps
from fer_utils.evaluation.heat_maps import class_heat_maps
from fer_utils.evaluation.readings import (
    activation_maps,
    convolution_outputs,
    embed,
    gradient_norms,
    neighbour_agreement,
    silent_maps,
)
from fer_utils.models.augmentation import augmentation_layer
from fer_utils.models.of_course import deep_residual
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like

# The networks of the report and the course's own two; the others are the families.
OWN = "lenet_like", "vgg_like", "resnet_like", "fast", "deep_residual"

WIDTH = 0.1
LABELS = np.arange(7)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 48, 48, 1), np.uint8)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return vgg_like(WIDTH)


def predict(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.mark.parametrize(("build", "count"), [(lenet_like, 3), (vgg_like, 8), (resnet_like, 8)])
def test_one_output_per_convolution(build, count):
    names = [f"conv{number}_relu" for number in range(1, count + 1)]
    assert convolution_outputs(build(WIDTH)) == names


def kinds_of(network, names):
    return [type(network.get_layer(name)).__name__ for name in names]


def test_the_outputs_of_the_course_s_own_networks_are_all_relus_that_give_maps(all_networks):
    variants = [build(WIDTH, conv_stride=2) for build in (lenet_like, vgg_like, resnet_like)]
    for network in (*(all_networks[name] for name in OWN), *variants):
        relus = [layer for layer in network.layers if isinstance(layer, keras.layers.ReLU)]
        assert convolution_outputs(network) == [layer.name for layer in relus if len(layer.output.shape) == 4]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("alexnet", {"Activation": 5}),
        ("vgg", {"Activation": 7}),
        ("inception", {"Activation": 37}),  # each branch has its own
        ("resnet", {"Activation": 4, "ReLU": 3}),  # behind each sum: of the pair's second convolution and the shortcut
        ("densenet", {"Activation": 16}),
        ("mobilenet", {"Activation": 19}),
        ("efficientnet", {"Activation": 13}),  # a block ends without one, and weighing maps gives none
    ],
)
def test_the_families_have_the_activation_behind_each_convolution(all_networks, name, kinds):
    names = convolution_outputs(all_networks[name])
    assert Counter(kinds_of(all_networks[name], names)) == kinds
    assert len(set(names)) == len(names)
    order = [layer.name for layer in all_networks[name].layers]
    assert names == sorted(names, key=order.index)
    outputs = [all_networks[name].get_layer(each).output for each in names]
    assert all(len(output.shape) == 4 and output.shape[1] >= 6 for output in outputs)


def test_a_convolution_s_own_activation_and_one_behind_a_plus_count():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="own")(inputs)
    y = keras.layers.Conv2D(3, 3, padding="same", name="second")(x)
    x = keras.layers.ReLU(name="behind_plus")(x + y)
    x = keras.layers.Conv2D(3, 3, padding="same", name="third")(x)
    x = keras.layers.MaxPooling2D()(keras.layers.BatchNormalization(name="norm")(x))
    outputs = keras.layers.Dense(7)(keras.layers.Flatten()(x))
    assert convolution_outputs(keras.Model(inputs, outputs)) == ["own", "behind_plus"]


def test_a_model_without_convolutions_is_told_so(images):
    inputs = keras.Input((48, 48, 1), dtype="uint8")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(x), name="flat")
    for function in (convolution_outputs, lambda model: class_heat_maps(model, images)):
        with pytest.raises(ValueError, match="the model flat has no activation that gives maps"):
            function(model)


def test_activation_maps_have_the_layers_shapes(network, images):
    maps = activation_maps(network, images)
    assert list(maps) == convolution_outputs(network)
    assert maps["conv1_relu"].shape == (7, 48, 48, 3)
    assert maps["conv8_relu"].shape == (7, 6, 6, 26)
    assert all(values.dtype == np.float32 and values.min() >= 0 for values in maps.values())


def test_activation_maps_are_the_networks_own(network, images):
    maps = activation_maps(network, images, ["scale", "expression"])
    np.testing.assert_allclose(maps["scale"], images / 255, atol=1e-6)
    np.testing.assert_allclose(maps["expression"], predict(network, images), atol=1e-6)


def test_asked_layers_keep_their_order(network, images):
    assert list(activation_maps(network, images, ["pool2", "pool1"])) == ["pool2", "pool1"]


def test_an_unknown_layer_is_named(network, images):
    with pytest.raises(ValueError, match="no_such_layer"):
        activation_maps(network, images, ["no_such_layer"])


def test_silent_maps_are_blank_everywhere():
    maps = np.zeros((2, 3, 3, 3), np.float32)
    maps[0, 2, 1, 1] = 0.5
    maps[1, 0, 0, 2] = 1e-7
    assert silent_maps(maps).tolist() == [[True, False, True], [True, True, True]]
    assert silent_maps(maps, tolerance=1e-8).tolist() == [[True, False, True], [True, True, False]]


@pytest.mark.parametrize(("build", "count"), [(lenet_like, 5), (vgg_like, 10), (resnet_like, 10)])
def test_gradient_norms_are_positive_and_in_order(build, count, images):
    norms = gradient_norms(build(WIDTH), images, LABELS)
    assert list(norms) == [*(f"conv{number}" for number in range(1, count - 1)), "dense", "expression"]
    assert all(isinstance(value, float) and value > 0 for value in norms.values())


def test_gradient_norms_leave_every_shortcut_out(images):
    pairs = [f"block{block}_conv{place}" for block in range(1, 6) for place in (1, 2)]
    assert list(gradient_norms(deep_residual(WIDTH), images, LABELS)) == ["conv1", *pairs, "expression"]


def test_gradient_norms_are_those_of_a_hand_made_tape(network, images):
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    kernels = [twin.get_layer(name).kernel.value for name in ("conv1", "expression")]
    with tf.GradientTape() as tape:
        right = tf.gather(twin(images, training=True), LABELS, axis=1, batch_dims=1)
        loss = -tf.reduce_mean(tf.math.log(right))
    by_hand = [np.sqrt(np.mean(gradient.numpy() ** 2)) for gradient in tape.gradient(loss, kernels)]
    norms = gradient_norms(network, images, LABELS)
    np.testing.assert_allclose([norms["conv1"], norms["expression"]], by_hand, rtol=1e-3)


def test_gradient_norms_leave_the_network_as_it_is(images):
    model = lenet_like(WIDTH, augmentation=augmentation_layer(0))
    before = [variable.numpy() for variable in model.variables]
    gradient_norms(model, images, LABELS)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("function", [class_heat_maps, gradient_norms])
def test_gradients_under_another_backend_are_refused(function, network, images, monkeypatch):
    monkeypatch.setattr(heat_maps.keras.backend, "backend", lambda: "jax")
    with pytest.raises(BackendError, match="KERAS_BACKEND is 'jax'"):
        function(network, images, LABELS)


# --- neighbours ---


def test_neighbours_by_hand():
    features = np.array([[0.0], [1.0], [2.1], [10.0], [11.0], [12.5]])
    labels = np.array([0, 0, 1, 1, 1, 1])
    assert neighbour_agreement(features, labels, 1).tolist() == [1, 1, 0, 1, 1, 1]


def test_embedding_is_what_the_last_layer_reads(network, images):
    features = embed(network, images)
    kernel, bias = network.layers[-1].get_weights()
    np.testing.assert_allclose(softmax(features @ kernel + bias, axis=1), predict(network, images), atol=1e-5)
