"""Multiply-adds: each kind of layer against sums by hand, and what cannot be counted."""

import pytest

from fer_utils.device import keras
from fer_utils.models.augmentation import augmentation_layer
from fer_utils.models.cost import count_multiply_adds
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like


@pytest.fixture(scope="module")
def networks():
    return {build.__name__: build() for build in (lenet_like, vgg_like, resnet_like)}


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


def test_a_model_that_is_used_twice_is_refused_if_it_costs_something():
    inner = keras.Sequential([keras.Input(IMAGE), keras.layers.Conv2D(4, 3, padding="same")], name="block")
    inputs, free = keras.Input(IMAGE), augmentation_layer(name="strong")
    with pytest.raises(ValueError, match=r"block \(Sequential\) is used more than once"):
        count_multiply_adds(keras.Model(inputs, inner(inner(inner(inputs)))))
    assert count_multiply_adds(keras.Model(inputs, free(free(inputs)))) == 0


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
