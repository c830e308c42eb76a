"""Random changes of the training images as one Keras layer (report §3 and §5.1), stronger ones, and mixtures."""

import numpy as np

from fer_utils.device import keras

layers = keras.layers


ROTATION_DEGREES = 10
ZOOM = 0.1
# Of the strong augmentation: shift up to this share of the width, erase boxes of these shares of the area.
SHIFT = 0.1
ERASED = (0.02, 0.2)
# How many of the layer's changes, in their order, each kind of augmentation makes.
AUGMENTATIONS = {"flip": 1, True: 3, "mild": 3, "book": 3, "public": 3, "tutorial": 3, "shift": 4, "strong": 5}
# Degrees and share of the zoom where an augmentation has others than `ROTATION_DEGREES` and `ZOOM`.
AMOUNTS = {"book": (40, 0.2), "public": (30, 0.3), "tutorial": (36, 0.1)}


def augmentation_layer(seed=0, changes=True, interpolation="bilinear"):
    """A layer that flips, rotates and zooms images (N, 48, 48, 1) at random in training, and only then.

    Horizontal flip with probability one half, rotation up to 10 degrees either way, zoom up to 10 % either way: the
    report names the three (§3) and gives no amounts. The same `seed` gives the same sequence of random changes.
    With `changes` "flip" it only flips; with "shift" it also shifts, up to a tenth of the width, and with "strong" it
    also erases, in half of the images, a box of up to a fifth of the area, in grey (Zhong et al. 2020).
    `interpolation` is Keras's: "bilinear" smooths the image, once with every change; "nearest" leaves it sharp.
    """
    degrees, zoom = AMOUNTS.get(changes, (ROTATION_DEGREES, ZOOM))
    how = {"fill_mode": "nearest", "interpolation": interpolation}
    every = [
        layers.RandomFlip("horizontal", seed=seed, name="flip"),
        layers.RandomRotation(degrees / 360, **how, seed=seed + 1, name="rotate"),
        layers.RandomZoom(zoom, **how, seed=seed + 2, name="zoom"),
        layers.RandomTranslation(SHIFT, SHIFT, **how, seed=seed + 3, name="shift"),
        layers.RandomErasing(scale=ERASED, fill_value=0.5, value_range=(0, 1), seed=seed + 4, name="erase"),
    ]
    return keras.Sequential(every[: AUGMENTATIONS[changes]], name="augmentation")


def smooth(images):
    """`images` uint8 (N, 48, 48, 1) moved by half a pixel, in which bilinear interpolation smooths most.

    Each pixel is the mean of four; the border is repeated.
    """
    padded = np.pad(images.astype(np.float32), ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    above, below = padded[:, :-1], padded[:, 1:]
    four = above[:, :, :-1] + above[:, :, 1:] + below[:, :, :-1] + below[:, :, 1:]
    return np.rint(four / 4).astype(np.uint8)


def mix_pairs(images, targets, strength, random):
    """Mixup (Zhang et al. 2018): uint8 `images` and their `targets` (N, 7), each mixed with another of the batch.

    An image's own share is the larger one of two that add up to 1, drawn from the beta distribution whose parameters
    are both `strength`; its target is mixed in the same shares. `random` is a numpy `Generator`.
    """
    share = random.beta(strength, strength, len(images)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    others = random.permutation(len(images))
    return (
        np.rint(_mix(images.astype(np.float32), share[:, None, None, None], others)).astype(np.uint8),
        _mix(targets, share[:, None], others),
    )


def _mix(values, share, others):
    return share * values + (1 - share) * values[others]
