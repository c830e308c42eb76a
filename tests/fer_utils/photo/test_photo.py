"""Photos of every form, whole and damaged; the faces in them; and what is said of an answer."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from fer_utils.data.formats import _decode_image, prepare_face, read_fer2013
from fer_utils.environment import PROJECT
from fer_utils.models.prediction import predict_views
from fer_utils.photo import answers as photo_answers
from fer_utils.photo import reading as photo_reading
from fer_utils.photo import widget as widgets
from fer_utils.photo.answers import Answer, Box
from fer_utils.photo.reading import PhotoError
from fer_utils.report import recorded as records
from fer_utils.training import runs as run_files
from small_training import build_small_network, make_run


@pytest.fixture(scope="module")
def portrait():
    picture, words = photo_reading.sample_photo()
    assert "Grace Hopper" in words
    return picture


@pytest.fixture(scope="module")
def network():
    return build_small_network(0.1)


def encode(image, kind="png", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


# --- reading ---

COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[0, 0, 0], [120, 120, 120]]], np.uint8)


def test_a_photo_comes_as_it_is_from_path_and_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(Image.fromarray(COLOURS)))
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()):
        read = photo_reading.read_photo(source)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, COLOURS)


def test_transparent_places_are_white():
    rgba = np.dstack([COLOURS, np.full((3, 2), 255, np.uint8)])
    rgba[0, 0, 3] = 0
    rgba[2, 0, 3] = 128
    read = photo_reading.read_photo(encode(Image.fromarray(rgba)))
    np.testing.assert_array_equal(read[0], [[255, 255, 255], [0, 255, 0]])
    assert np.abs(read[2, 0].astype(int) - 127).max() <= 1, "half transparent black is medium grey"
    grey = Image.fromarray(np.array([[[0, 0], [0, 255]]], np.uint8), "LA")
    np.testing.assert_array_equal(photo_reading.read_photo(encode(grey))[0], [[255] * 3, [0] * 3])


def test_palette_with_a_transparent_colour():
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    read = photo_reading.read_photo(encode(image, transparency=1))
    np.testing.assert_array_equal(read[0], [[255, 0, 0], [255, 255, 255], [0, 0, 255]])


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_of_grey_become_eight(kind):
    image = Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16))
    np.testing.assert_array_equal(photo_reading.read_photo(encode(image, kind))[0, :, 0], [0, 100, 255])


@pytest.mark.parametrize(("mode", "kind"), [("1", "png"), ("L", "png"), ("CMYK", "tiff"), ("YCbCr", "jpeg")])
def test_other_modes_keep_their_colours(mode, kind):
    grey = np.repeat(np.repeat(np.array([[0, 255]], np.uint8), 8, 0), 8, 1)
    read = photo_reading.read_photo(encode(Image.fromarray(grey).convert("RGB").convert(mode), kind))
    assert read.shape == (8, 16, 3)
    np.testing.assert_allclose(read, np.stack([grey] * 3, axis=-1), atol=1)


def test_exif_turns_the_photo():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    read = photo_reading.read_photo(encode(Image.fromarray(COLOURS), exif=exif))
    np.testing.assert_array_equal(read, np.rot90(COLOURS, -1))


def test_damaged_exif_does_not_matter():
    content = encode(Image.fromarray(np.full((8, 8, 3), 90, np.uint8)), "jpeg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert photo_reading.read_photo(content).shape == (8, 8, 3)


def test_of_several_frames_the_first():
    frames = [Image.new("L", (4, 4), grey) for grey in (40, 200)]
    read = photo_reading.read_photo(encode(frames[0], "gif", save_all=True, append_images=frames[1:]))
    assert (read == 40).all()


def make_bomb():
    """A png of some 70 bytes that claims to have 100,000 times 100,000 pixels."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
DAMAGED = {
    "empty": (b"", "no image that can be read"),
    "text": (b"emotion,pixels,Usage\n", "no image that can be read"),
    "cut png": (encode(Image.fromarray(NOISE))[:6000], "damaged or cut short"),
    "cut jpg": (encode(Image.fromarray(NOISE), "jpeg")[:2000], "damaged or cut short"),
    "header only": (encode(Image.fromarray(NOISE))[:20], ""),
    "bomb": (make_bomb(), "a larger image"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_photo_is_named(tmp_path, kind):
    content, words = DAMAGED[kind]
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    for source, name in ((path, "holiday.jpg: found "), (content, "the photo: found ")):
        with pytest.raises(PhotoError, match=name) as error:
            photo_reading.read_photo(source)
        assert words in str(error.value) and "; expected" in str(error.value)


def test_a_little_too_large_is_refused_as_well(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 - 1)  # Pillow itself warns only, up to twice its limit
    with pytest.raises(PhotoError, match="Save a smaller copy"):
        photo_reading.read_photo(encode(Image.fromarray(NOISE)))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(PhotoError, match="none.jpg: found no such file"):
        photo_reading.read_photo(tmp_path / "none.jpg")
    with pytest.raises(PhotoError, match="Check the path"):
        photo_reading.read_photo(tmp_path)


# --- faces ---

CENTRE = np.array([262, 216])  # of the portrait's face, by eye


def assert_on_the_face(box, scale=1.0, shift=0.0):
    centre = np.array([box.left + box.side / 2, box.top + box.side / 2])
    assert np.abs(centre - (scale * CENTRE + [shift, 0])).max() < 25 * scale
    assert 180 * scale < box.side < 290 * scale


def test_one_face_is_found(portrait):
    (box,) = photo_answers.find_faces(portrait)
    assert_on_the_face(box)


def test_several_faces_come_from_left_to_right(portrait):
    boxes = photo_answers.find_faces(np.concatenate([portrait] * 3, axis=1))
    assert len(boxes) == 3
    for number, box in enumerate(boxes):
        assert_on_the_face(box, shift=512 * number)


@pytest.mark.parametrize("width", [96, 2600, 5000])
def test_small_and_huge_photos(portrait, width):
    scale = width / 512
    resized = Image.fromarray(portrait).resize((width, round(600 * scale)))
    (box,) = photo_answers.find_faces(np.asarray(resized))
    assert_on_the_face(box, scale)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_no_face_where_there_is_none(name):
    assert photo_answers.find_faces(load_sample_image(name)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (48, 48)])
def test_no_face_in_odd_shapes(shape):
    assert photo_answers.find_faces(np.zeros((*shape, 3), np.uint8)) == []


def test_a_square_never_leaves_the_photo(monkeypatch):
    class Detector:
        def detectMultiScale(self, searched, **options):
            height, width = searched.shape
            return [(width - 30, height - 30, 30, 30)]

    monkeypatch.setattr(photo_answers, "_detector", Detector)
    for size in (801, 1_234, 3_333):
        (box,) = photo_answers.find_faces(np.zeros((size - 13, size, 3), np.uint8))
        assert box.left + box.side <= size and box.top + box.side <= size - 13


# --- one preprocessing ---


def test_a_photo_and_a_file_of_a_class_folder_go_the_same_way():
    face = NOISE[:48, :48]
    from_folder = _decode_image(encode(Image.fromarray(face)), "train/happy/1.png")
    cropped = photo_answers.crop_face(np.pad(face, ((5, 9), (7, 2), (0, 0))), Box(7, 5, 48))
    assert cropped.shape == (48, 48, 1) and cropped.dtype == np.uint8
    np.testing.assert_array_equal(cropped[..., 0], from_folder)


def test_grey_levels_stay_bit_by_bit():
    grey = NOISE[:48, :48, 0]
    np.testing.assert_array_equal(prepare_face(Image.fromarray(grey)), grey)
    np.testing.assert_array_equal(prepare_face(Image.fromarray(grey).convert("RGB")), grey)


@pytest.mark.parametrize("side", [7, 96, 480])
def test_a_face_of_another_size_is_scaled(side):
    ramp = np.tile(np.linspace(0, 255, side).astype(np.uint8), (side, 1))
    scaled = prepare_face(Image.fromarray(ramp))
    assert scaled.shape == (48, 48) and np.all(np.diff(scaled.astype(int), axis=1) >= 0)
    assert abs(scaled.mean() - 127.5) < 3


def test_scaling_down_takes_the_mean_of_all_pixels():
    checks = np.indices((480, 480)).sum(axis=0) % 2 * 255
    scaled = prepare_face(Image.fromarray(checks.astype(np.uint8)))
    assert np.ptp(scaled) <= 2 and abs(scaled.mean() - 127.5) < 2


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
    words = photo_answers.format_answers([answer_of(0.9), answer_of(0.3)])
    assert words.startswith("2 faces, from left to right\n1: Happy") and "\n2: Happy 80% (UNCERTAIN" in words
    assert words.count("Disgust 3%") == 2 and words.endswith("not what the person feels.")
    assert photo_answers.format_answers([answer_of(0.9)]).startswith("1 face\n")
    assert photo_answers.format_answers([]).startswith("no face found; it should be upright")


def test_every_face_is_asked_about(portrait, network):
    run = make_run()
    two = np.concatenate([portrait, portrait], axis=1)
    answers = photo_answers.name_expressions(two, network, run)
    assert [answer.box for answer in answers] == photo_answers.find_faces(two)
    for answer in answers:
        np.testing.assert_array_equal(answer.image, photo_answers.crop_face(two, answer.box))
        np.testing.assert_allclose(answer.probabilities.sum(), 1, rtol=1e-4)
        assert answer.share_right == 0.5, "half of the run's test answers are right"
    assert photo_answers.name_expressions(load_sample_image("china.jpg"), network, run) == []


def test_a_face_is_judged_by_as_many_views_as_the_test_images_were(portrait, network):
    (answer,) = photo_answers.name_expressions(portrait, network, make_run(views=10))
    expected = predict_views(network, answer.image[np.newaxis], views=10)[0]
    np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)


def test_sample_without_matplotlibs_files(monkeypatch):
    monkeypatch.setattr(photo_reading, "get_sample_data", lambda name, asfileobj: "nowhere.jpg")
    picture, words = photo_reading.sample_photo()
    assert words == "a drawn face" and len(photo_answers.find_faces(picture)) == 1


# --- the widget, without a browser ---


@pytest.fixture
def widget(monkeypatch):
    import matplotlib.pyplot as plt

    def analyse(content):
        if content == b"damaged":
            raise PhotoError("the photo: found nothing")
        return f"{len(content)} bytes", plt.figure()

    made = widgets.PhotoWidget(analyse)
    monkeypatch.setattr(made, "send", lambda message, buffers=(): made.sent.append((message, list(buffers))))
    made.sent = []
    return made


def test_the_widget_sends_words_and_a_picture_back(widget):
    import matplotlib.pyplot as plt

    widget._handle_custom_msg({}, [memoryview(b"abc")])
    ((message, (picture,)),) = widget.sent
    assert message == {"words": "3 bytes"} and Image.open(io.BytesIO(picture)).format == "PNG"
    assert plt.get_fignums() == []


def test_the_widget_says_what_is_wrong_with_a_photo(widget):
    widget._handle_custom_msg({}, [memoryview(b"damaged")])
    assert widget.sent == [({"words": "the photo: found nothing"}, [])]


def test_no_photo_is_part_of_the_widgets_state(widget):
    before = str(widget.get_state())
    widget._handle_custom_msg({}, [memoryview(b"abc")])
    assert str(widget.get_state()) == before
    assert "run this cell" in widget._repr_mimebundle_()[0]["text/plain"]


# --- the network that answers ---


def test_the_best_network_with_weights_answers(tmp_path):
    def make(name, validation_right, weights):
        folder = tmp_path / name
        folder.mkdir()
        if weights:
            (folder / run_files.WEIGHTS).touch()
        confusion = np.diag([validation_right] * 7) + 1
        return make_run(experiment=name, validation_confusion=confusion, folder=folder)

    runs = [
        make("vgg_like", 5, True),
        make("fast", 9, False),
        make("lenet_like", 7, True),
        make("resnet_like", 6, True),
    ]
    recorded = {run.experiment: [run] for run in runs} | {"lenet_like_augmented": []}
    assert records.find_best(recorded).experiment == "lenet_like"
    with pytest.raises(run_files.RunError, match="fer-course reproduce"):
        records.find_best({"fast": [runs[1]], "vgg_like": []})


def test_grey_levels_of_fer2013_in_the_notebook(real_fer2013):
    found = read_fer2013(real_fer2013 / "fer2013.npz")
    faces = found.pixels[found.usage == 0].reshape(-1, 48 * 48).astype(np.float32)
    text = (PROJECT / "notebooks" / "11_your_own_photo.ipynb").read_text(encoding="utf-8")
    for share, words in ((0.5, "median"), (0.05, "5 % are below"), (0.95, "5 % are above")):
        mean, deviation = (np.quantile(values, share) for values in (faces.mean(axis=1), faces.std(axis=1)))
        assert f'of FER2013, {words}\\": ({mean:.0f}, {deviation:.0f})' in text
