"""Two networks of the course's own: one for a training of a minute, one for the highest accuracy."""

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

# Of each pair of a deep network: how many maps, and whether a pooling comes before it.
PAIRS = (64, True), (128, True), (128, False), (256, True), (256, False)
# The same cost in other shapes: more and narrower pairs, and a first pair where the faces still have all their pixels.
LONGER = (49, True), (49, False), (98, True), (98, False), (98, False), (196, True), (196, False), (196, False)
FINER = (33, False), (55, True), (110, True), (110, False), (220, True), (220, False)
SQUEEZED = 16  # each of so many maps share one number that weighs them


def fast(width=1.0, augmentation=None, dropout=0.0):
    """Builds 5 weighted layers for a training of a minute on two CPU cores; arguments as for `deep_residual`.

    The baseline's multiply-adds are spent where they count: its first convolution sees more and skips every second
    place, so that no layer works at 48x48; poolings come before the normalisations, which then read a quarter of the
    numbers; and instead of a dense layer each last map is averaged (Lin et al. 2014).
    """
    inputs, x = scaled_input(augmentation)
    for number, maps in enumerate((32, 64, 128, 256), start=1):
        size, stride, name = (5, 2, "conv1") if number == 1 else (3, 1, f"conv{number}")
        x = layers.Conv2D(scaled(maps, width), size, stride, padding="same", use_bias=False, name=name)(x)
        if number < 4:
            x = pooling(x, f"pool{number}")
        x = layers.ReLU(name=f"{name}_relu")(normalisation(x, name))
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, softmax(x), name="fast")


def deep_residual(width=1.0, augmentation=None, dropout=0.0):
    """Builds 12 weighted layers, most of them in pairs with a shortcut round each.

    `width` scales the number of maps of every layer; `augmentation` is a layer that changes the scaled images in
    training; `dropout` is the share of the last layer's inputs that is left out in training.

    One convolution at 48x48, where a multiply-add buys least; five pairs at 24x24, 12x12, 12x12, 6x6 and 6x6; the last
    maps are averaged (Lin et al. 2014).
    """
    return _stack_pairs("deep_residual", PAIRS, width, augmentation, dropout)


def deep_squeezed(width=1.0, augmentation=None, dropout=0.0):
    """Builds `deep_residual` whose pairs weigh their maps by what all maps hold (Hu et al. 2018)."""
    return _stack_pairs("deep_squeezed", PAIRS, width, augmentation, dropout, squeezed=True)


def deep_longer(width=1.0, augmentation=None, dropout=0.0):
    """Builds more and narrower pairs than `deep_residual`, at its cost."""
    return _stack_pairs("deep_longer", LONGER, width, augmentation, dropout)


def deep_finer(width=1.0, augmentation=None, dropout=0.0):
    """Builds a pair at 48x48 before narrower ones, at the cost of `deep_residual`."""
    return _stack_pairs("deep_finer", FINER, width, augmentation, dropout)


def _stack_pairs(name, pairs, width, augmentation, dropout, squeezed=False):
    inputs, x = scaled_input(augmentation)
    x = layers.ReLU(name="conv1_relu")(convolution(x, scaled(32, width), 1, "conv1"))
    for block, (maps, halved) in enumerate(pairs, start=1):
        if halved:
            x = pooling(x, f"pool{block}")
        x = _residual_pair(x, scaled(maps, width), block, squeezed)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, softmax(x), name=name)


def _residual_pair(x, maps, block, squeezed):
    """Adds two convolutions and a shortcut round them (He et al. 2016)."""
    y = layers.ReLU(name=f"block{block}_relu1")(convolution(x, maps, 1, f"block{block}_conv1"))
    y = convolution(y, maps, 1, f"block{block}_conv2")
    if squeezed:
        y = weigh_maps(y, -(-maps // SQUEEZED), f"block{block}")
    y = layers.Add(name=f"block{block}_add")([y, projection(x, maps, 1, f"block{block}_shortcut")])
    return layers.ReLU(name=f"block{block}_relu2")(y)
