"""The faces in a photo, and what is said of an answer."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from fer_utils.data.formats import read_fer2013
from fer_utils.data.images import decode_face
from fer_utils.environment import PROJECT
from fer_utils.models.prediction import predict_views
from fer_utils.photo.answers import (
    SQUARES,
    Answer,
    Box,
    crop_face,
    cut_squares,
    find_faces,
    format_answers,
    name_expressions,
)
from fer_utils.photo.reading import read_photo, sample_photo
from fer_utils.report import load_recorded
from fer_utils.training import load_network
from small_photos import NOISE, encode
from small_training import build_small_network, make_run


@pytest.fixture(scope="module")
def portrait():
    picture, words = sample_photo("hard")
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
    from_folder, _ = decode_face(encode(Image.fromarray(face)), "train/happy/1.png", resize=True)
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


def test_a_face_is_judged_on_every_square_by_as_many_views_as_the_test_images_were(portrait, network):
    (answer,) = name_expressions(portrait, network, make_run(views=10))
    squares = cut_squares(portrait, answer.box)
    np.testing.assert_array_equal(squares[0], answer.image)
    expected = np.mean([predict_views(network, square[np.newaxis], views=10)[0] for square in squares], axis=0)
    np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)
    assert np.abs(answer.probabilities - predict_views(network, squares[:1], views=10)[0]).max() > 1e-4


def test_squares_have_one_centre_and_the_border_is_continued():
    photo = np.repeat(np.arange(100, dtype=np.uint8)[np.newaxis], 100, axis=0)[..., np.newaxis].repeat(3, axis=2)
    plain, wide = cut_squares(photo, Box(30, 30, 40))
    assert len(SQUARES) == 2 and abs(int(plain[24, 24, 0]) - int(wide[24, 24, 0])) <= 1
    assert wide[0, 0, 0] < plain[0, 0, 0] - 2 and wide[0, -1, 0] > plain[0, -1, 0] + 2
    beyond = crop_face(photo, Box(60, -20, 48))
    np.testing.assert_array_equal(beyond[0, :, 0], np.minimum(np.arange(60, 108), 99))


# --- pictures that are cropped faces ---


GREY = np.full((1, 1, 3), 128, np.uint8)


@pytest.mark.parametrize("shape", [(48, 48), (224, 224), (1000, 1200), (90, 160)])
def test_a_small_or_nearly_square_picture_without_a_face_is_judged_whole_and_says_so(network, shape):
    (answer,) = name_expressions(np.broadcast_to(GREY, (*shape, 3)), network, make_run(dataset="FER2013"))
    assert answer.box == ((shape[1] - min(shape)) // 2, (shape[0] - min(shape)) // 2, min(shape))
    assert answer.such_answers == "FER2013's test answers this sure" and "no face was found" in answer.note
    assert format_answers([answer]).startswith(f"{answer.note}\n1: ")


def test_of_a_wide_photo_only_the_faces_are_judged(network):
    assert name_expressions(np.broadcast_to(GREY, (300, 400, 3)), network, make_run()) == []


@pytest.mark.parametrize(("margin", "is_whole"), [(1.3, True), (1.9, False)])
def test_a_face_about_as_large_as_the_picture(portrait, network, margin, is_whole):
    (box,) = find_faces(portrait)
    side = round(margin * box.side)
    left, top = (round(edge - (margin - 1) * box.side / 2) for edge in box[:2])
    picture = portrait[max(top, 0) :, max(left, 0) :][:side, :side]
    (answer,) = name_expressions(picture, network, make_run())
    assert bool(answer.note) is is_whole
    if is_whole:
        assert "the face fills the picture" in answer.note and answer.box.side == min(picture.shape[:2])
        expected = predict_views(network, answer.image[np.newaxis], 1)[0]
        np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)


def test_whole_when_asked(portrait, network):
    (answer,) = name_expressions(np.concatenate([portrait, portrait], axis=1), network, make_run(), whole=True)
    assert answer.box == (212, 0, 600) and answer.note == "judged whole, as asked"


def test_an_answer_is_worth_what_the_record_says(portrait, network, monkeypatch):
    record = {"confidence": [0.2, 0.3], "correct": [1, 1]}
    monkeypatch.setattr("fer_utils.photo.answers.load_photo_record", lambda run: record)
    (cut,) = name_expressions(portrait, network, make_run())
    assert cut.share_right == 1 and "on FER2013's validation faces, cut out in the same way, 100% were" in str(cut)
    (whole,) = name_expressions(portrait, network, make_run(), whole=True)
    assert whole.share_right == 0.5, "half of the run's test answers are right"


@pytest.mark.slow
def test_fer2013_given_as_files_costs_at_most_a_point(real_fer2013, tmp_path):
    run = load_recorded("fast")["fast"][0]
    network = load_network(run)
    found = read_fer2013(real_fer2013 / "fer2013.npz")
    faces, labels = (values[found.usage == 1][:300] for values in (found.pixels, found.labels))
    for number, face in enumerate(faces):
        Image.fromarray(face).save(tmp_path / f"{number}.png")
    photos = [read_photo(tmp_path / f"{number}.png") for number in range(len(faces))]
    said = [answers[0].probabilities.argmax() for answers in (name_expressions(p, network, run) for p in photos)]
    direct = predict_views(network, faces[..., np.newaxis], run.views).argmax(axis=1)
    assert np.mean(said == labels) >= np.mean(direct == labels) - 0.01


def test_grey_levels_of_fer2013_in_the_notebook(real_fer2013):
    found = read_fer2013(real_fer2013 / "fer2013.npz")
    faces = found.pixels[found.usage == 0].reshape(-1, 48 * 48).astype(np.float32)
    text = (PROJECT / "notebooks" / "12_your_own_photo.ipynb").read_text(encoding="utf-8")
    for share, words in ((0.5, "median"), (0.05, "5 % are below"), (0.95, "5 % are above")):
        mean, deviation = (np.quantile(values, share) for values in (faces.mean(axis=1), faces.std(axis=1)))
        assert f'of FER2013, {words}\\": ({mean:.0f}, {deviation:.0f})' in text
