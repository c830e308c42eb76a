"""Counts what a network costs: its multiply-adds."""

import math

from fer_utils.device import keras

layers = keras.layers

# Training costs so many times the forward pass: forward, and backward once for the maps and once for the weights.
PASSES = 3
# A kernel's multiplications happen at each place of the maps that a layer gives or, where it spreads each number over
# several places, of those that it reads.
AT_PLACES_GIVEN = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Dense)
AT_PLACES_READ = (layers.Conv2DTranspose,)
# Their weights scale numbers one by one, which counts as little as an addition.
SCALES = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.PReLU)


def count_multiply_adds(model):
    """Returns the multiply-adds of one image's forward pass through `model`'s convolutions and dense layers, an int.

    Layers of a model within the model count too. What scales, adds, selects or moves numbers (normalisations,
    activations, poolings, sums, augmentation) counts as nothing. `ValueError` names a layer of a type that is not
    known to be one of these and may multiply, or a layer or model that multiplies and is used more than once.
    """
    return sum(_count_layer(layer) for layer in model.layers)


def _count_layer(layer):
    cost = count_multiply_adds(layer) if isinstance(layer, keras.Model) else _count_kernels(layer)
    if cost and len(layer._inbound_nodes) > 1:
        raise ValueError(f"{_name(layer)} is used more than once: its multiply-adds cannot be counted")
    return cost


def _count_kernels(layer):
    kernels = [weight for weight in layer.weights if weight.name.endswith("kernel")]
    if isinstance(layer, (*AT_PLACES_GIVEN, *AT_PLACES_READ)):
        shape = layer.input.shape if isinstance(layer, AT_PLACES_READ) else layer.output.shape
        if None in shape[1:-1]:
            raise ValueError(f"{_name(layer)}: the size of its maps is left open")
        return math.prod(shape[1:-1]) * sum(math.prod(kernel.shape) for kernel in kernels)
    may_mix = isinstance(layer, layers.Lambda) or any(len(weight.shape) > 1 for weight in layer.weights)
    if may_mix and not isinstance(layer, SCALES):
        raise ValueError(f"{_name(layer)}: the multiply-adds of this type of layer are not known")
    return 0


def _name(layer):
    return f"{layer.name} ({type(layer).__name__})"
