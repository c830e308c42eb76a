"""The faces in a photo, and what is said of an answer."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from fer_utils.data.formats import _decode_image, read_fer2013
from fer_utils.environment import PROJECT
from fer_utils.models.prediction import predict_views
from fer_utils.photo.answers import Answer, Box, crop_face, find_faces, format_answers, name_expressions
from fer_utils.photo.reading import sample_photo
from small_photos import NOISE, encode
from small_training import build_small_network, make_run


@pytest.fixture(scope="module")
def portrait():
    picture, words = sample_photo()
    assert "Grace Hopper" in words
    return picture


@pytest.fixture(scope="module")
def network():
    return build_small_network(0.1)


# --- faces ---


CENTRE = np.array([262, 216])  # of the portrait's face, by eye


def assert_on_the_face(box, scale=1.0, shift=0.0):
    centre = np.array([box.left + box.side / 2, box.top + box.side / 2])
    assert np.abs(centre - (scale * CENTRE + [shift, 0])).max() < 25 * scale
    assert 180 * scale < box.side < 290 * scale


def test_one_face_is_found(portrait):
    (box,) = find_faces(portrait)
    assert_on_the_face(box)


def test_several_faces_come_from_left_to_right(portrait):
    boxes = find_faces(np.concatenate([portrait] * 3, axis=1))
    assert len(boxes) == 3
    for number, box in enumerate(boxes):
        assert_on_the_face(box, shift=512 * number)


@pytest.mark.parametrize("width", [96, 2600, 5000])
def test_small_and_huge_photos(portrait, width):
    scale = width / 512
    resized = Image.fromarray(portrait).resize((width, round(600 * scale)))
    (box,) = find_faces(np.asarray(resized))
    assert_on_the_face(box, scale)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_no_face_where_there_is_none(name):
    assert find_faces(load_sample_image(name)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (48, 48)])
def test_no_face_in_odd_shapes(shape):
    assert find_faces(np.zeros((*shape, 3), np.uint8)) == []


def test_a_square_never_leaves_the_photo(monkeypatch):
    class Detector:
        def detectMultiScale(self, searched, **options):
            height, width = searched.shape
            return [(width - 30, height - 30, 30, 30)]

    monkeypatch.setattr("fer_utils.photo.answers._detector", Detector)
    for size in (801, 1_234, 3_333):
        (box,) = find_faces(np.zeros((size - 13, size, 3), np.uint8))
        assert box.left + box.side <= size and box.top + box.side <= size - 13


def test_a_photo_and_a_file_of_a_class_folder_go_the_same_way():
    face = NOISE[:48, :48]
    from_folder = _decode_image(encode(Image.fromarray(face)), "train/happy/1.png")
    cropped = crop_face(np.pad(face, ((5, 9), (7, 2), (0, 0))), Box(7, 5, 48))
    assert cropped.shape == (48, 48, 1) and cropped.dtype == np.uint8
    np.testing.assert_array_equal(cropped[..., 0], from_folder)


# --- answers ---


def answer_of(share_right, probability=0.8):
    probabilities = np.full(7, (1 - probability) / 6, np.float32)
    probabilities[3] = probability
    return Answer(Box(1, 2, 3), np.zeros((48, 48, 1), np.uint8), probabilities, share_right)


def test_an_answer_says_what_it_is_worth():
    sure, unsure = answer_of(0.9), answer_of(0.5, 0.4)
    assert (sure.name, round(sure.probability, 3), sure.uncertain) == ("Happy", 0.8, False)
    assert str(sure) == "Happy 80% (of FER2013's test answers this sure, 90% were right)"
    assert unsure.uncertain and str(unsure).startswith("Happy 40% (UNCERTAIN: of FER2013's")


def test_description_holds_every_face_and_what_an_answer_is_not():
    words = format_answers([answer_of(0.9), answer_of(0.3)])
    assert words.startswith("2 faces, from left to right\n1: Happy") and "\n2: Happy 80% (UNCERTAIN" in words
    assert words.count("Disgust 3%") == 2 and words.endswith("not what the person feels.")
    assert format_answers([answer_of(0.9)]).startswith("1 face\n")
    assert format_answers([]).startswith("no face found; it should be upright")


def test_every_face_is_asked_about(portrait, network):
    run = make_run()
    two = np.concatenate([portrait, portrait], axis=1)
    answers = name_expressions(two, network, run)
    assert [answer.box for answer in answers] == find_faces(two)
    for answer in answers:
        np.testing.assert_array_equal(answer.image, crop_face(two, answer.box))
        np.testing.assert_allclose(answer.probabilities.sum(), 1, rtol=1e-4)
        assert answer.share_right == 0.5, "half of the run's test answers are right"
    assert name_expressions(load_sample_image("china.jpg"), network, run) == []


def test_a_face_is_judged_by_as_many_views_as_the_test_images_were(portrait, network):
    (answer,) = name_expressions(portrait, network, make_run(views=10))
    expected = predict_views(network, answer.image[np.newaxis], views=10)[0]
    np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)


def test_grey_levels_of_fer2013_in_the_notebook(real_fer2013):
    found = read_fer2013(real_fer2013 / "fer2013.npz")
    faces = found.pixels[found.usage == 0].reshape(-1, 48 * 48).astype(np.float32)
    text = (PROJECT / "notebooks" / "11_your_own_photo.ipynb").read_text(encoding="utf-8")
    for share, words in ((0.5, "median"), (0.05, "5 % are below"), (0.95, "5 % are above")):
        mean, deviation = (np.quantile(values, share) for values in (faces.mean(axis=1), faces.std(axis=1)))
        assert f'of FER2013, {words}\\": ({mean:.0f}, {deviation:.0f})' in text
