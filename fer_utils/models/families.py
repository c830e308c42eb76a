"""Seven published families as networks for faces of 48x48 pixels, each at the cost of the report's baseline.

The report's related work names AlexNet, VGG, Inception, ResNet, MobileNet, DenseNet and EfficientNet, and its outlook
more complex networks. Here stem and head are the same in each, and so is what the whole costs: `BUDGET`, to within 5 %.
What differs is the block, and the width and depth that the budget then leaves. AlexNet alone keeps stages of its own.

Stem: 32 filters of 5x5 at every second place. Three stages, at 24x24, 12x12 and 6x6 places, with max pooling between
them and twice the maps in each. Head: the mean of each last map, softmax. Each convolution is normalised.
"""

from fer_utils.device import keras
from fer_utils.models.layers import (
    convolution,
    normalisation,
    pooling,
    projection,
    scaled,
    scaled_input,
    softmax,
    weigh_maps,
)

layers = keras.layers

BUDGET = 22_487_936  # the multiply-adds of `lenet_like` for one face, forward
STEM = 32  # maps


def alexnet(width=1.0, augmentation=None):
    """Builds few convolutions, large filters first, and two dense layers with most weights (Krizhevsky et al. 2012).

    `width` scales the number of maps of every layer, `augmentation` is a layer that changes the scaled images in
    training; they mean the same in all families.
    """
    inputs, x = scaled_input(augmentation)
    x = pooling(_convolution(x, scaled(STEM, width), size=5, stride=2))
    x = pooling(_convolution(x, scaled(80, width), size=5))
    for maps in (128, 128, 96):
        x = _convolution(x, scaled(maps, width))
    x = layers.Flatten()(pooling(x))
    for _ in range(2):
        x = layers.Dense(scaled(256, width), use_bias=False)(x)
        x = layers.ReLU()(normalisation(x))
    return keras.Model(inputs, softmax(x), name="alexnet")


def vgg(width=1.0, augmentation=None):
    """Builds pairs of 3x3 convolutions (Simonyan and Zisserman 2015)."""
    return _stack_blocks("vgg", _plain_pair, 29, 1, width, augmentation)


def inception(width=1.0, augmentation=None):
    """Builds filters of several sizes side by side, behind 1x1 convolutions that save work (Szegedy et al. 2015)."""
    return _stack_blocks("inception", _inception_module, 56, 2, width, augmentation)


def resnet(width=1.0, augmentation=None):
    """Builds the pairs of `vgg` with a shortcut round each (He et al. 2016)."""
    return _stack_blocks("resnet", _shortcut_pair, 28, 1, width, augmentation)


def densenet(width=1.0, augmentation=None):
    """Builds convolutions that read all the maps before them in their stage and add a few (Huang et al. 2017)."""
    return _stack_blocks("densenet", _dense_block, 35, 1, width, augmentation)


def mobilenet(width=1.0, augmentation=None):
    """Builds a 3x3 filter per map, then 1x1 convolutions across maps (Howard et al. 2017, with their `width`)."""
    return _stack_blocks("mobilenet", _separable_convolution, 69, 3, width, augmentation)


def efficientnet(width=1.0, augmentation=None):
    """Builds blocks that widen, filter each map, weigh each map and narrow again, with shortcuts (Tan and Le 2019)."""
    return _stack_blocks("efficientnet", _inverted_residual, 29, 2, width, augmentation)


FAMILIES = {build.__name__: build for build in (alexnet, vgg, inception, resnet, densenet, mobilenet, efficientnet)}


def _stack_blocks(name, block, maps, depth, width, augmentation):
    """Builds stem, three stages of `depth` blocks with `maps`, twice and four times `maps`, and head."""
    inputs, x = scaled_input(augmentation)
    x = _convolution(x, scaled(STEM, width), size=5, stride=2)
    for stage in range(3):
        if stage:
            x = pooling(x)
        for _ in range(depth):
            x = block(x, scaled(maps * 2**stage, width))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, softmax(x), name=name)


def _plain_pair(x, maps):
    return _convolution(_convolution(x, maps), maps)


def _shortcut_pair(x, maps):
    y = convolution(_convolution(x, maps), maps)
    return layers.ReLU()(layers.Add()([y, projection(x, maps)]))


def _inception_module(x, maps):
    narrow = maps // 4
    branches = [
        _convolution(x, maps // 4, size=1),
        _convolution(_convolution(x, narrow, size=1), maps // 2),
        _convolution(_convolution(x, narrow // 2, size=1), maps // 8, size=5),
        _convolution(
            layers.MaxPooling2D(3, strides=1, padding="same")(x), maps - maps // 4 - maps // 2 - maps // 8, size=1
        ),
    ]
    return layers.Concatenate()(branches)


def _dense_block(x, maps):
    for _ in range(4):
        x = layers.Concatenate()([x, _convolution(x, maps // 4)])
    return _convolution(x, maps, size=1)


def _separable_convolution(x, maps):
    return _convolution(_filter_each_map(x), maps, size=1)


def _inverted_residual(x, maps):
    y = _convolution(x, 4 * x.shape[-1], size=1, activation="silu")
    y = weigh_maps(_filter_each_map(y, activation="silu"), x.shape[-1] // 4)
    return layers.Add()([convolution(y, maps, size=1), projection(x, maps)])


def _convolution(x, maps, size=3, stride=1, activation="relu"):
    return layers.Activation(activation)(convolution(x, maps, stride, size=size))


def _filter_each_map(x, activation="relu"):
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    return layers.Activation(activation)(normalisation(x))
