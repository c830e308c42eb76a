"""The networks, the augmentation, what a network says of faces, and what it costs."""

from fer_utils.models.augmentation import ROTATION_DEGREES, ZOOM, augmentation_layer, mix_pairs, set_share, smooth
from fer_utils.models.cost import PASSES, count_multiply_adds
from fer_utils.models.families import BUDGET, FAMILIES, mobilenet
from fer_utils.models.layers import with_keras_layers
from fer_utils.models.of_course import deep_finer, deep_longer, deep_residual, deep_squeezed, fast
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like
from fer_utils.models.prediction import VIEWS, predict, predict_views
from fer_utils.models.stacks import (
    STACK_BATCH,
    STACK_DEPTHS,
    STACK_EPOCHS,
    STACK_FACES,
    STACK_MOMENTUM,
    STACK_RATE,
    STACK_RECIPE,
    narrow_stack,
    train_stack,
)

__all__ = [
    "BUDGET",
    "FAMILIES",
    "PASSES",
    "ROTATION_DEGREES",
    "STACK_BATCH",
    "STACK_DEPTHS",
    "STACK_EPOCHS",
    "STACK_FACES",
    "STACK_MOMENTUM",
    "STACK_RATE",
    "STACK_RECIPE",
    "VIEWS",
    "ZOOM",
    "augmentation_layer",
    "count_multiply_adds",
    "deep_finer",
    "deep_longer",
    "deep_residual",
    "deep_squeezed",
    "fast",
    "lenet_like",
    "mix_pairs",
    "mobilenet",
    "narrow_stack",
    "predict",
    "predict_views",
    "resnet_like",
    "set_share",
    "smooth",
    "train_stack",
    "vgg_like",
    "with_keras_layers",
]
