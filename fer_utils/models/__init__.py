"""The networks, the augmentation, what a network says of faces, and what it costs."""

from fer_utils.models.augmentation import ROTATION_DEGREES, ZOOM, augmentation_layer, mix_pairs, smooth
from fer_utils.models.cost import PASSES, count_multiply_adds
from fer_utils.models.families import (
    BUDGET,
    FAMILIES,
    alexnet,
    densenet,
    efficientnet,
    inception,
    mobilenet,
    resnet,
    vgg,
)
from fer_utils.models.layers import convolution, normalisation, pooling, projection, scaled, scaled_input, softmax
from fer_utils.models.of_course import deep_residual, fast
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like
from fer_utils.models.prediction import predict, predict_views

__all__ = [
    "BUDGET",
    "FAMILIES",
    "PASSES",
    "ROTATION_DEGREES",
    "ZOOM",
    "alexnet",
    "augmentation_layer",
    "convolution",
    "count_multiply_adds",
    "deep_residual",
    "densenet",
    "efficientnet",
    "fast",
    "inception",
    "lenet_like",
    "mix_pairs",
    "mobilenet",
    "normalisation",
    "pooling",
    "predict",
    "predict_views",
    "projection",
    "resnet",
    "resnet_like",
    "scaled",
    "scaled_input",
    "smooth",
    "softmax",
    "vgg",
    "vgg_like",
]
