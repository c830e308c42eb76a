"""The augmentation layer: in training only, set by its seed, of the size it promises."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models.augmentation import (
    AUGMENTATIONS,
    ERASED,
    SHIFT,
    Amounts,
    RandomAffine,
    augmentation_layer,
    mix_pairs,
    set_share,
    smooth,
)


@pytest.fixture(scope="module")
def images():
    """Smooth images in 0..1, bright on the left: a flip shows in the mean of the halves."""
    columns = np.linspace(1, 0, 48, dtype=np.float32)
    shades = np.linspace(0.5, 1, 64, dtype=np.float32)
    return (shades[:, None, None] * np.tile(columns, (48, 1)))[..., None]


def augment(images, seed=0, training=True, times=1):
    layer = augmentation_layer(seed)
    return [keras.ops.convert_to_numpy(layer(images, training=training)) for _ in range(times)]


def is_flipped(images):
    return images[:, :, :24].mean(axis=(1, 2, 3)) < images[:, :, 24:].mean(axis=(1, 2, 3))


def test_images_change_in_training_and_only_there(images):
    (changed,) = augment(images, training=True)
    (unchanged,) = augment(images, training=False)
    np.testing.assert_array_equal(unchanged, images)
    assert changed.shape == images.shape
    assert not np.array_equal(changed, images)


def test_the_seed_sets_the_whole_sequence(images):
    first, second = augment(images, seed=3, times=2), augment(images, seed=3, times=2)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1]), "every batch is to be changed anew"
    assert not np.array_equal(first[0], augment(images, seed=4)[0])


def test_about_half_of_the_images_are_flipped_each_on_its_own(images):
    flipped = np.concatenate([is_flipped(batch) for batch in augment(images, times=4)])
    assert 0.4 < flipped.mean() < 0.6  # 256 images: 3 standard deviations


def test_faces_are_never_turned_upside_down():
    rows = np.linspace(1, 0, 48, dtype=np.float32)
    bright_above = np.broadcast_to(rows[:, None, None], (64, 48, 48, 1))
    (changed,) = augment(bright_above)
    assert (changed[:, :24].mean(axis=(1, 2, 3)) > changed[:, 24:].mean(axis=(1, 2, 3))).all()


def test_values_stay_in_range_and_corners_are_not_filled_with_black(images):
    for batch in augment(images + 0.0, times=2):
        assert batch.min() >= 0 and batch.max() <= 1
    white = np.ones((64, 48, 48, 1), np.float32)
    np.testing.assert_allclose(augment(white)[0], 1, atol=1e-5)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_kind_makes_its_changes(name):
    n_changes = {"none": 0, "flip": 1, "shift": 4, "strong": 5}.get(name, 3)
    in_one_go = dict.fromkeys(("affine", "wide", "small_erased"), ["affine", "erase"])
    in_one_go |= {"small_affine": ["affine"], "crop": ["affine"], "growing": ["flip", "grow"]}
    names = in_one_go.get(name) or ["flip", "rotate", "zoom", "shift", "erase"][:n_changes]
    assert [change.name for change in augmentation_layer(name=name).layers] == names


def test_bilinear_interpolation_smooths_the_image_and_nearest_leaves_it_sharp():
    checks = np.indices((48, 48)).sum(axis=0) % 2
    images = np.broadcast_to(checks[:, :, None].astype(np.float32), (64, 48, 48, 1))
    smooth, sharp = (
        keras.ops.convert_to_numpy(augmentation_layer(name="shift", interpolation=kind)(images, training=True))
        for kind in ("bilinear", "nearest")
    )
    assert set(np.unique(sharp)) == {0, 1} and smooth.std() < 0.5 * sharp.std()


def test_strong_augmentation_erases_a_box_in_grey_and_shifts_up_to_a_tenth():
    black = np.zeros((256, 48, 48, 1), np.float32)
    changed = keras.ops.convert_to_numpy(augmentation_layer(name="strong")(black, training=True))
    erased = (changed == 0.5).mean(axis=(1, 2, 3))
    assert set(np.unique(changed)) == {0, 0.5}
    low, high = ERASED
    assert 0.4 < np.mean(erased > 0) < 0.6
    assert 0.5 * low < erased[erased > 0].min() < 2 * low and 0.5 * high < erased.max() < 1.1 * high
    shift = augmentation_layer(name="shift").get_layer("shift")
    dot = np.zeros((256, 48, 48, 1), np.float32)
    dot[:, 24, 24] = 1
    moved = keras.ops.convert_to_numpy(shift(dot, training=True))[..., 0]
    rows = (moved.sum(axis=2) * np.arange(48)).sum(axis=1) - 24
    assert 0.8 * SHIFT * 48 < np.abs(rows).max() <= SHIFT * 48 + 0.01


def test_a_growing_augmentation_changes_the_share_of_images_that_is_set():
    black = np.zeros((400, 48, 48, 1), np.float32)
    black[:, 24, 24] = 1  # a dot, so that a move shows
    network = keras.Sequential([keras.Input((48, 48, 1)), augmentation_layer(name="growing")])
    for share in (0, 0.3, 1):
        set_share(network, share)
        changed = keras.ops.convert_to_numpy(network(black, training=True))
        moved = np.any(changed != black, axis=(1, 2, 3)) & np.any(changed[:, :, ::-1] != black, axis=(1, 2, 3))
        assert abs(moved.mean() - share) < (0.08 if share == 0.3 else 0.03)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(network(black, training=False)), black)


def place_of_dot(change, place, times=1):
    """(places across, places up) from the middle, in pixels, to which a dot `place` pixels above it is changed."""
    dot = np.zeros((256, 49, 49, 1), np.float32)
    dot[:, 22 - place : 27 - place, 22:27] = 1
    changed = np.concatenate([keras.ops.convert_to_numpy(change(dot, training=True)) for _ in range(times)])
    weights = changed[..., 0] / changed.sum(axis=(1, 2, 3))[:, None, None]
    across = (weights * np.arange(-24, 25)).sum(axis=(1, 2))
    return across, (weights * np.arange(24, -25, -1)[:, None]).sum(axis=(1, 2))


@pytest.mark.parametrize(
    ("change", "degrees", "zoom"),
    [
        pytest.param(lambda: augmentation_layer(0), 10, 0.1, id="mild"),
        pytest.param(lambda: RandomAffine(Amounts((), 6, 0.06, 0.0), "bilinear", seed=0), 6, 0.06, id="affine"),
    ],
)
def test_rotation_and_zoom_stay_within_their_limits(change, degrees, zoom):
    # A dot 20 pixels above the middle: where it goes tells angle and zoom (a flip only mirrors the angle).
    across, up = place_of_dot(change(), 20)
    angles, distances = np.degrees(np.arctan2(across, up)), np.hypot(across, up) / 20
    assert 0.8 * degrees < np.abs(angles).max() < degrees + 0.5
    assert angles.min() < 0 < angles.max()
    assert 1 - 1.2 * zoom < distances.min() < 1 - 0.7 * zoom
    assert 1 + 0.7 * zoom < distances.max() < 1 + 1.3 * zoom


def test_one_resampling_flips_half_of_the_faces_and_shifts_all_up_to_its_limit(images):
    only_shift = RandomAffine(Amounts((), 0.0, 0.0, SHIFT), "bilinear", seed=0)
    across, up = place_of_dot(only_shift, 0, times=2)
    for moved in (across, up):
        assert 0.9 * SHIFT * 49 < np.abs(moved).max() <= SHIFT * 49 + 0.01 and abs(moved.mean()) < 0.1 * SHIFT * 49
    only_flip = RandomAffine(Amounts((), 0.0, 0.0, 0.0), "bilinear", seed=0)
    changed = keras.ops.convert_to_numpy(only_flip(images, training=True))
    flipped = is_flipped(changed)
    assert 0.4 < flipped.mean() < 0.6
    np.testing.assert_allclose(changed, np.where(flipped[:, None, None, None], images[:, :, ::-1], images), atol=1e-5)


def test_one_resampling_smooths_less_than_three():
    checks = np.indices((48, 48)).sum(axis=0) % 2
    images = np.broadcast_to(checks[:, :, None].astype(np.float32), (256, 48, 48, 1))
    once, thrice = (
        keras.ops.convert_to_numpy(layer(images, training=True)).std()
        for layer in (RandomAffine(Amounts(()), "bilinear", seed=0), augmentation_layer(name="shift"))
    )
    assert once > 1.2 * thrice


def test_one_resampling_is_set_by_its_seed_stays_in_range_and_leaves_alone_what_is_not_trained(images):
    first, again, other = (augmentation_layer(seed, "affine") for seed in (3, 3, 4))
    changed = [keras.ops.convert_to_numpy(layer(images, training=True)) for layer in (first, again, other)]
    np.testing.assert_array_equal(changed[0], changed[1])
    assert not np.array_equal(changed[0], changed[2]) and changed[0].min() >= 0 and changed[0].max() <= 1
    assert not np.array_equal(keras.ops.convert_to_numpy(first(images, training=True)), changed[0])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(first(images, training=False)), images)


def test_mixtures_have_two_faces_and_two_labels_in_the_same_shares():
    shades = np.array([0, 100, 200], np.uint8)
    images, targets = np.tile(shades[:, None, None, None], (1, 48, 48, 1)), np.eye(7, dtype=np.float32)[:3]
    mixed, wanted = map(np.asarray, mix_pairs(images, targets, 1.0, np.random.default_rng(2)))
    assert mixed.dtype == np.uint8 and mixed.shape == images.shape and wanted.dtype == np.float32
    assert not np.array_equal(mixed, images)
    np.testing.assert_allclose(wanted.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(wanted.argmax(axis=1), [0, 1, 2])
    np.testing.assert_allclose(mixed[:, 0, 0, 0], wanted[:, :3] @ shades, atol=0.51)
    again, _ = mix_pairs(images, targets, 1.0, np.random.default_rng(2))
    np.testing.assert_array_equal(mixed, again)


def test_a_small_strength_leaves_most_faces_nearly_as_they_are():
    targets = np.eye(7, dtype=np.float32)[np.arange(700) % 7]
    images = np.zeros((700, 1, 1, 1), np.uint8)
    kept = {
        strength: mix_pairs(images, targets, strength, np.random.default_rng(0))[1].max(axis=1)
        for strength in (0.05, 5.0)
    }
    assert np.median(kept[0.05]) > 0.99 and np.median(kept[5.0]) < 0.7


def test_smoothing_takes_the_mean_of_four_pixels():
    image = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), np.uint8)
    smoothed = smooth(image)
    assert smoothed.shape == image.shape and smoothed.dtype == np.uint8
    assert abs(smoothed[0, 3, 7, 0] - image[0, 3:5, 7:9, 0].mean()) <= 0.5
    assert abs(smoothed[1, 47, 47, 0] - image[1, 47, 47, 0]) == 0, "the border is repeated"
    np.testing.assert_array_equal(smooth(np.full((1, 48, 48, 1), 255, np.uint8)), 255)
