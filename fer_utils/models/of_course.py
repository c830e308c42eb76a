"""Two networks of the course's own: one for a training of a minute, one for the highest accuracy."""

from fer_utils.device import keras
from fer_utils.models.layers import convolution, normalisation, pooling, projection, scaled, scaled_input, softmax

layers = keras.layers


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
    inputs, x = scaled_input(augmentation)
    x = layers.ReLU(name="conv1_relu")(convolution(x, scaled(32, width), 1, "conv1"))
    for block, (maps, halved) in enumerate(((64, True), (128, True), (128, False), (256, True), (256, False)), start=1):
        if halved:
            x = pooling(x, f"pool{block}")
        x = _residual_pair(x, scaled(maps, width), block)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, softmax(x), name="deep_residual")


def _residual_pair(x, maps, block):
    """Adds two convolutions and a shortcut round them (He et al. 2016)."""
    y = layers.ReLU(name=f"block{block}_relu1")(convolution(x, maps, 1, f"block{block}_conv1"))
    y = convolution(y, maps, 1, f"block{block}_conv2")
    y = layers.Add(name=f"block{block}_add")([y, projection(x, maps, 1, f"block{block}_shortcut")])
    return layers.ReLU(name=f"block{block}_relu2")(y)
