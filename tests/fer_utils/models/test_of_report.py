"""The three networks of the report: layers, widths, shapes, and sizes against numbers worked out by hand."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models.augmentation import augmentation_layer
from fer_utils.models.cost import count_multiply_adds
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like
from small_training import projections


def convolution(maps_in, maps_out, size=3):
    """Parameters of a convolution without bias and the four per map of its normalisation."""
    return size**2 * maps_in * maps_out + 4 * maps_out


def dense(units_in, units):
    """Parameters of a dense layer without bias and its normalisation, then of the 7-way softmax with bias."""
    return units_in * units + 4 * units + units * 7 + 7


LENET_PARAMETERS = convolution(1, 32) + convolution(32, 64) + convolution(64, 128) + dense(6 * 6 * 128, 128)

VGG_PARAMETERS = (
    convolution(1, 32)
    + convolution(32, 32)
    + convolution(32, 64)
    + convolution(64, 64)
    + convolution(64, 128)
    + convolution(128, 128)
    + convolution(128, 256)
    + convolution(256, 256)
    + dense(3 * 3 * 256, 256)
)

RESNET_PARAMETERS = VGG_PARAMETERS + sum(
    convolution(maps_in, maps_out, size=1) for maps_in, maps_out in ((1, 32), (32, 64), (64, 128), (128, 256))
)

REPORTED = {build.__name__: build for build in (lenet_like, vgg_like, resnet_like)}


@pytest.fixture(scope="module")
def networks():
    return {name: build() for name, build in REPORTED.items()}


def weighted_layers(network):
    """Convolutions and dense layers on the main path; the shortcuts' projections are not counted as depth."""
    layers = [layer for layer in network.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    return [layer for layer in layers if not layer.name.startswith("shortcut")]


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("lenet_like", [32, 64, 128, 128, 7]),
        ("vgg_like", [32, 32, 64, 64, 128, 128, 256, 256, 256, 7]),
        ("resnet_like", [32, 32, 64, 64, 128, 128, 256, 256, 256, 7]),
    ],
)
def test_weighted_layers_have_the_report_s_number_and_order(networks, name, widths):
    assert [layer.kernel.shape[-1] for layer in weighted_layers(networks[name])] == widths


@pytest.mark.parametrize("name", REPORTED)
def test_every_convolution_is_3x3_of_stride_1_and_normalised_before_its_relu(networks, name):
    for layer in weighted_layers(networks[name])[:-1]:
        if isinstance(layer, keras.layers.Conv2D):
            assert layer.kernel_size == (3, 3) and layer.strides == (1, 1)
        (following,) = [node.operation for node in layer._outbound_nodes]
        assert isinstance(following, keras.layers.BatchNormalization)
        assert following.momentum == 0.9


@pytest.mark.parametrize(
    ("name", "sides"), [("lenet_like", [24, 12, 6]), ("vgg_like", [24, 12, 6, 3]), ("resnet_like", [24, 12, 6, 3])]
)
def test_pooling_halves_the_side(networks, name, sides):
    pools = [layer for layer in networks[name].layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert [pool.output.shape[1] for pool in pools] == sides


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lenet_like", LENET_PARAMETERS), ("vgg_like", VGG_PARAMETERS), ("resnet_like", RESNET_PARAMETERS)],
)
def test_parameters_equal_the_sum_by_hand(networks, name, expected):
    assert networks[name].count_params() == expected


def test_shortcuts_are_projected_where_widths_differ_and_only_there(networks):
    assert [layer.kernel.shape for layer in projections(networks["resnet_like"])] == [
        (1, 1, 1, 32),
        (1, 1, 32, 64),
        (1, 1, 64, 128),
        (1, 1, 128, 256),
    ]
    assert not projections(networks["vgg_like"])
    # One map everywhere: the input's own width, so every shortcut is the identity.
    narrow = resnet_like(width=0.001)
    assert not projections(narrow)
    additions = [layer for layer in narrow.layers if isinstance(layer, keras.layers.Add)]
    assert len(additions) == 4


def test_each_shortcut_goes_round_its_pair(networks):
    for block in range(1, 5):
        main, shortcut = networks["resnet_like"].get_layer(f"add{block}").input
        assert main._keras_history.operation.name == f"conv{2 * block}_norm"
        assert shortcut._keras_history.operation.name == f"shortcut{block}_norm"
        entrance = networks["resnet_like"].get_layer(f"shortcut{block}").input
        assert entrance is networks["resnet_like"].get_layer(f"conv{2 * block - 1}").input


@pytest.mark.parametrize("name", REPORTED)
def test_stride_2_builds_and_is_smaller(networks, name):
    literal = REPORTED[name](conv_stride=2)
    assert literal.output.shape == (None, 7)
    assert {layer.strides for layer in weighted_layers(literal) if isinstance(layer, keras.layers.Conv2D)} == {(2, 2)}
    assert literal.count_params() < networks[name].count_params()
    assert count_multiply_adds(literal) < count_multiply_adds(networks[name]) / 3


def test_width_scales_every_layer_but_the_output():
    widths = [layer.kernel.shape[-1] for layer in weighted_layers(vgg_like(width=0.5))]
    assert widths == [16, 16, 32, 32, 64, 64, 128, 128, 128, 7]
    assert [layer.kernel.shape[-1] for layer in weighted_layers(lenet_like(width=0.1))] == [3, 6, 13, 13, 7]


def test_images_are_scaled_to_0_1_inside_and_before_the_augmentation():
    network = lenet_like(width=0.1, augmentation=augmentation_layer())
    scaled = keras.Model(network.input, network.get_layer("scale").output)
    grey = np.arange(256, dtype=np.uint8).repeat(9).reshape(1, 48, 48, 1)
    found = keras.ops.convert_to_numpy(scaled(grey))
    np.testing.assert_allclose(found, grey / 255, atol=1e-6)
    assert (found.min(), found.max()) == (0, 1)
    assert network.get_layer("augmentation").input is not network.input
    assert network.get_layer("conv1").input is not network.get_layer("scale").output
