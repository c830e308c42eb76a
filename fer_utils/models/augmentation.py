"""Random changes of the training images as one Keras layer (report §3 and §5.1), stronger ones, and mixtures."""

import math
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
    """Which changes an augmentation makes, in their order, and up to which limits; "affine" makes four in one go."""

    changes: tuple[str, ...]
    degrees: float = ROTATION_DEGREES
    zoom: float = ZOOM
    shift: float = SHIFT


ALL_CHANGES = "flip", "rotate", "zoom", "shift", "erase"
# Those of the course; three of other people (`training.experiments.CANDIDATES`); "strong" in one resampling.
AUGMENTATIONS = {
    "none": Amounts(()),
    "flip": Amounts(ALL_CHANGES[:1]),
    "mild": Amounts(ALL_CHANGES[:3]),
    "shift": Amounts(ALL_CHANGES[:4]),
    "strong": Amounts(ALL_CHANGES),
    "book": Amounts(ALL_CHANGES[:3], 40, 0.2),
    "public": Amounts(ALL_CHANGES[:3], 30, 0.3),
    "tutorial": Amounts(ALL_CHANGES[:3], 36, 0.1),
    "affine": Amounts(("affine", "erase")),
    "wide": Amounts(("affine", "erase"), 15, 0.2, 0.1),
    # Less of it, without and with erasing; places alone, as in crops of 44 pixels; more of it from epoch to epoch.
    "small_affine": Amounts(("affine",), 6, 0.06, 0.05),
    "small_erased": Amounts(("affine", "erase"), 6, 0.06, 0.05),
    "crop": Amounts(("affine",), 0, 0, 4 / 48),
    "growing": Amounts(("flip", "grow")),
}


def augmentation_layer(seed=0, name="mild", interpolation="bilinear"):
    """Returns a layer that changes images (N, 48, 48, 1) at random in training, and only then.

    "mild" flips with probability one half, rotates up to 10 degrees either way and zooms up to 10 % either way: the
    report names the three (§3) and gives no amounts. "flip" only flips; "shift" also shifts, up to a tenth of the
    width, and "strong" also erases, in half of the images, a box of up to a fifth of the area, in grey (Zhong et al.
    2020). `AUGMENTATIONS` lists all names. The same `seed` gives the same sequence of random changes. `interpolation`
    is Keras's: "bilinear" smooths the image, once with every change, or once in all ("affine"); "nearest" leaves it
    sharp. Of "growing", all but the flip is made in a share of the images that `set_share` sets.
    """
    amounts = AUGMENTATIONS[name]
    how = {"fill_mode": "nearest", "interpolation": interpolation}
    layers_of = {
        "flip": lambda: layers.RandomFlip("horizontal", seed=seed, name="flip"),
        "rotate": lambda: layers.RandomRotation(amounts.degrees / 360, **how, seed=seed + 1, name="rotate"),
        "zoom": lambda: layers.RandomZoom(amounts.zoom, **how, seed=seed + 2, name="zoom"),
        "shift": lambda: layers.RandomTranslation(amounts.shift, amounts.shift, **how, seed=seed + 3, name="shift"),
        "erase": lambda: layers.RandomErasing(
            scale=ERASED, fill_value=0.5, value_range=(0, 1), seed=seed + 4, name="erase"
        ),
        "affine": lambda: RandomAffine(amounts, interpolation, seed, name="affine"),
        "grow": lambda: Growing([layers_of["affine"](), layers_of["erase"]()], seed + 5, name="grow"),
    }
    return keras.Sequential([layers_of[change]() for change in amounts.changes], name="augmentation")


class RandomAffine(layers.Layer):
    """Flips, rotates, zooms and shifts images (N, height, width, C) in training, all in one resampling.

    Four layers of Keras do the same one after the other, and three of them resample. `amounts` gives the limits.
    """

    def __init__(self, amounts, interpolation, seed, **options):
        super().__init__(**options)
        self.amounts, self.interpolation = amounts, interpolation
        self.random = keras.random.SeedGenerator(seed)
        self.supports_jit = keras.backend.backend() != "tensorflow"  # XLA has not TensorFlow's own operation

    def call(self, images, training=False):
        if not training:
            return images
        return keras.ops.image.affine_transform(
            images, self._transforms(images), interpolation=self.interpolation, fill_mode="nearest"
        )

    def _transforms(self, images):
        """Returns (N, 8): which place of the input is shown at each place of the output, measured from the corner."""
        ops, (height, width) = keras.ops, images.shape[1:3]
        angle, zoom, right, down, side = (
            self._draw(images, limit)
            for limit in (math.radians(self.amounts.degrees), self.amounts.zoom, *[self.amounts.shift] * 2, 1)
        )
        mirror, across, up = ops.where(side < 0, -1.0, 1.0), (1 + zoom) * ops.cos(angle), (1 + zoom) * ops.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        rows = []
        for to_x, to_y, middle in ((mirror * across, -mirror * up, x), (up, across, y)):
            rows += [to_x, to_y, middle - to_x * (x + right * width) - to_y * (y + down * height)]
        return ops.stack([*rows, ops.zeros_like(angle), ops.zeros_like(angle)], axis=1)

    def _draw(self, images, limit):
        return keras.random.uniform(keras.ops.shape(images)[:1], -limit, limit, seed=self.random)


class Growing(layers.Layer):
    """Makes all of `changes`, layers, in a share of the images, each drawn on its own, and none in the others.

    `set_share` sets the share, which is nought at first.
    """

    def __init__(self, changes, seed, **options):
        super().__init__(**options)
        self.changes = changes
        self.random = keras.random.SeedGenerator(seed)
        self.share = self.add_weight(shape=(), initializer="zeros", trainable=False, name="share")

    def build(self, shape):
        for change in self.changes:
            change.build(shape)

    def call(self, images, training=False):
        if not training:
            return images
        ops, changed = keras.ops, images
        for change in self.changes:
            changed = change(changed, training=True)
        drawn = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=self.random)
        return ops.where(drawn < self.share, changed, images)


def set_share(network, share):
    """Sets the share of images, 0 to 1, that a "growing" augmentation of `network` changes; others stay as they are."""
    for layer in network.layers:
        for part in getattr(layer, "layers", []):
            if isinstance(part, Growing):
                part.share.assign(share)


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
