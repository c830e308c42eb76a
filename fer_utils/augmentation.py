"""Random flips, rotations and zooms as one Keras layer (report §3 and §5.1)."""

from fer_utils.environment import quiet_stderr

with quiet_stderr():
    import keras
    from keras import layers

ROTATION_DEGREES = 10
ZOOM = 0.1


def augmentation_layer(seed=0, changes=True):
    """A layer that flips, rotates and zooms images (N, 48, 48, 1) at random in training, and only then.

    Horizontal flip with probability one half, rotation up to 10 degrees either way, zoom up to 10 % either way: the
    report names the three (§3) and gives no amounts. The same `seed` gives the same sequence of random changes.
    With `changes` "flip" it only flips.
    """
    every = [
        layers.RandomFlip("horizontal", seed=seed, name="flip"),
        layers.RandomRotation(ROTATION_DEGREES / 360, fill_mode="nearest", seed=seed + 1, name="rotate"),
        layers.RandomZoom(ZOOM, fill_mode="nearest", seed=seed + 2, name="zoom"),
    ]
    return keras.Sequential(every[:1] if changes == "flip" else every, name="augmentation")
