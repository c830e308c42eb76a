"""The drawn faces: repeatable to the byte, honest about their labels, and neither too easy nor too hard."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_utils.data import drawn_faces
from fer_utils.data.drawn_faces import ACTION_UNITS, LABEL_NOISE, MISTAKEN, SIZES, UNITS, draw_face, draw_faces
from fer_utils.data.fer2013 import CLASS_NAMES, COUNTS


@pytest.fixture(scope="module")
def faces():
    return draw_faces((800, 400, 100), seed=0)


@pytest.fixture(scope="module")
def many_classes():
    """Labels and shown classes of 20,000 faces, chosen as `draw_faces` chooses them but without the drawing."""
    draws = np.random.default_rng(1).random((20000, len(drawn_faces.COLUMNS)))
    return drawn_faces._choose_classes(draws)


def standard_error(share, n_faces):
    return np.sqrt(share * (1 - share) / n_faces)


def test_units_come_in_the_order_of_the_classes():
    assert tuple(ACTION_UNITS) == CLASS_NAMES


def test_docstring_names_every_unit():
    rows = [line.split()[0] for line in drawn_faces.__doc__.splitlines() if line[:1].isdigit()]
    assert rows == [str(unit) for unit in UNITS]


def test_sizes_are_those_of_fer2013_in_the_full_profile():
    assert SIZES["full"] == tuple(sum(counts) for counts in COUNTS.values())
    assert SIZES["quick"] < SIZES["full"]


def test_arrays_have_the_promised_form(faces):
    images, labels, usage = faces
    assert images.shape == (1300, 48, 48)
    assert labels.shape == usage.shape == (1300,)
    assert images.dtype == labels.dtype == usage.dtype == np.uint8
    assert np.bincount(usage).tolist() == [800, 400, 100]
    assert labels.max() < len(CLASS_NAMES)


def test_same_seed_gives_the_same_bytes():
    first, second = draw_faces((30, 10, 5), seed=7), draw_faces((30, 10, 5), seed=7)
    for one, other in zip(first, second, strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_face_depends_only_on_seed_split_and_index(faces, monkeypatch):
    images, labels, usage = faces
    monkeypatch.setattr(drawn_faces, "BLOCK", 7)
    few_images, few_labels, few_usage = draw_faces((25, 10, 0), seed=0)
    for split, count in ((0, 25), (1, 10)):
        np.testing.assert_array_equal(few_images[few_usage == split], images[usage == split][:count])
        np.testing.assert_array_equal(few_labels[few_usage == split], labels[usage == split][:count])


def test_seeds_and_splits_give_other_faces(faces):
    images, _, usage = faces
    other_images, _, _ = draw_faces((10, 0, 0), seed=1)
    assert not np.array_equal(images[:10], other_images)
    assert not np.array_equal(images[usage == 0][:10], images[usage == 1][:10])
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_labels_are_as_frequent_as_in_fer2013(many_classes):
    labels, _ = many_classes
    expected = np.array(COUNTS["Training"]) / sum(COUNTS["Training"])
    found = np.bincount(labels, minlength=7) / len(labels)
    assert np.all(np.abs(found - expected) < 4 * standard_error(expected, len(labels)))


def test_a_known_share_of_the_labels_is_wrong(many_classes):
    labels, shown = many_classes
    wrong = np.mean(labels != shown)
    assert abs(wrong - LABEL_NOISE) < 4 * standard_error(LABEL_NOISE, len(labels))
    for label, name in enumerate(CLASS_NAMES):
        mistaken_for = {CLASS_NAMES[index] for index in shown[labels == label]} - {name}
        assert mistaken_for == set(MISTAKEN[name])


def test_drawn_blocks_tell_labels_from_shown_classes():
    images, labels, shown = drawn_faces._draw_block(seed=0, split=2, start=40, stop=100)
    assert len(images) == len(labels) == len(shown) == 60
    assert 0 < np.mean(labels != shown) < 0.3


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_changes_the_face_more_the_stronger_it_is(unit):
    for identity in range(4):
        neutral, half, whole = (draw_face({unit: intensity}, identity).astype(int) for intensity in (0, 0.5, 1))
        assert 0 < np.abs(half - neutral).sum() < np.abs(whole - neutral).sum()
        assert np.abs(whole - neutral).max() >= 10


@pytest.mark.parametrize(
    ("unit", "rows"),
    [(1, (0, 24)), (2, (0, 24)), (5, (10, 28)), (7, (10, 28)), (12, (24, 48)), (15, (24, 48)), (26, (24, 48))],
)
def test_units_move_their_own_part_of_the_face(unit, rows):
    change = np.abs(draw_face({unit: 1.0}, identity=5).astype(int) - draw_face({}, identity=5))
    assert change[slice(*rows)].sum() > 0.95 * change.sum()


def test_classes_and_identities_look_different():
    portraits = [draw_face(dict.fromkeys(ACTION_UNITS[name], 1.0), identity=3) for name in CLASS_NAMES]
    portraits += [draw_face({}, identity) for identity in range(4, 20)]
    assert len(np.unique(np.stack(portraits).reshape(len(portraits), -1), axis=0)) == len(portraits)


def test_portrait_is_clean_and_repeatable():
    portrait = draw_face({6: 1.0, 12: 0.8}, identity=2)
    assert portrait.shape == (48, 48)
    assert portrait.dtype == np.uint8
    np.testing.assert_array_equal(portrait, draw_face({12: 0.8, 6: 1}, identity=2))
    np.testing.assert_array_equal(draw_face({}, identity=2), draw_face({12: 0}, identity=2))


def test_faces_have_light_and_dark_tones(faces):
    images, _, _ = faces
    low, high = np.percentile(images.reshape(len(images), -1), [2, 98], axis=1)
    assert np.median(high - low) > 100
    assert np.mean(high - low > 40) > 0.98
    assert 100 < images.mean() < 155
    assert 45 < images.std() < 80


def test_neither_side_of_the_image_gives_anything_away(faces):
    """Turning a face round leaves its label true: light, turn and hair prefer no side."""
    images, _, _ = faces
    assert abs(images[:, :, :24].mean() - images[:, :, 24:].mean()) < 5


@pytest.mark.parametrize("counts", [(), (10, 5), (10, 5, 5, 5), (0, 0, 0), (-1, 5, 5), (2.5, 1, 1), ("3", 1, 1)])
def test_bad_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts are"):
        draw_faces(counts, seed=0)


@pytest.mark.parametrize("seed", (-1, 0.5, None))
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="whole number"):
        draw_faces((1, 0, 0), seed)
    with pytest.raises(ValueError, match="whole number"):
        draw_face({}, identity=seed)


@pytest.mark.parametrize("units", [{3: 1.0}, {"12": 1.0}, {12: 1.5}, {12: -0.1}, {12: float("nan")}])
def test_bad_units_are_refused(units):
    with pytest.raises(ValueError, match="action unit"):
        draw_face(units)


@pytest.mark.slow
def test_a_linear_classifier_learns_something_but_not_everything(faces):
    """Pixels alone say less than a network can find, and more than always naming the commonest class."""
    images, labels, usage = faces
    pixels = images.reshape(len(images), -1) / 255
    train, test = usage == 0, usage > 0
    classifier = make_pipeline(PCA(120, random_state=0), StandardScaler(), LogisticRegression(C=0.02, max_iter=500))
    accuracy = classifier.fit(pixels[train], labels[train]).score(pixels[test], labels[test])
    majority = np.mean(labels[test] == np.bincount(labels[train]).argmax())
    assert majority + 0.05 < accuracy < 0.7
