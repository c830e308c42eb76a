"""The three networks: layers, widths, shapes, and sizes against numbers worked out by hand."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models.augmentation import augmentation_layer
from fer_utils.models.cost import count_multiply_adds
from fer_utils.models.of_course import deep_residual
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like
from fer_utils.models.prediction import VIEW_SHIFT, VIEWS, predict, predict_views
from fer_utils.training.build import NETWORKS

# The networks of the report and the course's own two; the others are the families.
OWN = "lenet_like", "vgg_like", "resnet_like", "fast", "deep_residual"

PAIRED_MAPS = (32, 64, 128, 256)


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


REPORTED = ("lenet_like", "vgg_like", "resnet_like")


@pytest.fixture(scope="module")
def networks():
    return {name: build() for name, build in NETWORKS.items() if name in OWN}


def weighted_layers(network):
    """Convolutions and dense layers on the main path; the shortcuts' projections are not counted as depth."""
    layers = [layer for layer in network.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    return [layer for layer in layers if not layer.name.startswith("shortcut")]


def projections(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D) and "shortcut" in layer.name]


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


def test_multiply_adds_equal_the_sum_by_hand(networks):
    lenet = 48**2 * 9 * 1 * 32 + 24**2 * 9 * 32 * 64 + 12**2 * 9 * 64 * 128 + 4608 * 128 + 128 * 7
    assert count_multiply_adds(networks["lenet_like"]) == lenet == 22_487_936
    shortcuts = 48**2 * 1 * 32 + 24**2 * 32 * 64 + 12**2 * 64 * 128 + 6**2 * 128 * 256
    assert count_multiply_adds(networks["resnet_like"]) - count_multiply_adds(networks["vgg_like"]) == shortcuts


def test_multiply_adds_follow_the_stride():
    # Convolutions of stride 2 leave 24, 6 and 2 pixels a side; pooling halves each: 12, 3, 1.
    expected = 24**2 * 9 * 1 * 32 + 6**2 * 9 * 32 * 64 + 2**2 * 9 * 64 * 128 + 128 * 128 + 128 * 7
    assert count_multiply_adds(lenet_like(conv_stride=2)) == expected


IMAGE = (8, 8, 4)


def cost_of(*layers, shape=IMAGE):
    """The multiply-adds of `layers`, one after the other, on an image of `shape`."""
    return count_multiply_adds(keras.Sequential([keras.Input(shape), *layers]))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.Conv2D(6, 3, padding="same"), 64 * 9 * 4 * 6),
        (keras.layers.Conv2D(6, 3, strides=2, padding="same"), 16 * 9 * 4 * 6),
        (keras.layers.Conv2D(6, 3, dilation_rate=2), 16 * 9 * 4 * 6),
        (keras.layers.Conv2D(6, 3, padding="same", groups=2), 64 * 9 * 2 * 6),
        (keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), 64 * 9 * 4 * 2),
        (keras.layers.SeparableConv2D(6, 3, strides=2, padding="same", depth_multiplier=2), 16 * (9 * 4 * 2 + 8 * 6)),
        (keras.layers.Conv2DTranspose(6, 3, strides=2, padding="same"), 64 * 9 * 4 * 6),
        (keras.layers.Dense(6), 64 * 4 * 6),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_each_kind_of_layer_costs_what_it_does_by_hand(layer, expected):
    assert cost_of(layer) == expected


def test_what_mixes_no_numbers_costs_nothing():
    kinds = keras.layers
    assert 0 == cost_of(
        kinds.Rescaling(1 / 255), augmentation_layer(name="strong"), kinds.Normalization(mean=0.5, variance=1.0),
        kinds.BatchNormalization(), kinds.LayerNormalization(axis=(1, 2, 3)), kinds.GroupNormalization(2),
        kinds.ReLU(), kinds.PReLU(), kinds.Activation("silu"), kinds.ZeroPadding2D(1), kinds.UpSampling2D(2),
        kinds.MaxPooling2D(2), kinds.AveragePooling2D(2), kinds.SpatialDropout2D(0.5), kinds.Dropout(0.5),
        kinds.GlobalAveragePooling2D(), kinds.Reshape((2, 2)), kinds.Flatten(), kinds.Softmax(),
    )  # fmt: skip


def test_the_layers_of_a_model_within_the_model_count():
    inner = keras.Sequential([keras.layers.Conv2D(4, 3, padding="same"), keras.Sequential([keras.layers.Dense(4)])])
    inputs = keras.Input(IMAGE)
    assert count_multiply_adds(keras.Model(inputs, inner(inputs))) == 64 * (9 * 4 * 4 + 4 * 4)


def test_a_layer_that_is_used_twice_is_refused():
    inputs, dense = keras.Input(IMAGE), keras.layers.Dense(4, name="both")
    with pytest.raises(ValueError, match=r"both \(Dense\) is used more than once"):
        count_multiply_adds(keras.Model(inputs, dense(dense(inputs))))


class Mixer(keras.layers.Layer):
    def build(self, shape):
        self.weight = self.add_weight(shape=(shape[-1], shape[-1]))

    def call(self, inputs):
        return inputs @ self.weight


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (Mixer(name="odd"), "Mixer"),
        (keras.layers.EinsumDense("nhwc,cd->nhwd", (8, 8, 6), name="odd"), "EinsumDense"),
        (keras.layers.Lambda(lambda x: x, name="odd"), "Lambda"),
        (keras.Sequential([Mixer(name="odd")]), "Mixer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_counted_is_refused_by_name_and_type(layer, kind):
    with pytest.raises(ValueError, match=rf"odd \({kind}\): the multiply-adds of this type of layer are not known"):
        cost_of(layer)


def test_maps_of_an_open_size_are_refused():
    with pytest.raises(ValueError, match=r"conv \(Conv2D\): the size of its maps is left open"):
        cost_of(keras.layers.Conv2D(6, 3, name="conv"), shape=(None, None, 1))


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
    literal = NETWORKS[name](conv_stride=2)
    assert literal.output.shape == (None, 7)
    assert {layer.strides for layer in weighted_layers(literal) if isinstance(layer, keras.layers.Conv2D)} == {(2, 2)}
    assert literal.count_params() < networks[name].count_params()
    assert count_multiply_adds(literal) < count_multiply_adds(networks[name]) / 3


def test_width_scales_every_layer_but_the_output():
    widths = [layer.kernel.shape[-1] for layer in weighted_layers(vgg_like(width=0.5))]
    assert widths == [16, 16, 32, 32, 64, 64, 128, 128, 128, 7]
    assert [layer.kernel.shape[-1] for layer in weighted_layers(lenet_like(width=0.1))] == [3, 6, 13, 13, 7]


@pytest.mark.parametrize("name", OWN)
def test_uint8_images_give_probabilities(name):
    network = NETWORKS[name](width=0.1)
    assert network.input.dtype == "uint8"
    assert network.input.shape == (None, 48, 48, 1)
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), dtype=np.uint8)
    probabilities = keras.ops.convert_to_numpy(network(images))
    assert probabilities.shape == (5, 7)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_images_are_scaled_to_0_1_inside_and_before_the_augmentation():
    network = lenet_like(width=0.1, augmentation=augmentation_layer())
    scaled = keras.Model(network.input, network.get_layer("scale").output)
    grey = np.arange(256, dtype=np.uint8).repeat(9).reshape(1, 48, 48, 1)
    found = keras.ops.convert_to_numpy(scaled(grey))
    np.testing.assert_allclose(found, grey / 255, atol=1e-6)
    assert (found.min(), found.max()) == (0, 1)
    assert network.get_layer("augmentation").input is not network.input
    assert network.get_layer("conv1").input is not network.get_layer("scale").output


def test_networks_come_uncompiled(networks):
    assert not any(network.compiled for network in networks.values())


# --- the fast network ---


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


# --- several views of an image ---


def test_one_view_is_the_image_itself(views_network, faces_of_noise):
    np.testing.assert_allclose(
        predict_views(views_network, faces_of_noise), predict(views_network, faces_of_noise), atol=1e-7
    )


def test_two_views_are_the_image_and_its_mirror_image(views_network, faces_of_noise):
    mirrored = faces_of_noise[:, :, ::-1]
    expected = (predict(views_network, faces_of_noise) + predict(views_network, mirrored)) / 2
    np.testing.assert_allclose(predict_views(views_network, faces_of_noise, 2), expected, atol=1e-6)


def test_ten_views_are_five_places_and_their_mirror_images(views_network, faces_of_noise):
    moved = [faces_of_noise]
    for rows in (-VIEW_SHIFT, VIEW_SHIFT):
        for columns in (-VIEW_SHIFT, VIEW_SHIFT):
            index = [np.clip(np.arange(48) + shift, 0, 47) for shift in (rows, columns)]
            moved.append(faces_of_noise[:, index[0]][:, :, index[1]])
    expected = np.mean([predict(views_network, v) for m in moved for v in (m, m[:, :, ::-1])], axis=0)
    found = predict_views(views_network, faces_of_noise, 10)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - predict_views(views_network, faces_of_noise, 2)).max() > 1e-5


@pytest.mark.parametrize("views", [0, 3, 5, 7, 11, "2", None])
def test_another_number_of_views_is_refused(views_network, faces_of_noise, views):
    with pytest.raises(ValueError, match=f"views is {views!r}; an image is judged by 1, 2 or 10 views"):
        predict_views(views_network, faces_of_noise, views)


@pytest.mark.parametrize("views", VIEWS)
def test_no_images_have_no_views(views_network, faces_of_noise, views):
    found = predict_views(views_network, faces_of_noise[:0], views)
    assert found.shape == (0, 7) and found.dtype == np.float32


@pytest.fixture(scope="module")
def views_network():
    return lenet_like(width=0.1)


@pytest.fixture(scope="module")
def faces_of_noise():
    return np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), dtype=np.uint8)


# --- predicting in batches ---


def test_predicting_in_batches_is_predicting_at_once():
    network = lenet_like(width=0.1)
    images = np.random.default_rng(0).integers(0, 256, (7, 48, 48, 1), dtype=np.uint8)
    at_once = keras.ops.convert_to_numpy(network(images))
    np.testing.assert_allclose(predict(network, images, batch_size=3), at_once, atol=1e-6)
    both = keras.Model(network.input, {"first": network.get_layer("conv1").output, "last": network.output})
    found = predict(both, images, batch_size=3)
    assert found["first"].shape == (7, 48, 48, 3)
    np.testing.assert_allclose(found["last"], at_once, atol=1e-6)


def test_predicting_no_images_gives_no_rows():
    network = lenet_like(width=0.1)
    none = np.zeros((0, 48, 48, 1), np.uint8)
    found = predict(network, none)
    assert found.shape == (0, 7) and found.dtype == np.float32
    both = keras.Model(network.input, {"first": network.get_layer("conv1").output, "last": network.output})
    assert {name: part.shape for name, part in predict(both, none).items()} == {"first": (0, 48, 48, 3), "last": (0, 7)}
