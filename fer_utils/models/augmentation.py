"""Random changes of the training images as one Keras layer (report §3 and §5.1), stronger ones, and mixtures."""

from typing import NamedTuple

import numpy as np

from fer_utils.device import keras

layers = keras.layers

# Of the mild augmentation: rotate and zoom up to this much either way.
ROTATION_DEGREES = 10
ZOOM = 0.1
# Of the strong augmentation: shift up to this share of the width, erase boxes of these shares of the area.
SHIFT = 0.1
ERASED = (0.02, 0.2)


class Amounts(NamedTuple):
    """How many of the layer's changes, in their order, an augmentation makes, and the limits of two of them."""

    n_changes: int
    degrees: float = ROTATION_DEGREES
    zoom: float = ZOOM


# The last three are those of other people (`training.experiments.CANDIDATES`).
AUGMENTATIONS = {
    "none": Amounts(0),
    "flip": Amounts(1),
    "mild": Amounts(3),
    "shift": Amounts(4),
    "strong": Amounts(5),
    "book": Amounts(3, 40, 0.2),
    "public": Amounts(3, 30, 0.3),
    "tutorial": Amounts(3, 36, 0.1),
}


def augmentation_layer(seed=0, name="mild", interpolation="bilinear"):
    """Returns a layer that changes images (N, 48, 48, 1) at random in training, and only then.

    "mild" flips with probability one half, rotates up to 10 degrees either way and zooms up to 10 % either way: the
    report names the three (§3) and gives no amounts. "flip" only flips; "shift" also shifts, up to a tenth of the
    width, and "strong" also erases, in half of the images, a box of up to a fifth of the area, in grey (Zhong et al.
    2020). `AUGMENTATIONS` lists all names. The same `seed` gives the same sequence of random changes. `interpolation`
    is Keras's: "bilinear" smooths the image, once with every change; "nearest" leaves it sharp.
    """
    amounts = AUGMENTATIONS[name]
    how = {"fill_mode": "nearest", "interpolation": interpolation}
    changes = [
        layers.RandomFlip("horizontal", seed=seed, name="flip"),
        layers.RandomRotation(amounts.degrees / 360, **how, seed=seed + 1, name="rotate"),
        layers.RandomZoom(amounts.zoom, **how, seed=seed + 2, name="zoom"),
        layers.RandomTranslation(SHIFT, SHIFT, **how, seed=seed + 3, name="shift"),
        layers.RandomErasing(scale=ERASED, fill_value=0.5, value_range=(0, 1), seed=seed + 4, name="erase"),
    ]
    return keras.Sequential(changes[: amounts.n_changes], name="augmentation")


def smooth(images):
    """Moves `images` uint8 (N, 48, 48, 1) by half a pixel, in which bilinear interpolation smooths most.

    Each pixel is the mean of four; the border is repeated.
    """
    padded = np.pad(images.astype(np.float32), ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    above, below = padded[:, :-1], padded[:, 1:]
    four = above[:, :, :-1] + above[:, :, 1:] + below[:, :, :-1] + below[:, :, 1:]
    return np.rint(four / 4).astype(np.uint8)


def mix_pairs(images, targets, strength, random):
    """Mixes `images` (N, 48, 48, 1) uint8 and their `targets` (N, 7), each with another: mixup (Zhang et al. 2018).

    An image's own share is the larger one of two that add up to 1, drawn from the beta distribution whose parameters
    are both `strength`; its target is mixed in the same shares. `random` is a numpy `Generator`. Returns images uint8
    as the backend's tensor, and targets as a numpy array.
    """
    ops, share = keras.ops, random.beta(strength, strength, len(targets)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    others = random.permutation(len(targets))
    own, other = (ops.cast(these, "float32") for these in (images, ops.take(images, others, axis=0)))
    mixed = share[:, None, None, None] * own + (1 - share[:, None, None, None]) * other
    return ops.cast(ops.round(mixed), "uint8"), share[:, None] * targets + (1 - share[:, None]) * targets[others]
